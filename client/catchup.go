package client

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
)

const pageSize = 200 // events; the most that the server returns at once

// page starts to fetch the events between r's cursor and its head. The caller
// holds c.mu.
func (c *Client) page(r *room) {
	if r.paging || c.end != nil {
		return
	}
	r.paging = true
	c.wg.Go(func() { c.catchUp(r) })
}

// catchUp moves r's cursor page by page until it reaches the head. From then on
// deliver moves it.
func (c *Client) catchUp(r *room) {
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	for attempt := 0; ; {
		after, resets, more := c.gap(r)
		if !more {
			return
		}
		conn := c.current()
		p, err := c.logPage(ctx, r.name, after)
		if err == nil && p.Epoch == after.Epoch && c.takePage(ctx, r, p, resets) {
			attempt = 0
			continue
		}
		// An error, or another log than the one that was joined: then the next join
		// is answered with a reset.
		c.logger.LogAttrs(ctx, slog.LevelDebug, "catching up waits",
			slog.String("room", r.name), slog.Int64("seq", after.Seq), slog.Any("err", err))
		if c.pause(ctx, conn, max(c.backoff(attempt), retryAfter(err))) != nil {
			return
		}
		attempt++
	}
}

// gap returns the position after which events are missing. If none are, it returns
// false and ends the catch-up.
func (c *Client) gap(r *room) (after Position, resets int, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end != nil || c.rooms[r.name] != r || r.last >= r.head {
		r.paging = false
		return Position{}, 0, false
	}
	return Position{Seq: r.last, Epoch: r.epoch, At: r.at}, r.resets, true
}

// A logPage is a page of a room's log.
type logPage struct {
	Room   string  `json:"room"`
	Epoch  string  `json:"epoch"`
	Events []frame `json:"events"`
}

// logPage fetches the events after a position.
func (c *Client) logPage(ctx context.Context, room string, after Position) (p logPage, err error) {
	q := url.Values{"after": {strconv.FormatInt(after.Seq, 10)}, "limit": {strconv.Itoa(pageSize)}}
	if at := after.stamp(); at != "" {
		q.Set("at", at)
	}
	if err := c.getRoom(ctx, room, "/log", q, &p); err != nil {
		return p, fmt.Errorf("log of %s after %d: %w", room, after.Seq, err)
	}
	return p, nil
}

// takePage puts a page of the log in the queue and waits for the consumer where
// that is full. It returns false if the page is empty, or ctx or the room ended.
func (c *Client) takePage(ctx context.Context, r *room, p logPage, resets int) bool {
	for _, f := range p.Events {
		for !c.takeEvent(r, f, resets) {
			c.queue.waitSpace(ctx, r.left)
			if ctx.Err() != nil || isClosed(r.left) {
				return false
			}
		}
	}
	return len(p.Events) > 0
}

// takeEvent returns false if the queue is full. It skips the event if the room was
// reset after the page was requested.
func (c *Client) takeEvent(r *room, f frame, resets int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return r.resets != resets || f.Seq <= r.last || c.take(r, f)
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
