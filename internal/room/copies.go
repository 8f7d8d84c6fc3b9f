package room

import (
	"context"
	"log/slog"
	"time"

	"parley/internal/chat"
)

// A message may have been forwarded to very many rooms. Its copies are deleted in small steps, so that they hold up
// nobody who writes.
const (
	copiesAtOnce = 100
	copiesRetry  = 5 * time.Second // delay after a failed deletion, such as on a failing disk
	copiesLook   = time.Minute     // in a cluster: how often to look for what a node has left that is no more
)

// wakeCopiesLoop makes copiesLoop look for due copies. It is called for every deletion, also of copies, because they
// may have copies themselves.
func (h *Hub) wakeCopiesLoop() {
	select {
	case h.copiesWake <- struct{}{}:
	default:
	}
}

// copiesLoop deletes the copies of deleted messages until ctx ends. What is due is in the store, so it first continues
// where the last process stopped. Deleting a copy twice changes nothing.
func (h *Hub) copiesLoop(ctx context.Context) error {
	var look <-chan time.Time
	if h.others != nil {
		tick := time.NewTicker(copiesLook)
		defer tick.Stop()
		look = tick.C
	}
	troubled := false // the last attempt failed, and that was logged
	for {
		var again <-chan time.Time
		err := h.deleteCopies(ctx)
		if err != nil && ctx.Err() == nil {
			if !troubled {
				h.logger.LogAttrs(ctx, slog.LevelWarn,
					"copies of a deleted message could not be deleted: it is tried again", slog.Any("err", err))
			}
			again = time.After(copiesRetry)
		}
		troubled = err != nil
		select {
		case <-h.copiesWake:
			if again != nil { // no second failure at once
				select {
				case <-again:
				case <-ctx.Done():
				}
			}
		case <-again:
		case <-look:
		case <-ctx.Done():
			return nil
		}
	}
}

// deleteCopies deletes copies until none is due.
func (h *Hub) deleteCopies(ctx context.Context) error {
	for {
		due, err := h.archive.Copies(ctx, copiesAtOnce)
		if err != nil || len(due) == 0 {
			return err
		}
		results := make(chan error, len(due))
		for _, d := range due {
			h.append(d, func(c chat.Commit) { results <- c.Err })
		}
		for range due { // every draft is answered, also when the log stops
			if failed := <-results; failed != nil {
				err = failed
			}
		}
		if err != nil {
			return err
		}
	}
}
