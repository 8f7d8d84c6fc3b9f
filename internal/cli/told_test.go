package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/internal/account"
	"parley/internal/chat"
	"parley/internal/format"
	"parley/internal/link"
	"parley/internal/room"
	"parley/internal/search"
	"parley/internal/server"
	"parley/web"
)

// toldNode is a program: a node that tells others what it stores in rooms by the bus, as nodes do, or by NOTIFY. Its
// arguments are "bus" or "notify", and flags of serve. It runs until its standard input ends. Then it prints at which
// time it had committed each of its messages, in nanoseconds.
func toldNode() {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // until the end, or an error, which is an end too
		cancel()
	}()
	var times commitTimes
	if err := serveTold(ctx, os.Args[1] == "notify", &times); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(times.all); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// commitTimes is a room.Follower that notes when messages were committed.
type commitTimes struct {
	mu  sync.Mutex
	all []int64
}

func (t *commitTimes) note(c chat.Commit) {
	if c.Event.Kind == chat.Message {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.all = append(t.all, time.Now().UnixNano())
	}
}

// serveTold is serveCmd.Run for a node, without what it does not need for messages, until ctx ends.
func serveTold(ctx context.Context, byNotify bool, times *commitTimes) (err error) {
	command, err := newParser(os.Stderr, os.Stderr, os.Exit).Parse(append([]string{"serve"}, os.Args[2:]...))
	if err != nil {
		return err
	}
	c := command.Selected().Target.Addr().Interface().(*serveCmd)
	logger, metrics := c.logger(os.Stderr), server.NewMetrics()
	log, err := c.openDatabase(ctx, metrics, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	node, err := c.openNode(ctx, log, metrics, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, node.close()) }()

	index := search.New(log, search.Config{Dir: c.Data, Epoch: log.Epoch(), Logger: logger})
	c.Rooms.NewBatch = link.NewBatch
	c.Rooms.Format = func(text string, left *room.Budget) string { return format.HTML(text, (*format.Budget)(left)) }
	c.Rooms.Followers = append([]room.Follower{times.note}, append(node.followers(), index.EventStored)...)
	c.Rooms.Flushed, c.Rooms.Ledger, c.Rooms.Logger = metrics.Flushed, node.ledger(), logger
	hub := room.New(log, log, log.Epoch(), c.Rooms)
	node.connectRooms(hub, index)
	parts := []func(context.Context) error{node.run, log.Run, hub.Run, index.Run, newHeap().Run}
	if byNotify {
		told, err := newNotified(ctx, c.Database, hub)
		if err != nil {
			return err
		}
		defer told.close()
		hub.SetOthers(told, node.store.HeadsOf)
		parts = append(parts, told.tell, told.hear)
	}
	c.HTTP.Metrics, c.HTTP.Logger, c.HTTP.Ledger = metrics, logger, node.ledger()
	people := account.Stores{People: log, Lists: log, Personal: log, States: log}
	doors, err := server.New(c.HTTP, hub, people, log.Healthy, web.New())
	if err != nil {
		return err
	}
	node.connectPeople(doors)
	ln, err := listen(ctx, c.listenAddress(), "--listen")
	if err != nil {
		return err
	}
	ctx, failed := context.WithCancel(ctx)
	defer failed()
	for _, part := range parts {
		stop := start(ctx, part, failed)
		defer func() { err = errors.Join(err, stop()) }()
	}
	logStarted(ctx, logger, ln, nil, c.addresses(ln))
	return doors.Serve(ctx, ln, nil)
}

// A notified is the room.Others of a node that tells other nodes by NOTIFY in which rooms it has stored something. It
// does that after the commit: transactions with a NOTIFY in them wait for each other. Nodes that hear of it read the
// store. It tells of nothing else.
type notified struct {
	hub            *room.Hub
	writer, reader *pgx.Conn
	rooms          chan chat.RoomName
}

func newNotified(ctx context.Context, database string, hub *room.Hub) (*notified, error) {
	n := &notified{hub: hub, rooms: make(chan chat.RoomName, 1000)}
	var err error
	if n.writer, err = pgx.Connect(ctx, database); err != nil {
		return nil, err
	}
	if n.reader, err = pgx.Connect(ctx, database); err == nil {
		_, err = n.reader.Exec(ctx, "LISTEN stored")
	}
	if err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

func (n *notified) close() (err error) {
	for _, c := range []*pgx.Conn{n.writer, n.reader} {
		if c != nil {
			err = errors.Join(err, c.Close(context.Background()))
		}
	}
	return err
}

// Stored implements room.Others.
func (n *notified) Stored(commits []chat.Commit) {
	for _, c := range commits {
		n.rooms <- c.Event.Room
	}
}

// tell sends the notifications until ctx ends.
func (n *notified) tell(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case name := <-n.rooms:
			_, err := n.writer.Exec(ctx, "SELECT pg_notify('stored', $1)", string(name))
			if err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// hear makes the hub read a room of which another node has told, until ctx ends.
func (n *notified) hear(ctx context.Context) error {
	for {
		told, err := n.reader.WaitForNotification(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case told.PID != n.writer.PgConn().PID():
			n.hub.Hint(chat.RoomName(told.Payload), 0)
		}
	}
}

func (n *notified) Listen(chat.RoomName)                {}
func (n *notified) Ignore(chat.RoomName)                {}
func (n *notified) Hint(chat.RoomName, chat.Seq)        {}
func (n *notified) Members(chat.RoomName, room.Members) {}
func (n *notified) Typing(chat.RoomName, chat.Person)   {}

func (n *notified) AskMembers(context.Context, chat.RoomName) map[string]room.Members { return nil }
