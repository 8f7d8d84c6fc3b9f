package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/internal/access"
	"parley/internal/chat"
)

// The statements of bookmarks and subscriptions. The table m has the person and the room, and
// whether the message is there, without which nothing is written. They return that, how many
// bookmarks the person has, and the use of the nonce. $7 is the limit of bookmarks.
var (
	personalSQL = `
	WITH o AS (SELECT p.id AS person, r.id AS room FROM person p, room r WHERE p.public = $5 AND r.name = $6),
	saved AS (SELECT count(*) AS n FROM bookmark b WHERE b.person = (SELECT person FROM o)),
	m AS (
		SELECT o.* FROM o JOIN event e ON e.room = o.room AND e.seq = $3::bigint
			AND coalesce(e.kind, 'reply') = 'reply'),
	` + knownSQL
	personalEndSQL = `
	SELECT EXISTS (SELECT FROM m), (SELECT n FROM saved),` + usedSQL + `FROM o`

	mayBookmarkSQL = ` AND (SELECT n FROM saved) < $7::bigint`
)

// personalWrites are the statements that set (true) and remove bookmarks and subscriptions.
var personalWrites = map[chat.PersonalRefKind]map[bool]string{
	chat.Bookmark: {
		true: personalSQL + mayBookmarkSQL + `),
	written AS (
		INSERT INTO bookmark (person, room, seq, at_ms) SELECT m.person, m.room, $3::bigint, $4::bigint FROM m
		WHERE` + isNewSQL + mayBookmarkSQL + ` ON CONFLICT DO NOTHING)` + personalEndSQL,
		false: personalSQL + `),
	written AS (
		DELETE FROM bookmark
		WHERE person = (SELECT person FROM m) AND room = (SELECT room FROM m) AND seq = $3::bigint AND` +
			isNewSQL + `)` + personalEndSQL,
	},
	chat.Subscription: {
		true: personalSQL + `),
	written AS (
		INSERT INTO subscription (room, target, person) SELECT m.room, $3::bigint, m.person FROM m
		WHERE` + isNewSQL + `ON CONFLICT DO NOTHING)` + personalEndSQL,
		false: personalSQL + `),
	written AS (
		DELETE FROM subscription
		WHERE room = (SELECT room FROM m) AND target = $3::bigint AND person = (SELECT person FROM m)
			AND` + isNewSQL + `)` + personalEndSQL,
	},
}

// SetPersonal adds or removes a bookmark or a subscription. A retry with the same nonce changes
// nothing. The error is a *chat.Error with code NotFound if there is no such message, TooMany, or
// NonceUsed.
func (s *Store) SetPersonal(ctx context.Context, who chat.PersonID, as chat.PersonalRefKind, at chat.MessageRef,
	on bool, nonce string,
) error {
	err := chat.CheckNonce(nonce)
	if err == nil {
		err = s.setPersonal(ctx, who, as, at, on, nonce)
	}
	if err != nil {
		return fmt.Errorf("%s %d for a person: %w", at.Room, at.Seq, err)
	}
	return nil
}

func (s *Store) setPersonal(ctx context.Context, who chat.PersonID, as chat.PersonalRefKind, at chat.MessageRef,
	on bool, nonce string,
) error {
	kind := "let go of " + string(as)
	if on {
		kind = "keep " + string(as)
	}
	args := ownArgs(nonce, kind, at.Seq, time.Now().UnixMilli(), who, at.Room)
	if on && as == chat.Bookmark {
		args = append(args, chat.MaxBookmarks)
	}
	refused := error(access.ErrNoMessage)
	err := s.write(ctx, ownWrite{
		who: string(who), room: string(at.Room), text: personalWrites[as][on], args: args,
		scan: func(rows pgx.Rows) error {
			var exists, known, same bool
			var saved int
			err := rows.Scan(&exists, &saved, &known, &same)
			switch refused = refusal(known, same); {
			case !exists && !on: // there is nothing to remove
				refused = nil
			case !exists:
				refused = access.ErrNoMessage
			case !known && on && as == chat.Bookmark:
				refused = access.MayChange(access.Bookmark, access.Facts{Exists: true, Bookmarks: saved})
			}
			return err
		},
	})
	if err != nil { // if ctx has ended the write may still be under way, so refused must not be read
		return err
	}
	return refused
}

// newestInThreadSQL is when the newest reply of a kind in the thread f was stored.
func newestInThreadSQL(kind string) string {
	return `(SELECT e.seq FROM event e WHERE e.room = f.room AND e.target = f.target AND e.kind ` + kind + `
			ORDER BY e.kind DESC, e.seq DESC LIMIT 1)`
}

// personalQueries read bookmarks, and subscriptions by their newest reply, newest first. $1 is the
// person, $2 the time before which it was, $3 the limit.
var personalQueries = map[chat.PersonalRefKind]string{
	chat.Bookmark: `
		SELECT r.name, k.seq, k.at_ms FROM bookmark k JOIN room r ON r.id = k.room
		WHERE k.person = (SELECT id FROM person WHERE public = $1) AND k.at_ms < $2
		ORDER BY k.at_ms DESC, k.room DESC, k.seq DESC LIMIT $3`,
	chat.Subscription: `
		SELECT r.name, f.target, e.at_ms
		FROM subscription f JOIN room r ON r.id = f.room
		JOIN event e ON e.room = f.room AND e.seq = greatest(` + newestInThreadSQL("= 'reply'") + `,
			` + newestInThreadSQL("IS NULL") + `)
		WHERE f.person = (SELECT id FROM person WHERE public = $1) AND e.at_ms < $2
		ORDER BY e.at_ms DESC, f.room DESC, f.target DESC LIMIT $3`,
}

// PersonalRefs returns at most limit of a person's bookmarks or subscriptions, newest first; only
// older ones than before unless that is zero.
func (s *Store) PersonalRefs(ctx context.Context, who chat.PersonID, as chat.PersonalRefKind, before time.Time,
	limit int,
) ([]chat.PersonalRef, error) {
	until := int64(1) << 62
	if !before.IsZero() {
		until = before.UnixMilli()
	}
	refs, err := rowsOf(ctx, s, personalRef, personalQueries[as], string(who), until, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("%s messages of a person: %w", as, err)
	}
	return refs, nil
}

func personalRef(row pgx.CollectableRow) (ref chat.PersonalRef, err error) {
	var at int64
	err = row.Scan(&ref.Room, &ref.Seq, &at)
	ref.At = time.UnixMilli(at).UTC()
	return ref, err
}

// IsSubscribed reports whether a person is subscribed to a message's thread.
func (s *Store) IsSubscribed(ctx context.Context, who chat.PersonID, at chat.MessageRef) (is bool, err error) {
	err = s.row(ctx, `
		SELECT EXISTS (SELECT FROM subscription WHERE room = (SELECT id FROM room WHERE name = $1) AND target = $3
			AND person = (SELECT id FROM person WHERE public = $2))`,
		[]any{string(at.Room), string(who), int64(at.Seq)}, &is)
	if err != nil {
		return false, fmt.Errorf("whether a person follows %d of %s: %w", at.Seq, at.Room, err)
	}
	return is, nil
}
