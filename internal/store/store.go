// Package store is the writing half of a store, whatever its database: a queue of
// drafts, a committer that makes one transaction of all that waits, and the rules
// that decide what becomes of each draft. A batch is stored in three steps: load
// what the rules ask for, decide in memory, write what was decided. Start reading
// at Committer.Run.
//
// It knows no SQL and no error codes of a database. A database is an Engine, which
// packages below this one implement.
package store

import (
	"context"
	"errors"
	"time"

	"parley/internal/chat"
)

// An Engine stores batches in a database. The committer's goroutine alone calls it.
type Engine interface {
	// Transact calls do within a transaction and commits it. If do or the commit fails,
	// nothing of it is stored. It may call do again, also after an attempt of which nobody
	// knows whether it was committed. The error is ErrBroken if nothing can be stored until
	// a restart, ErrUnknown if it stays unknown what was stored, and ErrRefused if the
	// database will never store what do has written.
	Transact(ctx context.Context, do func(context.Context) error) error
	// Resolve sets each row's Room and By. It makes rooms where MakesRoom allows it,
	// makes people who are unknown, and puts the room in the list of an author where
	// ListsRoom asks for it. The room of a row stays nil if there is none. A database that
	// is far away may do all that in Load, with keys that are good for this transaction.
	Resolve(ctx context.Context, rows []Row, at time.Time) error
	// Load fills in the facts, and the heads of rooms that Resolve has not. It is called
	// once after the last Resolve, with nil if there are no questions, and maybe again. If
	// all rows are plain messages it may leave heads at Unloaded; then seqs are counted from
	// there, and Write puts the true ones into the results before the transaction ends.
	Load(ctx context.Context, f *Facts) error
	// Write stores what was decided about rows, in their order, and the heads of their
	// rooms. It returns how many rows it has stored: fewer than there are if the next
	// one's nonce turns out to be known.
	Write(ctx context.Context, rows []Row, at time.Time) (int, error)
}

// Unloaded is the head of a room whose true one the database has not told.
const Unloaded chat.Seq = -1 << 40

// Upkeep is what a database needs between transactions. The committer's goroutine
// alone calls it.
type Upkeep interface {
	// Rescue is called after a transaction with deletions has failed. If a full disk is
	// the cause it makes room and calls again, which writes the deletions alone. It
	// returns the last error.
	Rescue(ctx context.Context, failed error, again func() error) error
	// Recovered is called after the first transaction that succeeds again.
	Recovered(ctx context.Context)
	// Written is called after each batch.
	Written(ctx context.Context)
	// Idle is called at the start and then about once a minute, when nothing waits.
	Idle(ctx context.Context)
}

// MaxCounted is how many of a room's newest events the count of unread messages looks at, and the search for the
// room's last message. A bot or a thread may have written hundreds of thousands.
const MaxCounted = 2000

// TimeOf returns the time of a column of milliseconds; the zero time for 0.
func TimeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// CeilMS returns the first whole millisecond since 1970 that is not before t, as columns have them.
func CeilMS(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.After(time.UnixMilli(ms)) {
		ms++
	}
	return ms
}

// Errors of Engine.Transact.
var (
	// ErrBroken says that nothing can be stored until a restart.
	ErrBroken = errors.New("nothing is written until a restart")
	// ErrUnknown says that nobody knows whether a transaction was stored.
	ErrUnknown = errors.New("it is not known whether it was stored")
	// ErrRefused says that something in a transaction can never be stored. The others of its
	// items can.
	ErrRefused = errors.New("the database refuses what it was given")
)

// What clients are told whose drafts are not stored.
var (
	errStopping = &chat.Error{
		Code:       chat.Stopping,
		Message:    "The server is going down. Send it again in a moment.",
		RetryAfter: time.Second,
	}
	errOverloaded = &chat.Error{
		Code:       chat.Overloaded,
		Message:    "Too many messages are waiting to be stored. Send it again in a moment.",
		RetryAfter: 2 * time.Second,
	}
	errUnavailable = &chat.Error{
		Code: chat.Unavailable,
		Message: "The server cannot store messages right now. Your message was not stored; send it again in a " +
			"moment.",
		RetryAfter: 2 * time.Second,
	}
	errUnknown = &chat.Error{
		Code: chat.Unavailable,
		Message: "The server's database does not answer. It may have stored your message; send it again in a moment, " +
			"with the same nonce if it had one.",
		RetryAfter: 2 * time.Second,
	}
	errRefused    = &chat.Error{Code: chat.BadText, Message: "The server's database cannot store this."}
	errDiskFailed = &chat.Error{
		Code: chat.Unavailable,
		Message: "The server's disk has failed, and its operator has to see to it. " +
			"Your message was not stored.",
		RetryAfter: 30 * time.Second,
	}
	errFull = &chat.Error{
		Code:       chat.Unavailable,
		Message:    "The server's disk is full. Nothing can be stored but deletions. Try again later.",
		RetryAfter: outageLogEvery,
	}
)

// UserError returns what the caller of a write that failed with err may see: err
// itself if it is a refusal.
func UserError(err error) error {
	switch {
	case err == nil || chat.CodeOf(err) != chat.Internal:
		return err
	case errors.Is(err, ErrBroken):
		return errDiskFailed
	case errors.Is(err, ErrUnknown):
		return errUnknown
	case errors.Is(err, ErrRefused):
		return errRefused
	}
	return errUnavailable
}
