package client

import (
	"context"
	"fmt"
	"time"
)

// A Position is where a reader is in a room's log: after the event Seq, in the
// log that Epoch identifies. The zero Position is before the first event.
type Position struct {
	Seq   int64
	Epoch string // "": the server's current one

	// At is when that event was stored: its own At. With it the server can tell that
	// it was restored to an older state and now has another event with this seq.
	// Zero: the server does not check.
	At time.Time
}

// stamp returns At in the protocol's format, or "" if it is zero.
func (p Position) stamp() string {
	if p.At.IsZero() {
		return ""
	}
	return p.At.UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

// A Room is the state of a room when it was joined.
type Room struct {
	Name  string // the server's form of the name, as in events
	Seq   int64  // of its newest event; 0 if it has none
	Epoch string
	At    time.Time // when that event was stored; zero if there is none
	Count int       // people in the room
	Here  []Person  // who they are; empty if there are more than 100
}

// A room is a joined room: a cursor in its log. c.mu guards it.
type room struct {
	name   string
	epoch  string
	last   int64         // seq of the last event that was put in the queue
	at     time.Time     // when that was stored; zero if it is not known
	head   int64         // the newest seq that is known to exist
	paging bool          // catchUp runs; live events are ignored, and catchUp fetches them
	resets int           // how often the cursor was set to a new position
	left   chan struct{} // closed by Leave
}

// Join subscribes to a room's events, from now on until Leave. After a reconnect
// it first delivers those that were missed.
func (c *Client) Join(ctx context.Context, name string) (Room, error) { return c.join(ctx, name, nil) }

// JoinAfter is Join, but first delivers all events after a position, however many
// there are. If the position belongs to another log, a Reset comes instead.
func (c *Client) JoinAfter(ctx context.Context, name string, p Position) (Room, error) {
	return c.join(ctx, name, &p)
}

func (c *Client) join(ctx context.Context, name string, after *Position) (Room, error) {
	c.mu.Lock()
	_, known := c.aliases[name]
	c.mu.Unlock()
	if known {
		return Room{}, &Error{Code: AlreadyJoined, Message: "This client is in the room."}
	}
	cmd := command{Op: "join", Room: name}
	if after != nil {
		cmd.After, cmd.Epoch, cmd.At = &after.Seq, after.Epoch, after.stamp()
	}
	var found Room
	_, err := c.do(ctx, cmd, func(f frame) {
		c.mu.Lock()
		defer c.mu.Unlock()
		r := &room{name: f.Room, epoch: c.epoch, left: make(chan struct{}), last: f.Seq, at: f.At, head: f.Seq}
		if after != nil {
			r.last, r.at, r.head = after.Seq, after.At, after.Seq
			r.epoch = after.Epoch
		}
		if r.epoch == "" {
			r.epoch = c.epoch
		}
		c.rooms[r.name] = r
		c.aliases[name] = r.name
		c.aliases[r.name] = r.name
		found = Room{Name: r.name, Seq: f.Seq, At: f.At, Epoch: c.epoch, Count: f.Count, Here: f.Here}
		if f.Op == "behind" {
			c.handleBehind(r, f)
		}
	})
	if err != nil {
		return Room{}, fmt.Errorf("join %s: %w", name, err)
	}
	return found, nil
}

// handleBehind handles the answer that r's position is too far back, or in another
// log. The caller holds c.mu.
func (c *Client) handleBehind(r *room, f frame) {
	if f.Reset || f.Epoch != r.epoch || f.Seq < r.last {
		r.epoch, r.last, r.at, r.head = f.Epoch, f.Seq, f.At, f.Seq
		r.resets++
		c.queue.force(Reset{Room: r.name, Seq: f.Seq, At: f.At, Epoch: f.Epoch})
		return
	}
	r.head = max(r.head, f.Seq)
	c.page(r)
}

// rejoin joins every room again on a new connection. It does not wait for the
// answers, as its caller is about to read them.
func (c *Client) rejoin(cn *conn) {
	c.mu.Lock()
	rooms := make([]*room, 0, len(c.rooms))
	for _, r := range c.rooms {
		rooms = append(rooms, r)
	}
	c.mu.Unlock()
	for _, r := range rooms {
		c.wg.Go(func() { c.rejoinRoom(cn, r) })
	}
}

func (c *Client) rejoinRoom(cn *conn, r *room) {
	for attempt := 0; ; attempt++ {
		c.mu.Lock()
		after, joined := Position{Seq: r.last, Epoch: r.epoch, At: r.at}, c.rooms[r.name] == r
		c.mu.Unlock()
		if !joined {
			return
		}
		cmd := command{Op: "join", Room: r.name, After: &after.Seq, Epoch: after.Epoch, At: after.stamp()}
		_, err := cn.call(c.ctx, cmd, func(f frame) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.queue.offer(Presence{Room: r.name, Count: f.Count, Here: f.Here})
			if f.Op == "behind" {
				c.handleBehind(r, f)
			}
		})
		switch {
		case err == nil:
			if isClosed(r.left) { // Leave was called before the answer came
				_, _ = cn.call(c.ctx, command{Op: "leave", Room: r.name}, nil)
			}
			return
		case codeOf(err) == "": // the connection was lost
			return
		case !isTemporary(err):
			c.forget(r)
			c.queue.force(Left{Room: r.name, Err: err})
			return
		}
		select {
		case <-cn.done:
			return
		default:
		}
		if sleep(c.ctx, max(retryAfter(err), c.backoff(attempt))) != nil {
			return
		}
	}
}

// Leave unsubscribes from a room's events. Those that are in the queue are still
// delivered.
func (c *Client) Leave(ctx context.Context, name string) error {
	c.mu.Lock()
	r := c.rooms[c.aliases[name]]
	c.mu.Unlock()
	if r == nil {
		return &Error{Code: NotJoined, Message: "This client is not in the room."}
	}
	c.forget(r)
	if _, err := c.do(ctx, command{Op: "leave", Room: r.name}, nil); err != nil && codeOf(err) != NotJoined {
		return fmt.Errorf("leave %s: %w", name, err)
	}
	return nil
}

func (c *Client) forget(r *room) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rooms[r.name] != r {
		return
	}
	delete(c.rooms, r.name)
	for alias, name := range c.aliases {
		if name == r.name {
			delete(c.aliases, alias)
		}
	}
	close(r.left)
}

// receive handles the frames that answer no command.
func (c *Client) receive(f frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.rooms[f.Room]
	if r == nil {
		return
	}
	switch f.Op {
	case "event":
		c.deliver(r, f)
	case "presence":
		c.queue.offer(Presence{Room: r.name, Count: f.Count, Joined: f.Joined, Left: f.Left, Here: f.Here})
	case "typing":
		c.queue.offer(Typing{Room: r.name, From: f.From})
	}
}

// deliver moves r's cursor past an event. If it is not the next one, or the queue
// is full, deliver starts to fetch the missing ones. The caller holds c.mu.
func (c *Client) deliver(r *room, f frame) {
	if f.Seq <= r.last {
		return
	}
	r.head = max(r.head, f.Seq)
	if r.paging {
		return
	}
	if f.Seq != r.last+1 || !c.take(r, f) {
		c.page(r)
	}
}

// take puts an event in the queue and moves r's cursor past it, also if its kind
// is unknown. It returns false if the queue is full. The caller holds c.mu.
func (c *Client) take(r *room, f frame) bool {
	if e := f.event(); e != nil && !c.queue.offer(e) {
		return false
	}
	r.last, r.at = f.Seq, f.At
	return true
}
