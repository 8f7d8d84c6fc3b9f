package search

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"parley/internal/chat"
)

const (
	// forgetWithin is how long words of a deleted message may stay in the file. If they cannot be removed by then, the
	// whole file is.
	forgetWithin = 10 * time.Minute

	wipeEvery = time.Second      // between attempts, while searches keep the WAL from being truncated
	wipeBy    = 30 * time.Second // after that, new searches wait until it is truncated
)

// purge removes deleted messages from the index before indexing reaches their deletion, which can take long. It also
// clears their text in feeds, whose events are read but not indexed.
func (x *Index) purge(ctx context.Context, feeds feeds) error {
	taken := x.takeDeletions()
	for room, was := range taken {
		through, err := x.purgeRoom(ctx, room, was.purged, feeds)
		switch {
		case err == nil:
			x.setDeleted(room, time.Time{}, through)
		case ctx.Err() == nil && isSourceFault(err):
			x.setDeleted(room, was.deleted, 0)
			x.cannotRead(room)
			x.readErr = err
		default:
			for room, was := range taken {
				x.setDeleted(room, was.deleted, 0)
			}
			return err
		}
		delete(taken, room)
	}
	return nil
}

// purgeRoom carries out a room's deletions after seq after or after its cursor, whichever is greater. It returns the
// seq of the last one.
func (x *Index) purgeRoom(
	ctx context.Context, room chat.RoomName, after chat.Seq, feeds feeds,
) (through chat.Seq, err error) {
	cursor := x.db.cursor(room)
	through = max(after, cursor)
	for {
		deletions, err := x.source.Deletions(ctx, room, through, maxBatch)
		if err != nil {
			return through, err
		}
		var indexed []chat.Seq
		for _, d := range deletions {
			through = d.Seq
			if d.Target <= cursor {
				indexed = append(indexed, d.Target)
				continue
			}
			for _, f := range feeds {
				if f.room == room {
					f.erase(d.Target)
				}
			}
		}
		if len(indexed) > 0 {
			if err := x.erase(ctx, room, indexed); err != nil {
				return through, err
			}
		}
		if len(deletions) < maxBatch {
			return through, nil
		}
	}
}

// erase removes messages of a room from the index. It does not move the room's cursor.
func (x *Index) erase(ctx context.Context, name chat.RoomName, seqs []chat.Seq) error {
	return x.change(ctx, func(c *transaction) error {
		r, err := c.room(ctx, name)
		if err != nil {
			return err
		}
		for _, seq := range seqs {
			if _, err := c.indexed(ctx, r, seq); err != nil {
				return fmt.Errorf("taking out message %d of %s: %w", seq, name, err)
			}
		}
		return nil
	})
}

// erase clears the text of a message, and of its edits, among the events that are read but not indexed.
func (f *feed) erase(message chat.Seq) {
	for i := range f.events {
		if e := &f.events[i]; e.Seq == message || e.Kind == chat.Edit && e.Target == message {
			e.Text = ""
		}
	}
}

// truncateWAL truncates the WAL if it may hold deleted text. While searches read from the WAL that cannot be done, and
// is tried again later.
func (x *Index) truncateWAL(ctx context.Context) error {
	if x.walDirtySince.IsZero() {
		return nil
	}
	err := x.db.truncateWAL(ctx)
	if errors.Is(err, errSearching) && time.Since(x.walDirtySince) > wipeBy {
		x.open.Lock()
		defer x.open.Unlock()
		err = x.db.truncateWAL(ctx)
	}
	if errors.Is(err, errSearching) {
		return nil
	}
	if err == nil {
		x.walDirtySince = time.Time{}
	}
	return err
}

var errSearching = errors.New("searches are under way")

// truncateWAL moves the WAL into the file, where the deleted text has been overwritten, and truncates it. It waits 50
// ms at most for searches, and returns errSearching if they still read.
func (db *database) truncateWAL(ctx context.Context) error {
	var busy, frames, moved int
	if err := db.writer.QueryRowContext(ctx, `PRAGMA busy_timeout(50)`).Scan(&busy); err != nil { // ms
		return fmt.Errorf("before emptying the write-ahead log: %w", err)
	}
	err := db.writer.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &moved)
	// As in writerPragmas.
	err = errors.Join(err, db.writer.QueryRowContext(ctx, `PRAGMA busy_timeout(2000)`).Scan(&frames))
	if err != nil {
		return fmt.Errorf("emptying the write-ahead log: %w", err)
	}
	if busy != 0 {
		return fmt.Errorf("emptying the write-ahead log: %w", errSearching)
	}
	return nil
}

// removeIfUnwipeable removes the file if it may have held deleted text for longer than forgetWithin, because it could
// not be opened or written.
func (x *Index) removeIfUnwipeable(ctx context.Context) {
	oldest := x.oldestDeletion()
	for _, t := range []time.Time{x.walDirtySince, x.closedSince} {
		if !t.IsZero() && (oldest.IsZero() || t.Before(oldest)) {
			oldest = t
		}
	}
	if oldest.IsZero() || time.Since(oldest) < forgetWithin {
		return
	}
	if x.database() != nil {
		x.discard(ctx, errors.New("what was deleted could not be taken out of it"))
		return
	}
	if x.remove(ctx) {
		x.logger.LogAttrs(ctx, slog.LevelWarn,
			"the search index, which could not be opened, was removed: it may have held what was deleted")
	}
	x.closedSince = time.Now()
}
