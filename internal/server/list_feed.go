package server

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"sync"

	"parley/internal/chat"
	"parley/internal/room"
	"parley/internal/wire"
)

// A listFeed is a connection that is told what happens in all rooms of its
// person's list, whether it is in them or not: a cursor in each, that reads news
// instead of events.
type listFeed struct {
	cl     *client
	person chat.PersonID

	mu    sync.Mutex
	rooms map[chat.RoomName]*room.Reader // nil once it has ended

	pushMu      sync.Mutex // held before the outlet's
	started     bool       // the client has the list
	beforeStart []func(dst []byte) []byte
}

// listFeeds finds those of a person.
type listFeeds struct {
	watching sync.Mutex
	byPerson map[chat.PersonID][]*listFeed
}

// of returns a person's watchers.
func (ws *listFeeds) of(who chat.PersonID) []*listFeed {
	ws.watching.Lock()
	defer ws.watching.Unlock()
	return slices.Clone(ws.byPerson[who])
}

func (ws *listFeeds) add(w *listFeed) {
	ws.watching.Lock()
	defer ws.watching.Unlock()
	if ws.byPerson == nil {
		ws.byPerson = map[chat.PersonID][]*listFeed{}
	}
	ws.byPerson[w.person] = append(ws.byPerson[w.person], w)
}

// remove ends a watcher.
func (ws *listFeeds) remove(w *listFeed) {
	ws.watching.Lock()
	left := slices.DeleteFunc(ws.byPerson[w.person], func(other *listFeed) bool { return other == w })
	if ws.byPerson[w.person] = left; len(left) == 0 {
		delete(ws.byPerson, w.person)
	}
	ws.watching.Unlock()
	w.mu.Lock()
	readers := w.rooms
	w.rooms = nil
	w.mu.Unlock()
	for _, reader := range readers {
		w.cl.leaveReader(reader)
	}
}

// openList answers with the person's list of rooms, and has the connection told
// from then on what happens in them.
func (cl *client) openList(ctx context.Context, cmd wire.Command) error {
	if cl.listFeed != nil {
		return &chat.Error{Code: chat.BadRequest, Message: "This connection watches already."}
	}
	w := &listFeed{cl: cl, person: cl.person.ID, rooms: map[chat.RoomName]*room.Reader{}}
	cl.s.listFeeds.add(w) // first, so that it hears of what is done while the list is read
	entries, err := cl.s.stores.RoomList(ctx, cl.person.ID)
	if err != nil {
		cl.s.remove(w)
		return err
	}
	if entries == nil {
		entries = []chat.ListEntry{}
	}
	cl.listFeed = w
	w.begin(wire.Answer{ID: cmd.ID, Rooms: entries})
	for _, e := range entries {
		if err := w.joinRoom(ctx, e.Room, e.Head); err != nil {
			cl.s.reportable(err)
			cl.Close(wire.CloseInternal, "our fault") // it would wait for news that never come
			return nil
		}
	}
	return nil
}

// begin has the watcher's client be given the list, and then what it was told since
// before that was read.
func (w *listFeed) begin(list wire.Answer) {
	w.pushMu.Lock()
	defer w.pushMu.Unlock()
	w.cl.ok(list)
	for _, frame := range w.beforeStart {
		w.cl.Out().QueueAnswer(frame)
	}
	w.started, w.beforeStart = true, nil
}

// joinRoom has a watcher told what happens in a room after a seq.
func (w *listFeed) joinRoom(ctx context.Context, name chat.RoomName, after chat.Seq) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.rooms == nil || w.rooms[name] != nil || len(w.rooms) >= chat.MaxListed {
		return nil
	}
	who := chat.Who{Person: chat.Person{ID: w.person}, Network: network(w.cl.From())}
	j := room.JoinRequest{Sink: w.cl.Out(), Encoder: wire.ListUpdates{}, After: &after}
	reader, err := w.cl.s.hub.Join(ctx, who, name, j, func(room.JoinResult) {})
	if err != nil {
		return err
	}
	w.rooms[name] = reader
	return nil
}

// leaveRoom has it told nothing more of a room.
func (w *listFeed) leaveRoom(name chat.RoomName) {
	w.mu.Lock()
	reader := w.rooms[name]
	delete(w.rooms, name)
	w.mu.Unlock()
	if reader != nil {
		w.cl.leaveReader(reader)
	}
}

func (w *listFeed) has(name chat.RoomName) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rooms[name] != nil
}

// push has a frame sent to the watcher's connection, and does not wait. A client
// that takes nothing of what it is told is given up, like a reader that stalls.
func (w *listFeed) push(frame func(dst []byte) []byte) {
	defer w.cl.Recover()
	w.pushMu.Lock()
	defer w.pushMu.Unlock()
	switch {
	case !w.started:
		w.beforeStart = append(w.beforeStart, frame)
	case w.cl.Out().QueueUnsolicited(frame):
		w.cl.SendLater()
	default:
		w.cl.CloseFor(chat.Stalled)
	}
}

// addToList has a room be in somebody's list, if they enter it or read something there,
// and their watchers know of it if it is in the list. Nothing depends on it, so a failure is only logged.
func (s *Server) addToList(ctx context.Context, who chat.PersonID, name chat.RoomName, enters bool) {
	ws := s.listFeeds.of(who)
	watched := len(ws)
	ws = slices.DeleteFunc(ws, func(w *listFeed) bool { return w.has(name) })
	if watched > len(ws) && len(ws) == 0 {
		return // so it was
	}
	enrolled := s.stores.AddToList(who, name, enters)
	if len(ws) == 0 {
		return
	}
	select {
	case <-enrolled: // an error is logged by the store
	case <-ctx.Done():
		return
	}
	e, err := s.stores.ListEntry(ctx, who, name)
	if chat.CodeOf(err) == chat.NotFound { // nobody has written there yet, or they have left it since
		return
	}
	for _, w := range ws {
		if err == nil {
			w.push(func(dst []byte) []byte { return wire.AppendListEntry(dst, &e) })
			err = w.joinRoom(ctx, name, e.Head)
		}
	}
	if err != nil {
		s.logger.LogAttrs(ctx, slog.LevelWarn, "a new room of a list is not watched", slog.String("room", string(name)), slog.Any("err", err))
	}
}

// addToListAfterWrite has somebody's watchers know of a room that is in their list since they
// wrote to it: if it was new they could not be told when they entered it.
func (s *Server) addToListAfterWrite(ctx context.Context, who chat.PersonID, name chat.RoomName) {
	if slices.ContainsFunc(s.listFeeds.of(who), func(w *listFeed) bool { return !w.has(name) }) {
		s.addToList(ctx, who, name, false) // the store has listed it, unless this was a retry
	}
}

// How often a person may say what a room is to them, what they keep, or ask for
// either, per second and at once: as often as their list has rooms.
const (
	personalRate = 50
	ownBurst     = chat.MaxListed
)

// limitPersonal refuses what a person who comes from an address wants with what is theirs,
// if that is too often.
func (s *Server) limitPersonal(who chat.PersonID, from netip.Addr) error {
	if wait, _ := s.personalRates.Take(who, network(from)); wait > 0 {
		return &chat.Error{Code: chat.RateLimited, Message: "That was too fast. Try again in a moment.", RetryAfter: wait}
	}
	return nil
}

// rateLimited returns the command that do is, not too often.
func rateLimited(do func(*client, context.Context, wire.Command) error) func(*client, context.Context, wire.Command) error {
	return func(cl *client, ctx context.Context, cmd wire.Command) error {
		if err := cl.s.limitPersonal(cl.person.ID, cl.From()); err != nil {
			return err
		}
		return do(cl, ctx, cmd)
	}
}

// set changes what a room is to the person.
func (cl *client) set(ctx context.Context, cmd wire.Command) error {
	name, err := cl.roomName(ctx, cmd.Room)
	if err != nil {
		return err
	}
	change := chat.ListEntryChange{Muted: cmd.Muted, Favourite: cmd.Favourite, Listed: cmd.Listed, Nonce: cmd.Nonce}
	if cmd.Notify != nil {
		change.Notify = new(chat.Notify(*cmd.Notify))
	}
	if _, err := cl.s.setListEntry(ctx, cl.person.ID, name, change); err != nil {
		return err
	}
	cl.ok(wire.Answer{ID: cmd.ID, Room: name})
	return nil
}

// setListEntry changes what a room is to somebody, tells their watchers, and returns
// what it is then.
func (s *Server) setListEntry(ctx context.Context, who chat.PersonID, name chat.RoomName, change chat.ListEntryChange) (e chat.ListEntry, err error) {
	if err := change.Check(); err != nil {
		return e, err
	}
	if err := s.stores.SetListEntry(ctx, who, name, change); err != nil {
		return e, err
	}
	if change.Listed != nil && !*change.Listed {
		for _, w := range s.listFeeds.of(who) {
			w.leaveRoom(name)
			w.push(func(dst []byte) []byte { return wire.AppendListRemoval(dst, name) })
		}
		return chat.ListEntry{Room: name}, nil
	}
	s.addToList(ctx, who, name, false) // the store has listed it, unless this was a retry
	if e, err = s.stores.ListEntry(ctx, who, name); err != nil {
		return e, err
	}
	for _, w := range s.listFeeds.of(who) {
		w.push(func(dst []byte) []byte { return wire.AppendListEntry(dst, &e) })
	}
	return e, nil
}

// read notes up to where the person has read a room. The answer comes from the
// log's goroutine once that is stored; the next command does not wait for it.
func (cl *client) read(ctx context.Context, cmd wire.Command) error {
	name, err := cl.roomName(ctx, cmd.Room)
	if err != nil {
		return err
	}
	if cmd.Nonce == "" { // else it may be a retry, and the room have been left since
		cl.s.addToList(ctx, cl.person.ID, name, true)
	}
	cl.Out().BeginSend()
	cl.s.markRead(cl.person.ID, chat.MessageRef{Room: name, Seq: cmd.Seq}, cmd.Exact, cmd.Nonce, cl.listFeed, func(e chat.ListEntry, err error) {
		defer cl.Recover()
		if err != nil {
			told := cl.s.reportable(err)
			cl.Out().EndSend(func(dst []byte) []byte { return wire.AppendError(dst, cmd.ID, told) })
		} else {
			a := wire.Answer{ID: cmd.ID, Room: name, Entry: &e}
			cl.Out().EndSend(a.AppendFrame)
		}
		cl.SendLater()
	})
	return nil
}

// markRead notes up to where somebody has read, and tells their watchers but one.
// done is called on the log's goroutine and must not block.
func (s *Server) markRead(who chat.PersonID, at chat.MessageRef, exact bool, nonce string, but *listFeed, done func(chat.ListEntry, error)) {
	s.stores.MarkRead(who, at, exact, nonce, func(e chat.ListEntry, err error) {
		done(e, err)
		if err != nil {
			return
		}
		for _, w := range s.listFeeds.of(who) {
			if w != but {
				w.push(func(dst []byte) []byte { return wire.AppendRead(dst, &e) })
			}
		}
	})
}

// personalCommand returns the command that keeps a message for the person, or not any more.
func personalCommand(as chat.PersonalRefKind, keep bool) func(*client, context.Context, wire.Command) error {
	return func(cl *client, ctx context.Context, cmd wire.Command) error {
		name, err := cl.roomName(ctx, cmd.Room)
		if err != nil {
			return err
		}
		if err := cl.s.stores.SetPersonal(ctx, cl.person.ID, as, chat.MessageRef{Room: name, Seq: cmd.Seq}, keep, cmd.Nonce); err != nil {
			return err
		}
		cl.ok(wire.Answer{ID: cmd.ID, Room: name})
		return nil
	}
}
