package torture

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"parley/client"
)

// A libClient is a person who uses package client. The package repairs what it can, so its user
// must see the same complete sequence as with raw frames.
type libClient struct {
	s    *round
	name string
	runs map[string]*Observed

	person string // owned by listen once that runs

	mu sync.Mutex
	planner
}

func (s *round) newRegular(name string) *libClient {
	g := &libClient{s: s, name: name, runs: map[string]*Observed{}}
	for _, room := range s.rooms {
		g.runs[room] = s.ledger.run(name, room)
	}
	return g
}

// live sends and listens until ctx ends.
func (g *libClient) live(ctx context.Context) error {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	addresses := g.s.addresses()
	var c *client.Client
	for {
		var err error
		c, err = client.Dial(ctx, addresses[0], client.Options{
			Name: g.name, More: addresses[1:], HTTPClient: &http.Client{Transport: transport},
			IdleTimeout: silence, MinBackoff: 20 * time.Millisecond, MaxBackoff: 300 * time.Millisecond,
		})
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return nil
		}
		sleep(ctx, comeBack)
	}
	defer c.Close()
	author := c.Person().ID
	for _, room := range g.s.rooms {
		joined, err := c.JoinAfter(ctx, room, client.Position{})
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("%s: %w", g.name, err)
		}
		g.s.ledger.part(g.runs[room], ObservedPart{Epoch: joined.Epoch})
	}
	g.person = author
	talked := make(chan error, 1)
	go func() { talked <- g.talk(ctx, c, author) }()
	err := g.listen(ctx, c)
	return errors.Join(err, <-talked)
}

func (g *libClient) listen(ctx context.Context, c *client.Client) error {
	for e, err := range c.Events(ctx) {
		if room, seen := eventOf(e); seen.Seq != 0 {
			g.s.ledger.saw(g.runs[room], seen)
			g.s.count(func(r *Report) { r.Deliveries++ })
		}
		switch e := e.(type) {
		case client.Message:
			g.hears(e)
		case client.Reset:
			g.s.ledger.part(g.runs[e.Room], ObservedPart{Epoch: e.Epoch, After: e.Seq})
		case client.Connected:
			if e.Person.ID != g.person {
				g.s.ledger.forgets(g.name)
				g.person = e.Person.ID
			}
		case client.Left:
			return fmt.Errorf("%s had to leave %s: %w", g.name, e.Room, e.Err)
		}
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
	}
	return nil
}

// eventOf returns an event in the form of the checker. Its Seq is 0 if e is not an event of a log.
func eventOf(e client.Event) (room string, seen Event) {
	switch e := e.(type) {
	case client.Message:
		seen = Event{Seq: e.Seq, Kind: Message, Author: e.From.ID, Text: e.Text, Deleted: e.Gone, ReplyTo: e.ReplyTo}
		if e.Quote != nil {
			seen.Quote = abridged(e.Quote.Text)
		}
		return e.Room, seen
	case client.Edit:
		return e.Room, Event{Seq: e.Seq, Kind: Edit, Author: e.From.ID, Target: e.Target, Text: e.Text, Deleted: e.Gone}
	case client.Delete:
		return e.Room, Event{Seq: e.Seq, Kind: Delete, Author: e.From.ID, Target: e.Target}
	case client.Reaction:
		kind := React
		if e.Removed {
			kind = Unreact
		}
		return e.Room, Event{Seq: e.Seq, Kind: kind, Author: e.From.ID, Target: e.Target, Text: e.Emoji}
	}
	return "", Event{}
}

func (g *libClient) hears(m client.Message) {
	if m.Gone {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.others.add(messageRef{m.Room, m.Seq})
}

// talk carries out one operation after the other, each when the one before is stored.
func (g *libClient) talk(ctx context.Context, c *client.Client, author string) error {
	for n := 1; ctx.Err() == nil; n++ {
		sleep(ctx, g.s.pace)
		if g.s.hushed.Load() || ctx.Err() != nil {
			return nil
		}
		g.mu.Lock()
		d := g.next(g.name, g.s.rooms, n, nil)
		g.mu.Unlock()
		if n%readEvery == 0 {
			g.tellRead(ctx, c, author, d.room)
		}
		g.s.talking.Add(1)
		called := g.s.ledger.calls(d.attempt(author, 0, 0))
		receipt, err := do(ctx, c, d)
		g.s.talking.Add(-1)
		switch e, ok := errors.AsType[*client.Error](err); {
		case err == nil:
			g.s.ledger.answered(called, receipt.Seq, "")
			g.s.count(func(r *Report) { r.Acks++ })
			g.mu.Lock()
			g.done(d, receipt.Seq)
			g.mu.Unlock()
		case ok:
			g.s.ledger.answered(called, 0, string(e.Code))
		}
	}
	return nil
}

// tellRead sets the read mark to the newest event seen in a room.
func (g *libClient) tellRead(ctx context.Context, c *client.Client, author, room string) {
	seq, _ := g.s.ledger.last(g.runs[room])
	if seq == 0 {
		return
	}
	read := g.s.ledger.asks(ReadMark{Person: author, Room: room, Asked: seq})
	if unread, err := c.Read(ctx, room, seq); err == nil {
		g.s.ledger.tells(read, unread.Read, unread.Messages)
	}
}

// do carries out an operation with package client, which makes the nonces itself except for
// messages.
func do(ctx context.Context, c *client.Client, d *operation) (client.Receipt, error) {
	switch d.kind {
	case Edit:
		return c.Edit(ctx, d.room, d.target, d.text)
	case Delete:
		return c.Delete(ctx, d.room, d.target)
	case React:
		return c.React(ctx, d.room, d.target, d.text)
	case Unreact:
		return c.Unreact(ctx, d.room, d.target, d.text)
	}
	return c.SendWith(ctx, d.room, d.text, client.SendOptions{Nonce: d.nonce, ReplyTo: d.replyTo})
}
