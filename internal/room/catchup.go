package room

import (
	"context"
	"fmt"
	"log/slog"

	"parley/internal/chat"
)

// Bounds of one page of a catch-up worker. They are small, because bytes that a sink does not take are read again: a
// slow reader has no buffer of its own.
const (
	catchUpEvents = 128
	catchUpBytes  = 64 << 10
)

func (h *Hub) catchUpLoop(ctx context.Context) error {
	for {
		rd, more := h.catchUpQueue.take()
		if !more {
			return nil
		}
		if err := rd.readPage(ctx); err != nil && ctx.Err() == nil {
			h.logger.LogAttrs(ctx, slog.LevelError, "reader could not catch up",
				slog.String("room", string(rd.room.name)), slog.Int64("seq", int64(rd.next)), slog.Any("err", err))
			rd.sink.Close(chat.Internal)
		}
	}
}

// readPage writes one page of events from the store to a reader, encoded as for live readers. The reader then becomes
// live or is queued for its next page.
func (rd *Reader) readPage(ctx context.Context) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = asError(cause)
		}
	}()
	if !rd.isCatching() { // it left while it waited
		return nil
	}
	head := rd.room.published()
	events, err := rd.hub.log.After(ctx, rd.room.name, rd.next-1, catchUpEvents)
	if err != nil {
		return err
	}
	if rd.next <= head && (len(events) == 0 || events[0].Seq != rd.next) {
		if err := rd.room.checkRemoved(ctx, rd.next, head); err != nil {
			return err
		}
		rd.next = head + 1
	}
	var page []byte
	var ends []uint32
	given := rd.left
	for _, e := range events {
		if len(page) > catchUpBytes || e.Seq > head { // the sender of a later event may not have been answered yet
			break
		}
		if rd.log.enc.Formatted() {
			rd.hub.render(&e, &rd.left)
		}
		page = rd.log.enc.Append(page, e)
		ends = append(ends, uint32(len(page)))
	}
	rd.hub.costs.chargeFormatting(rd.network, given, rd.left)
	rd.hub.costs.chargeBytes(rd.network, len(page))

	s := rd.shard
	s.mu.Lock()
	defer s.mu.Unlock()
	if rd.state != catchingUp {
		return nil
	}
	n, err := rd.sink.TryWrite(page)
	if err != nil {
		rd.setState(closed)
		return nil
	}
	taken := eventsIn(ends, n)
	rd.next += chat.Seq(taken)
	rd.hub.deliveries.Add(uint64(taken))
	switch {
	case n < len(page):
		rd.block() // when it is unblocked it becomes live, and a flusher makes it catch up again
	case rd.inByteLog():
		rd.setState(live)
		rd.hub.flushes.mark(rd.room, s)
	default:
		rd.hub.catchUpQueue.push(rd)
	}
	return nil
}

// checkRemoved returns an error unless the log lacks its newest events, from next to head, because somebody has removed
// them by hand. Their seqs stay used, and readers go on after them.
func (r *liveRoom) checkRemoved(ctx context.Context, next, head chat.Seq) error {
	at, err := r.hub.log.At(ctx, r.name, head)
	if err == nil && !at.IsZero() {
		err = fmt.Errorf("event %d of %s is not in the store", next, r.name)
	}
	return err
}

func (rd *Reader) isCatching() bool {
	rd.shard.mu.Lock()
	defer rd.shard.mu.Unlock()
	return rd.state == catchingUp
}

func (rd *Reader) inByteLog() bool {
	rd.room.mu.Lock()
	defer rd.room.mu.Unlock()
	return rd.next >= rd.log.first
}
