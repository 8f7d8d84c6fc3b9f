package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"parley/internal/chat"
)

// An answer to a retry is the first answer. A nonce is so kept with whatever it
// came with: with the event that was stored, or in the table answer if there was
// none. What was refused keeps none, so that it can be tried again.

var errNonceUsed = &chat.Error{
	Code:    chat.NonceUsed,
	Message: "You have used this nonce for something else in this room. Make a new one for each command.",
}

// nonceText tells whether somebody ($2) has used a nonce in a room ($3).
const nonceText = `
	SELECT EXISTS (SELECT 1 FROM event WHERE nonce = $1 AND author = $2 AND room = $3)
		OR EXISTS (SELECT 1 FROM answer WHERE nonce = $1 AND author = $2 AND room = $3)`

// answerAgain answers a row whose author has used its nonce before, perhaps a moment
// ago in the same transaction, with what it was answered then, or with an error
// if that was something else. It returns sql.ErrNoRows if the nonce is new.
func (c *committer) answerAgain(ctx context.Context, r *row) error {
	d := r.draft
	first := chat.Event{Room: d.Room, From: d.From}
	var at, target int64
	var emoji string
	err := c.scan(ctx, []any{&first.Seq, &at, &first.From.Name, &first.Text, &first.Kind, &target}, `
		SELECT seq, at_ms, name, text, coalesce(kind, 'message'), coalesce(target, 0) FROM event
		WHERE nonce = $1 AND author = $2 AND room = $3`, packNonce(d.Nonce), r.author, r.head.room)
	if first.Kind == chat.React || first.Kind == chat.Unreact {
		emoji = first.Text
	}
	if errors.Is(err, sql.ErrNoRows) && r.by.answers {
		err = c.scan(ctx, []any{&first.Seq, &at, &first.Kind, &target, &emoji}, `
			SELECT seq, at_ms, kind, target, emoji FROM answer
			WHERE nonce = $1 AND author = $2 AND room = $3`, packNonce(d.Nonce), r.author, r.head.room)
		first.Text = cmp.Or(emoji, d.Text)
	}
	if err != nil {
		return fmt.Errorf("what was first done in %s with a nonce: %w", d.Room, err)
	}
	same, err := c.sameAs(ctx, r, first.Kind, target, emoji)
	if err != nil {
		return fmt.Errorf("what was first done in %s with a nonce: %w", d.Room, err)
	}
	if !same {
		*r.result = chat.Commit{Err: errNonceUsed}
		return nil
	}
	first.At, first.Target = time.UnixMilli(at).UTC(), chat.Seq(target&maxSeq)
	*r.result = chat.Commit{Event: first, Repeated: true}
	return nil
}

// sameAs reports whether r asks for what was done before: the same kind of event,
// about the same message, with the same emoji. Texts are not compared: what was
// said first may be deleted by now.
func (c *committer) sameAs(ctx context.Context, r *row, kind chat.Kind, target int64, emoji string) (bool, error) {
	d := r.draft
	switch {
	case d.Is() != kind || emoji != "" && emoji != d.Text:
		return false, nil
	case kind.IsSaid() && d.Target != 0: // the thread that it is in, which another reply may stand for
		root, err := c.root(ctx, r)
		if _, told := errors.AsType[*chat.Error](err); told {
			return false, nil
		}
		return root.id == target, err
	}
	return chat.Seq(target&maxSeq) == d.Target, nil
}

// answerUnchanged has r's answer say that what it asks for was so already, since the
// event with that id.
func (c *committer) answerUnchanged(ctx context.Context, r *row, id, at int64) error {
	d := r.draft
	e := r.event(at)
	e.Seq, e.Kind, e.Target = chat.Seq(id&maxSeq), d.Is(), d.Target
	*r.result = chat.Commit{Event: e, Repeated: true}
	a := answer{listKey{r.author, r.head.room}, d.Nonce, string(e.Kind), 0, "", e.Seq}
	if d.Target != 0 {
		a.target = messageID(r.head.room, d.Target)
	}
	if e.Kind == chat.React || e.Kind == chat.Unreact {
		a.emoji = d.Text
	}
	r.by.answers = r.by.answers || d.Nonce != ""
	return c.storeAnswer(ctx, a, at)
}

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
		return errNonceUsed, nil
	case !errors.Is(err, sql.ErrNoRows):
		return nil, err
	}
	if refused, err = do(); refused != nil || err != nil {
		return refused, err
	}
	if known, ok := c.people.get(who); ok {
		known.answers = true
	}
	return nil, c.storeAnswer(ctx, a, time.Now().UnixMilli())
}
