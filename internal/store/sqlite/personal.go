package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"parley/internal/access"
	"parley/internal/chat"
)

// SetPersonal adds or removes a bookmark or a subscription. A retry with the same nonce changes
// nothing. The error is a *chat.Error with code NotFound if there is no such message, TooMany, or
// NonceUsed.
func (s *Store) SetPersonal(ctx context.Context, who chat.PersonID, as chat.PersonalRefKind, at chat.MessageRef,
	keep bool, nonce string,
) error {
	err := chat.CheckNonce(nonce)
	if err == nil {
		err = s.writeOrRefuse(ctx, func(ctx context.Context, w *writer) (refused, err error) {
			return w.setPersonal(ctx, who, as, at, keep, nonce)
		})
	}
	if err != nil {
		return fmt.Errorf("%s %d for a person: %w", at.Room, at.Seq, err)
	}
	return nil
}

func (w *writer) setPersonal(ctx context.Context, who chat.PersonID, as chat.PersonalRefKind, at chat.MessageRef,
	keep bool, nonce string,
) (refused, err error) {
	m, err := w.membership(ctx, who, at.Room)
	if errors.Is(err, sql.ErrNoRows) {
		return access.ErrNoMessage, nil
	}
	if err != nil {
		return nil, err
	}
	id := eventID(m.room, min(max(at.Seq, 0), maxSeq))
	said, err := w.find(ctx, `SELECT count(*) FROM event WHERE id = $1 AND coalesce(kind, 'reply') = 'reply'`, id)
	if err != nil {
		return nil, err
	}
	kind := "keep " + string(as)
	switch {
	case said == 0 && keep:
		return access.ErrNoMessage, nil
	case said == 0: // nothing to remove; an answer must not refer to a missing row
		return nil, nil
	case !keep:
		kind = "let go of " + string(as)
	}
	return w.idempotent(ctx, who, answer{listKey: m, nonce: nonce, kind: kind, target: id},
		func() (refused, err error) {
			return w.writePersonal(ctx, m, as, id, keep)
		})
}

func (w *writer) writePersonal(ctx context.Context, m listKey, as chat.PersonalRefKind, id int64,
	keep bool,
) (refused, err error) {
	if !keep {
		if as == chat.Bookmark {
			return nil, w.exec(ctx, `DELETE FROM saved WHERE person = $1 AND event = $2`, m.person, id)
		}
		return nil, w.exec(ctx, `DELETE FROM follow WHERE target = $2 AND person = $1`, m.person, id)
	}
	if as == chat.Subscription {
		const text = `INSERT INTO follow (target, person) VALUES ($2, $1) ON CONFLICT DO NOTHING`
		return nil, w.exec(ctx, text, m.person, id)
	}
	n, err := w.find(ctx, `SELECT count(*) FROM saved WHERE person = $1`, m.person)
	if err != nil {
		return nil, err
	}
	if refused = access.MayChange(access.Bookmark, access.Facts{Exists: true, Bookmarks: int(n)}); refused != nil {
		return refused, nil
	}
	const text = `INSERT INTO saved (person, event, at_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`
	return nil, w.exec(ctx, text, m.person, id, time.Now().UnixMilli())
}

// personalQueries read bookmarks, and subscriptions by their newest reply, newest first. $1 is the
// person, $2 the time before which it was, $3 the limit.
var personalQueries = map[chat.PersonalRefKind]string{
	chat.Bookmark: `
		SELECT r.name, ` + seqSQL("k.event") + `, k.at_ms
		FROM saved k JOIN room r ON r.id = ` + roomSQL("k.event") + `
		WHERE k.person = (SELECT id FROM person WHERE public = $1) AND k.at_ms < $2
		ORDER BY k.at_ms DESC, k.event DESC LIMIT $3`,
	chat.Subscription: `
		SELECT r.name, ` + seqSQL("f.target") + `, e.at_ms
		FROM follow f JOIN room r ON r.id = ` + roomSQL("f.target") + `
		JOIN event e ON e.id = max(
			coalesce((SELECT max(id) FROM event WHERE target = f.target AND kind = 'reply'), 0),
			coalesce((SELECT max(id) FROM event WHERE target = f.target AND kind IS NULL), 0))
		WHERE f.person = (SELECT id FROM person WHERE public = $1) AND e.at_ms < $2
		ORDER BY e.at_ms DESC, f.target DESC LIMIT $3`,
}

// PersonalRefs returns at most limit of a person's bookmarks or subscriptions, newest first; only
// older ones than before unless that is zero.
func (s *Store) PersonalRefs(ctx context.Context, who chat.PersonID, as chat.PersonalRefKind, before time.Time,
	limit int,
) (kept []chat.PersonalRef, err error) {
	until := int64(1) << 62
	if !before.IsZero() {
		until = before.UnixMilli()
	}
	err = s.reads.each(ctx, personalQueries[as], []any{string(who), until, limit}, func(rows *sql.Rows) error {
		var k chat.PersonalRef
		var at int64
		err := rows.Scan(&k.Room, &k.Seq, &at)
		k.At = time.UnixMilli(at).UTC()
		kept = append(kept, k)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("what a person keeps: %w", err)
	}
	return kept, nil
}

// IsSubscribed reports whether a person is subscribed to a message's thread.
func (s *Store) IsSubscribed(ctx context.Context, who chat.PersonID, at chat.MessageRef) (follows bool, err error) {
	err = s.reads.row(ctx, `
		SELECT EXISTS (SELECT 1 FROM follow WHERE target = `+namedSQL("$3")+`
			AND person = (SELECT id FROM person WHERE public = $2))`,
		[]any{string(at.Room), string(who), int64(at.Seq)}, &follows)
	if err != nil {
		return false, fmt.Errorf("whether a person follows %d of %s: %w", at.Seq, at.Room, err)
	}
	return follows, nil
}
