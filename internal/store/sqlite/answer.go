package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// An answer to a retry is the first answer. A nonce is so kept with whatever it
// came with: with the event that was stored, or in the table answer if there was
// none. What was refused keeps none, so that it can be tried again.

// An answer is a row of the table answer.
type answer struct {
	listKey        // whose it is, and in which room; 0: in none
	nonce   string // "": there is nothing to keep
	kind    string
	target  int64 // the id of the message that it is about
	emoji   string
	seq     chat.Seq
}

func (c *committer) storeAnswer(ctx context.Context, a answer, at int64) error {
	if a.nonce == "" {
		return nil
	}
	return c.exec(ctx, `INSERT INTO answer (nonce, author, room, kind, target, emoji, seq, at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		packNonce(a.nonce), a.person, a.room, a.kind, a.target, a.emoji, int64(a.seq), at)
}

// idempotent carries out what somebody does with their own, unless it was done before
// with the same nonce. refused is an *chat.Error: do's, or that the nonce belongs
// to something else. Nothing has been written then.
func (c *committer) idempotent(ctx context.Context, who chat.PersonID, a answer, do func() (refused, err error)) (refused, err error) {
	if a.nonce == "" {
		return do()
	}
	var kind string
	var target int64
	err = c.scan(ctx, []any{&kind, &target}, `
		SELECT kind, target FROM answer WHERE nonce = $1 AND author = $2 AND room = $3
		UNION ALL
		SELECT 'event', 0 FROM event WHERE nonce = $1 AND author = $2 AND room = $3`, packNonce(a.nonce), a.person, a.room)
	switch {
	case err == nil && kind == a.kind && target == a.target:
		return nil, nil
	case err == nil:
		return store.ErrNonceUsed, nil
	case !errors.Is(err, sql.ErrNoRows):
		return nil, err
	}
	if refused, err = do(); refused != nil || err != nil {
		return refused, err
	}
	if known, ok := c.people.get(who); ok {
		known.Answers = true
	}
	return nil, c.storeAnswer(ctx, a, time.Now().UnixMilli())
}
