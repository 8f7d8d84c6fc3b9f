package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// A retry gets the first answer. So a nonce is stored with what it made: with the event, or in the
// table answer if there was none. A refused draft stores no nonce, so that it can be tried again.

// An answer is a row of the table answer.
type answer struct {
	listKey        // the person, and the room; room 0: none
	nonce   string // "": no row is stored
	kind    string
	target  int64 // the id of the message that it is about
	emoji   string
	seq     chat.Seq
}

func (w *writer) storeAnswer(ctx context.Context, a answer, at int64) error {
	if a.nonce == "" {
		return nil
	}
	return w.exec(ctx,
		`INSERT INTO answer (nonce, author, room, kind, target, emoji, seq, at_ms) VALUES ($1, $2, $3, $4, $5, $6, `+
			`$7, $8)`,
		packNonce(a.nonce), a.person, a.room, a.kind, a.target, a.emoji, int64(a.seq), at)
}

// idempotent calls do, unless the person has done the same with this nonce before. A nonce of
// something else is refused. refused is a *chat.Error, from here or from do; then nothing has been
// written.
func (w *writer) idempotent(ctx context.Context, who chat.PersonID, a answer,
	do func() (refused, err error),
) (refused, err error) {
	if a.nonce == "" {
		return do()
	}
	var kind string
	var target int64
	err = w.scan(ctx, []any{&kind, &target}, `
		SELECT kind, target FROM answer WHERE nonce = $1 AND author = $2 AND room = $3
		UNION ALL
		SELECT 'event', 0 FROM event WHERE nonce = $1 AND author = $2 AND room = $3`,
		packNonce(a.nonce), a.person, a.room)
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
	if known, ok := w.people.get(who); ok {
		known.Answers = true
	}
	return nil, w.storeAnswer(ctx, a, time.Now().UnixMilli())
}
