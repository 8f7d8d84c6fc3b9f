package client

import (
	"context"
	"log/slog"
)

const pageSize = 200 // the most that the server gives at once

// page starts fetching what lies between r's cursor and its head. The caller
// holds c.mu.
func (c *Client) page(r *room) {
	if r.paging || c.end != nil {
		return
	}
	r.paging = true
	c.wg.Go(func() { c.catchUp(r) })
}

// catchUp moves r's cursor page by page until it has met the head, and then
// hands it back to deliver.
func (c *Client) catchUp(r *room) {
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	for attempt := 0; ; {
		after, epoch, resets, more := c.gap(r)
		if !more {
			return
		}
		conn := c.current()
		p, err := c.History(ctx, r.name, Page{After: &after, Limit: pageSize})
		if err == nil && p.Epoch == epoch && c.takePage(ctx, r, p, resets) {
			attempt = 0
			continue
		}
		// An error, or another log than the one that was joined: the connection
		// is about to find out as well.
		c.logger.LogAttrs(ctx, slog.LevelDebug, "catching up waits", slog.String("room", r.name), slog.Int64("seq", after), slog.Any("err", err))
		if c.pause(ctx, conn, max(c.backoff(attempt), retryAfter(err))) != nil {
			return
		}
		attempt++
	}
}

// gap returns where to read on, and false when there is no need to.
func (c *Client) gap(r *room) (after int64, epoch string, resets int, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end != nil || c.rooms[r.name] != r || r.last >= r.head {
		r.paging = false
		return 0, "", 0, false
	}
	return r.last, r.epoch, r.resets, true
}

// takePage gives the queue a page of messages, as fast as the consumer takes
// them. It reports whether it got anywhere.
func (c *Client) takePage(ctx context.Context, r *room, p History, resets int) bool {
	for _, m := range p.Messages {
		for !c.takeMessage(r, m, resets) {
			c.queue.waitSpace(ctx, r.gone)
			if ctx.Err() != nil || isClosed(r.gone) {
				return false
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.resets != resets {
		return true
	}
	r.last = max(r.last, p.through)
	return p.through > 0
}

// takeMessage reports false when there is no room.
func (c *Client) takeMessage(r *room, m Message, resets int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.resets != resets || m.Seq <= r.last {
		return true
	}
	if !c.queue.offer(m) {
		return false
	}
	r.last = m.Seq
	return true
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
