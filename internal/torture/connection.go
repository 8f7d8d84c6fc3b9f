package torture

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// A frame is a frame from the server; Op says which fields it has.
type frame struct {
	Op           string `json:"op"`
	ID           int    `json:"id"`
	Code         string `json:"code"`
	RetryAfterMS int    `json:"retry_after_ms"`
	Person       person `json:"person"`
	Session      string `json:"session"`
	Epoch        string `json:"epoch"`
	Room         string `json:"room"`
	Seq          int64  `json:"seq"`
	At           string `json:"at"`
	Reset        bool   `json:"reset"`
	Kind         Kind   `json:"kind"`
	From         person `json:"from"`
	Target       int64  `json:"target"`
	Text         string `json:"text"`
	Emoji        string `json:"emoji"`
	Gone         bool   `json:"gone"`
	ReplyTo      int64  `json:"reply_to"`
	Quote        struct {
		Text string `json:"text"`
	} `json:"quote"`
	Read   int64 `json:"read"`
	Unread int   `json:"unread"`
}

type person struct {
	ID string `json:"id"`
}

func (f frame) event() Event {
	text := f.Text
	if f.Kind == React || f.Kind == Unreact {
		text = f.Emoji
	}
	return Event{
		Seq: f.Seq, Kind: f.Kind, Author: f.From.ID, Target: f.Target, Text: text, Deleted: f.Gone, ReplyTo: f.ReplyTo,
		Quote: abridged(f.Quote.Text),
	}
}

// A connection is one connection of a rawClient.
type connection struct {
	m    *rawClient
	conn int
	node int // the node's number, from 1; 0 where there is only one
	ws   *websocket.Conn

	epoch string

	mu    sync.Mutex
	id    int
	calls map[int]func(context.Context, frame) error // handlers of answers, by id
}

// visit connects, joins, sends and listens until the connection ends.
func (m *rawClient) visit(ctx context.Context) error {
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	v := &connection{m: m, conn: m.s.ledger.connects(), calls: map[int]func(context.Context, frame) error{}}
	m.visits++
	door := m.visits % len(m.doors)
	if len(m.doors) > 1 {
		v.node = door + 1
	}
	if err := v.connect(ctx, m.doors[door]); err != nil {
		return err
	}
	defer v.ws.CloseNow()
	for _, room := range m.rooms {
		if err := v.join(ctx, room); err != nil {
			return err
		}
	}
	var writer sync.WaitGroup
	defer writer.Wait()
	defer leave()
	writer.Go(func() {
		defer v.ws.CloseNow()
		v.talk(ctx)
	})
	return v.listen(ctx)
}

var errForgotten = errors.New("the server does not know the session")

func (v *connection) connect(ctx context.Context, door *proxy) error {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	var err error
	v.ws, _, err = websocket.Dial(ctx, door.url()+"/ws", &websocket.DialOptions{
		HTTPClient: v.m.s.http, Subprotocols: []string{"parley.v1"},
	})
	if err != nil {
		return err
	}
	v.ws.SetReadLimit(4 << 20)
	hello := map[string]any{"op": "hello", "id": 0}
	if v.m.isKnown() {
		_, hello["session"] = v.m.identity(ctx)
	} else {
		hello["name"] = v.m.name
	}
	if err := v.write(ctx, hello); err != nil {
		return err
	}
	f, err := v.read(ctx)
	if err != nil {
		return err
	}
	if f.Code == "bad_session" {
		return errForgotten
	}
	if f.Op != "ok" {
		return fmt.Errorf("hello of %s: %s", v.m.name, f.Code)
	}
	v.epoch = f.Epoch
	v.m.is(f.Person.ID, f.Session)
	return nil
}

func (m *rawClient) isKnown() bool {
	select {
	case <-m.known:
		return true
	default:
		return false
	}
}

// ask sends a command; answered is called with its answer.
func (v *connection) ask(ctx context.Context, command map[string]any,
	answered func(context.Context, frame) error,
) error {
	v.mu.Lock()
	v.id++
	command["id"] = v.id
	v.calls[v.id] = answered
	v.mu.Unlock()
	return v.write(ctx, command)
}

func (v *connection) write(ctx context.Context, command map[string]any) error {
	b, err := json.Marshal(command)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	return v.ws.Write(ctx, websocket.MessageText, b)
}

func (v *connection) read(ctx context.Context) (f frame, err error) {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	return v.next(ctx)
}

// next is read without its limit of time.
func (v *connection) next(ctx context.Context) (f frame, err error) {
	_, b, err := v.ws.Read(ctx)
	if err == nil {
		err = json.Unmarshal(b, &f)
	}
	return f, err
}

func (v *connection) join(ctx context.Context, room string) error {
	run := v.m.runs[room]
	after, epoch := v.m.s.ledger.last(run)
	command := map[string]any{"op": "join", "room": room, "after": after}
	if epoch != "" {
		command["epoch"] = epoch
	}
	called := v.m.s.ledger.now()
	return v.ask(ctx, command, func(ctx context.Context, f frame) error {
		if f.Op != "error" {
			v.m.s.ledger.looked(HeadRead{Reader: v.m.name, Room: room, Node: v.node, Called: called, Head: f.Seq})
		}
		switch f.Op {
		case "ok":
			v.m.s.ledger.part(run,
				ObservedPart{Conn: v.conn, Node: v.node, Called: called, Epoch: v.epoch, After: after})
		case "behind":
			v.m.s.count(func(r *Report) { r.Behind++ })
			page := ObservedPart{Called: called, Epoch: f.Epoch, After: after}
			h, err := v.m.s.history(ctx, room, after, f.Seq)
			if err != nil {
				return err
			}
			page.Events = h.Events
			v.m.s.ledger.part(run, page)
			v.m.s.ledger.part(run,
				ObservedPart{Conn: v.conn, Node: v.node, Called: called, Epoch: f.Epoch, After: f.Seq})
		default:
			return fmt.Errorf("join %s: %s", room, f.Code)
		}
		return nil
	})
}

// listen handles frames until the connection ends.
func (v *connection) listen(ctx context.Context) error {
	for {
		v.m.awake(ctx)
		f, err := v.read(ctx)
		if err != nil {
			return err
		}
		switch f.Op {
		case "event":
			if run := v.m.runs[f.Room]; run != nil {
				v.m.s.watch.seen(v.m, f.Text)
				v.m.s.ledger.saw(run, f.event())
				v.m.noteMessage(f)
				v.m.s.count(func(r *Report) { r.Deliveries++ })
			}
		case "ok", "behind", "error":
			v.mu.Lock()
			answered := v.calls[f.ID]
			delete(v.calls, f.ID)
			v.mu.Unlock()
			if answered == nil {
				return fmt.Errorf("an answer to %d, which was not asked", f.ID)
			}
			if err := answered(ctx, f); err != nil {
				return err
			}
		}
	}
}

// talk sends operations at the round's pace.
func (v *connection) talk(ctx context.Context) {
	tick := time.NewTicker(v.m.s.pace)
	defer tick.Stop()
	pinged := time.Now()
	for n := 0; ; n++ {
		for _, d := range v.m.due(true) {
			a := v.m.call(d, v.conn, v.node)
			if d.kind == Message {
				v.m.s.watch.sent(v.m, d.text)
			}
			if v.ask(ctx, d.command(),
				func(_ context.Context, f frame) error { v.m.answer(d, a, f); return nil }) != nil {
				return
			}
		}
		if v.m.wanders && !v.m.s.hushed.Load() {
			v.m.awaitAnswers(ctx)
			return
		}
		if n%readEvery == readEvery-1 && !v.m.s.isHerd(v.m.name) &&
			v.tellRead(ctx, v.m.rooms[n/readEvery%len(v.m.rooms)]) != nil {
			return
		}
		if time.Since(pinged) > pingEvery {
			pinged = time.Now()
			if v.ask(ctx, map[string]any{"op": "ping"}, func(context.Context, frame) error { return nil }) != nil {
				return
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// tellRead sets the read mark to the newest event seen in a room.
func (v *connection) tellRead(ctx context.Context, room string) error {
	seq, _ := v.m.s.ledger.last(v.m.runs[room])
	if seq == 0 || v.m.s.hushed.Load() {
		return nil
	}
	person, _ := v.m.identity(ctx)
	read := v.m.s.ledger.asks(ReadMark{Person: person, Room: room, Asked: seq})
	return v.ask(ctx, map[string]any{"op": "read", "room": room, "seq": seq}, func(_ context.Context, f frame) error {
		if f.Op == "ok" {
			v.m.s.ledger.tells(read, f.Read, f.Unread)
		}
		return nil
	})
}
