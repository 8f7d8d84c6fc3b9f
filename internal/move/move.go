// Package move copies all that one store keeps into another one, and proves that both hold the same.
// Here is which tables there are and what a row looks like on its way; the packages of the stores
// read and write rows. Start reading at Copy.
//
// It knows no database.
package move

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
)

// A Source is a store, or a back-up of one, whose contents do not change meanwhile.
type Source interface {
	// Rows calls visit with each row of a table, in the order of its key. The row is valid until visit
	// returns.
	Rows(ctx context.Context, t *Table, visit func(row []byte) error) error
}

// A Target is a store that is being filled and that nobody uses yet.
type Target interface {
	Source
	// Fill stores the rows that rows passes to write.
	Fill(ctx context.Context, t *Table, rows func(write func(row []byte) error) error) error
}

// progressEvery is how many rows are copied or read between two calls of a function that tells of
// the progress.
const progressEvery = 1 << 12

// Progress is told now and then how many rows of a table have been copied, or read back, and of how many; 0: nobody
// knows. It may be nil.
type Progress func(table string, rows, of int64, readBack bool)

// A Report says what has been copied.
type Report struct {
	Rooms, People, Events int64
	Hash                  [sha256.Size]byte // of all tables' hashes; equal for stores that hold the same
}

// Copy copies all tables from from to to, reads them back, and fails with a *Difference if they are
// not the same. Memory grows with the number of rooms, by about a hundred bytes each, and with nothing
// else.
func Copy(ctx context.Context, from Source, to Target, progress Progress) (Report, error) {
	c := &copying{from: from, to: to, progress: progress}
	return each(func(t *Table) (TableSum, error) {
		sum, err := c.copy(ctx, t)
		if err != nil {
			return sum, fmt.Errorf("copying the table %s: %w", t.Name, err)
		}
		back, err := sumOf(ctx, t, to, func(rows int64) { c.tell(t, rows, true) })
		if err != nil {
			return sum, fmt.Errorf("reading the table %s back: %w", t.Name, err)
		}
		if d := compare(sum, back); d != nil {
			return sum, d
		}
		return sum, nil
	})
}

// Read reads all tables and reports what they hold.
func Read(ctx context.Context, from Source) (Report, error) {
	return each(func(t *Table) (TableSum, error) { return sumOf(ctx, t, from, func(int64) {}) })
}

func each(sum func(*Table) (TableSum, error)) (Report, error) {
	all := sha256.New()
	var r Report
	for i := range Tables {
		is, err := sum(&Tables[i])
		if err != nil {
			return r, err
		}
		all.Write(is.Hash[:]) // never fails
		switch is.Table {
		case "room":
			r.Rooms = is.Rows
		case "person":
			r.People = is.Rows
		case Events:
			r.Events = is.Rows
		}
	}
	all.Sum(r.Hash[:0])
	return r, nil
}

// copying is what Copy does.
type copying struct {
	from     Source
	to       Target
	progress Progress
	heads    int64 // of all rooms together: how many events there are
}

func (c *copying) copy(ctx context.Context, t *Table) (TableSum, error) {
	s := newSummer(t.Name)
	values, head := make([]any, len(t.Columns)), t.Column("head")
	err := c.to.Fill(ctx, t, func(write func([]byte) error) error {
		return c.from.Rows(ctx, t, func(row []byte) error {
			if err := t.Values(row, values); err != nil {
				return err
			}
			if head >= 0 {
				c.heads += values[head].(int64)
			}
			s.add(row)
			c.tell(t, s.sum.Rows, false)
			return write(row)
		})
	})
	return s.end(), err
}

func (c *copying) tell(t *Table, rows int64, readBack bool) {
	if c.progress == nil || rows%progressEvery != 0 {
		return
	}
	of := int64(0)
	if t.Name == Events {
		of = max(c.heads, rows)
	}
	c.progress(t.Name, rows, of, readBack)
}

// sumOf reads a table. tell is called for each row.
func sumOf(ctx context.Context, t *Table, from Source, tell func(rows int64)) (TableSum, error) {
	s := newSummer(t.Name)
	err := from.Rows(ctx, t, func(row []byte) error {
		s.add(row)
		tell(s.sum.Rows)
		return nil
	})
	return s.end(), err
}

// ErrMoved is in the error of Refusal.
var ErrMoved = errors.New("everything was moved")

// Refusal returns why a store is not used: everything was moved to another place.
func Refusal(to string) error {
	return fmt.Errorf("%w to %s: use that; only if that is not used, "+
		"“parley move --unmark --from …” lets this be used again, as it was then", ErrMoved, to)
}

// ErrUnknown means that a connection was lost while what had been done was committed.
var ErrUnknown = errors.New("the connection was lost at the very end, so it is not known whether it was done")
