package room

import (
	"context"
	"log/slog"
	"time"

	"parley/internal/chat"
)

// Bounds of how copies are deleted: a message may have been forwarded to very many
// rooms, and what people say there does not wait for it.
const (
	copiesAtOnce = 100
	copiesRetry  = 5 * time.Second // after a deletion that failed, as on a failing disk
)

// wakeCopiesLoop has copiesLoop look. It is called for each deletion, so also for
// those of copies, which may have copies themselves.
func (h *Hub) wakeCopiesLoop() {
	select {
	case h.copiesWake <- struct{}{}:
	default:
	}
}

// copiesLoop deletes the copies of deleted messages until ctx ends. What is left to
// do is in the store: it begins with what the last process has left, and to do a
// part of it twice changes nothing.
func (h *Hub) copiesLoop(ctx context.Context) error {
	troubled := false // it failed the last time, and that was logged
	for {
		var again <-chan time.Time
		err := h.deleteCopies(ctx)
		if err != nil && ctx.Err() == nil {
			if !troubled {
				h.logger.LogAttrs(ctx, slog.LevelWarn, "copies of a deleted message could not be deleted: it is tried again",
					slog.Any("err", err))
			}
			again = time.After(copiesRetry)
		}
		troubled = err != nil
		select {
		case <-h.copiesWake:
			if again != nil { // one failure is not followed by another at once
				select {
				case <-again:
				case <-ctx.Done():
				}
			}
		case <-again:
		case <-ctx.Done():
			return nil
		}
	}
}

// deleteCopies makes the deletions that are due, until there are none.
func (h *Hub) deleteCopies(ctx context.Context) error {
	for {
		due, err := h.archive.Copies(ctx, copiesAtOnce)
		if err != nil || len(due) == 0 {
			return err
		}
		results := make(chan error, len(due))
		for _, d := range due {
			h.log.Append(d, func(c chat.Commit) {
				h.Arrive(c, func(c chat.Commit) { results <- c.Err })
			})
		}
		for range due { // each is answered, also when the log stops
			if failed := <-results; failed != nil {
				err = failed
			}
		}
		if err != nil {
			return err
		}
	}
}
