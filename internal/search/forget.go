package search

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"parley/internal/chat"
)

// forget sees to it that what was deleted is in none of the file's bytes, and then
// has the log forget it too. Which messages that is stands in the file, so that a
// kill at any moment leaves it to the next start.
func (x *Index) forget(ctx context.Context) error {
	for {
		var places []chat.Place
		err := each(ctx, x.db.writer, `SELECT room, seq FROM forgetting LIMIT 500`, nil, func(scan func(...any) error) error {
			var p chat.Place
			err := scan(&p.Room, &p.Seq)
			places = append(places, p)
			return err
		})
		if err != nil || len(places) == 0 {
			return err
		}
		if err := x.unwrite(ctx, places); err != nil {
			return err
		}
		if err := x.db.wipe(ctx); err != nil {
			return err
		}
		for _, p := range places {
			if err := x.forgetOne(ctx, p); err != nil {
				return fmt.Errorf("forgetting message %d of %s: %w", p.Seq, p.Room, err)
			}
		}
	}
}

func (x *Index) forgetOne(ctx context.Context, p chat.Place) error {
	if err := x.eraser.DropErased(ctx, p); err != nil {
		return err
	}
	_, err := x.db.writer.ExecContext(ctx, `DELETE FROM forgetting WHERE room = $1 AND seq = $2`, string(p.Room), int64(p.Seq))
	return err
}

// unwrite writes the whole index anew if FTS5 holds a word, or the beginning of
// one, that only deleted messages had. It takes every trace of a document out of its
// lists, but where a page of them began with a word, what tells it from the word
// before stays as a signpost. Of deletions with a word that nobody else uses that is
// one in a hundred or so.
func (x *Index) unwrite(ctx context.Context, places []chat.Place) error {
	signposts := make(map[string]bool)
	err := each(ctx, x.db.writer, `SELECT term FROM message_fts_idx WHERE length(term) > 1`, nil, func(scan func(...any) error) error {
		var term []byte
		err := scan(&term)
		signposts[string(term[min(1, len(term)):])] = true // behind the number of one of FTS5's indexes
		return err
	})
	if err != nil {
		return fmt.Errorf("reading the index's signposts: %w", err)
	}
	for _, p := range places {
		said, err := x.eraser.Erased(ctx, p)
		if err != nil {
			return err
		}
		for _, text := range said {
			trace, err := x.db.hasTrace(ctx, text, signposts)
			if err != nil {
				return err
			}
			if trace {
				begin := time.Now()
				err := x.db.rewrite(ctx)
				x.logger.LogAttrs(ctx, slog.LevelDebug, "the search index was written anew to be rid of a deleted word", slog.Duration("took", time.Since(begin)))
				return err
			}
		}
	}
	return nil
}

// shortTrace is how many bytes of a word may stay: so many are the beginning of
// many words.
const shortTrace = 3

// hasTrace reports whether a signpost is the beginning of a word of text and of no
// word that is in the index.
func (db *database) hasTrace(ctx context.Context, text string, signposts map[string]bool) (bool, error) {
	for token := range strings.FieldsSeq(string(appendTokens(nil, &document{text: text}))) {
		if strings.HasPrefix(token, marker) {
			continue
		}
		used, err := db.uses(ctx, quoted(token))
		for n := len(token); n > shortTrace && !used && err == nil; n-- {
			if !signposts[token[:n]] {
				continue
			}
			if used, err = db.uses(ctx, quoted(strings.ToValidUTF8(token[:n], ""))+" *"); !used && err == nil {
				return true, nil
			}
		}
		if err != nil {
			return false, fmt.Errorf("looking for a deleted word: %w", err)
		}
	}
	return false, nil
}

func (db *database) uses(ctx context.Context, match string) (used bool, err error) {
	err = db.writer.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM message_fts WHERE message_fts MATCH $1)`, match).Scan(&used)
	return used, err
}

// rewrite has FTS5 write all lists anew. It does so only when there are several, so
// it is given one more first.
func (db *database) rewrite(ctx context.Context) error {
	for _, statement := range []string{
		`INSERT INTO message_fts(rowid, tokens) VALUES (0, ':x')`,
		`INSERT INTO message_fts(message_fts) VALUES ('optimize')`,
		`INSERT INTO message_fts(message_fts, rowid, tokens) VALUES ('delete', 0, ':x')`,
		`PRAGMA incremental_vacuum`,
	} {
		// A PRAGMA's work is done row by row.
		err := each(ctx, db.writer, statement, nil, func(func(...any) error) error { return nil })
		if err != nil {
			return fmt.Errorf("writing the index anew: %w", err)
		}
	}
	return nil
}

// wipe empties the write-ahead log into the file, where what was deleted has been
// overwritten.
func (db *database) wipe(ctx context.Context) error {
	var busy, frames, moved int
	if err := db.writer.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &moved); err != nil {
		return fmt.Errorf("emptying the write-ahead log: %w", err)
	}
	if busy != 0 {
		return errors.New("emptying the write-ahead log: searches are under way")
	}
	return nil
}
