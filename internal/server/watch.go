package server

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"parley/internal/chat"
	"parley/internal/room"
	"parley/internal/wire"
)

// A watcher is a connection that is told what happens in all rooms of its
// person's list, whether it is in them or not: a cursor in each, that reads news
// instead of events.
type watcher struct {
	cl     *client
	person chat.PersonID

	mu    sync.Mutex
	rooms map[chat.RoomName]*room.Reader // nil once it has ended

	telling sync.Mutex // held before the outlet's
	begun   bool       // the client has the list
	early   []func(dst []byte) []byte
}

// watchers finds those of a person.
type watchers struct {
	watching sync.Mutex
	byPerson map[chat.PersonID][]*watcher
}

// of returns a person's watchers.
func (ws *watchers) of(who chat.PersonID) []*watcher {
	ws.watching.Lock()
	defer ws.watching.Unlock()
	return slices.Clone(ws.byPerson[who])
}

func (ws *watchers) add(w *watcher) {
	ws.watching.Lock()
	defer ws.watching.Unlock()
	if ws.byPerson == nil {
		ws.byPerson = map[chat.PersonID][]*watcher{}
	}
	ws.byPerson[w.person] = append(ws.byPerson[w.person], w)
}

// unwatch ends a watcher.
func (ws *watchers) unwatch(w *watcher) {
	ws.watching.Lock()
	left := slices.DeleteFunc(ws.byPerson[w.person], func(other *watcher) bool { return other == w })
	if ws.byPerson[w.person] = left; len(left) == 0 {
		delete(ws.byPerson, w.person)
	}
	ws.watching.Unlock()
	w.mu.Lock()
	readers := w.rooms
	w.rooms = nil
	w.mu.Unlock()
	for _, reader := range readers {
		w.cl.depart(reader)
	}
}

// watchRooms answers with the person's list of rooms, and has the connection told
// from then on what happens in them.
func (cl *client) watchRooms(ctx context.Context, cmd wire.Command) error {
	if cl.watch != nil {
		return &chat.Error{Code: chat.BadRequest, Message: "This connection watches already."}
	}
	w := &watcher{cl: cl, person: cl.person.ID, rooms: map[chat.RoomName]*room.Reader{}}
	cl.s.watchers.add(w) // first, so that it hears of what is done while the list is read
	entries, err := cl.s.kept.Rooms(ctx, cl.person.ID)
	if err != nil {
		cl.s.unwatch(w)
		return err
	}
	if entries == nil {
		entries = []chat.Entry{}
	}
	cl.watch = w
	w.begin(wire.Answer{ID: cmd.ID, Rooms: entries})
	for _, e := range entries {
		if err := w.follow(ctx, e.Room, e.Head); err != nil {
			cl.s.tell(err)
			cl.dismiss(wire.CloseInternal, "our fault") // it would wait for news that never come
			return nil
		}
	}
	return nil
}

// begin has the watcher's client be given the list, and then what it was told since
// before that was read.
func (w *watcher) begin(list wire.Answer) {
	w.telling.Lock()
	defer w.telling.Unlock()
	w.cl.ok(list)
	for _, frame := range w.early {
		w.cl.out.answer(frame)
	}
	w.begun, w.early = true, nil
}

// follow has a watcher told what happens in a room after a seq.
func (w *watcher) follow(ctx context.Context, name chat.RoomName, after chat.Seq) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.rooms == nil || w.rooms[name] != nil || len(w.rooms) >= chat.MaxListed {
		return nil
	}
	reader, err := w.cl.s.hub.Join(ctx, name, room.Joining{Sink: &w.cl.out, Encoder: wire.News{}, After: &after}, func(room.Joined) {})
	if err != nil {
		return err
	}
	w.rooms[name] = reader
	return nil
}

// unfollow has it told nothing more of a room.
func (w *watcher) unfollow(name chat.RoomName) {
	w.mu.Lock()
	reader := w.rooms[name]
	delete(w.rooms, name)
	w.mu.Unlock()
	if reader != nil {
		w.cl.depart(reader)
	}
}

func (w *watcher) follows(name chat.RoomName) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rooms[name] != nil
}

// tell has a frame sent to the watcher's connection, and does not wait. A client
// that takes nothing of what it is told is given up, like a reader that stalls.
func (w *watcher) tell(frame func(dst []byte) []byte) {
	defer w.cl.s.contain(w.cl.cut)
	w.telling.Lock()
	defer w.telling.Unlock()
	switch {
	case !w.begun:
		w.early = append(w.early, frame)
	case w.cl.out.tell(frame):
		w.cl.s.acks.push(w.cl.conn)
	default:
		w.cl.cutOff(chat.Stalled)
	}
}

// listed has a room be in somebody's list, if they enter it or read something there,
// and their watchers know of it if it is in the list. Nothing depends on it, so a failure is only logged.
func (s *Server) listed(ctx context.Context, who chat.PersonID, name chat.RoomName, enters bool) {
	ws := s.watchers.of(who)
	watched := len(ws)
	ws = slices.DeleteFunc(ws, func(w *watcher) bool { return w.follows(name) })
	if watched > len(ws) && len(ws) == 0 {
		return // so it was
	}
	enrolled := s.kept.Enrol(who, name, enters)
	if len(ws) == 0 {
		return
	}
	select {
	case <-enrolled: // an error is logged by the store
	case <-ctx.Done():
		return
	}
	e, err := s.kept.Entry(ctx, who, name)
	if chat.CodeOf(err) == chat.NotFound { // nobody has written there yet, or they have left it since
		return
	}
	for _, w := range ws {
		if err == nil {
			w.tell(func(dst []byte) []byte { return wire.AppendEntry(dst, &e) })
			err = w.follow(ctx, name, e.Head)
		}
	}
	if err != nil {
		s.logger.LogAttrs(ctx, slog.LevelWarn, "a new room of a list is not watched", slog.String("room", string(name)), slog.Any("err", err))
	}
}

// wrote has somebody's watchers know of a room that is in their list since they
// wrote to it: if it was new they could not be told when they entered it.
func (s *Server) wrote(ctx context.Context, who chat.PersonID, name chat.RoomName) {
	if slices.ContainsFunc(s.watchers.of(who), func(w *watcher) bool { return !w.follows(name) }) {
		s.listed(ctx, who, name, false) // the store has listed it, unless this was a retry
	}
}

// How often a person may say what a room is to them, what they keep, or ask for
// either, per second and at once: as often as their list has rooms.
const (
	ownRate  = 50
	ownBurst = chat.MaxListed
)

// mayAsk refuses what a person wants with what is theirs, if that is too often.
func (s *Server) mayAsk(who chat.PersonID) error {
	if wait := s.own.Take(who); wait > 0 {
		return &chat.Error{Code: chat.RateLimited, Message: "That was too fast. Try again in a moment.", RetryAfter: wait}
	}
	return nil
}

// owning returns the command that do is, not too often.
func owning(do func(*client, context.Context, wire.Command) error) func(*client, context.Context, wire.Command) error {
	return func(cl *client, ctx context.Context, cmd wire.Command) error {
		if err := cl.s.mayAsk(cl.person.ID); err != nil {
			return err
		}
		return do(cl, ctx, cmd)
	}
}

// set changes what a room is to the person.
func (cl *client) set(ctx context.Context, cmd wire.Command) error {
	name, err := cl.roomName(cmd.Room)
	if err != nil {
		return err
	}
	change := chat.EntryChange{Muted: cmd.Muted, Favourite: cmd.Favourite, Listed: cmd.Listed, Nonce: cmd.Nonce}
	if cmd.Notify != nil {
		change.Notify = new(chat.Notify(*cmd.Notify))
	}
	if _, err := cl.s.setEntry(ctx, cl.person.ID, name, change); err != nil {
		return err
	}
	cl.ok(wire.Answer{ID: cmd.ID, Room: name})
	return nil
}

// setEntry changes what a room is to somebody, tells their watchers, and returns
// what it is then.
func (s *Server) setEntry(ctx context.Context, who chat.PersonID, name chat.RoomName, change chat.EntryChange) (e chat.Entry, err error) {
	if err := change.Check(); err != nil {
		return e, err
	}
	if err := s.kept.SetEntry(ctx, who, name, change); err != nil {
		return e, err
	}
	if change.Listed != nil && !*change.Listed {
		for _, w := range s.watchers.of(who) {
			w.unfollow(name)
			w.tell(func(dst []byte) []byte { return wire.AppendUnlisted(dst, name) })
		}
		return chat.Entry{Room: name}, nil
	}
	s.listed(ctx, who, name, false) // the store has listed it, unless this was a retry
	if e, err = s.kept.Entry(ctx, who, name); err != nil {
		return e, err
	}
	for _, w := range s.watchers.of(who) {
		w.tell(func(dst []byte) []byte { return wire.AppendEntry(dst, &e) })
	}
	return e, nil
}

// read notes up to where the person has read a room. The answer comes from the
// log's goroutine once that is stored; the next command does not wait for it.
func (cl *client) read(ctx context.Context, cmd wire.Command) error {
	name, err := cl.roomName(cmd.Room)
	if err != nil {
		return err
	}
	if cmd.Nonce == "" { // else it may be a retry, and the room have been left since
		cl.s.listed(ctx, cl.person.ID, name, true)
	}
	cl.out.begin()
	cl.s.markRead(cl.person.ID, chat.Place{Room: name, Seq: cmd.Seq}, cmd.Exact, cmd.Nonce, cl.watch, func(e chat.Entry, err error) {
		defer cl.s.contain(cl.cut)
		if err != nil {
			told := cl.s.tell(err)
			cl.out.end(func(dst []byte) []byte { return wire.AppendError(dst, cmd.ID, told) })
		} else {
			a := wire.Answer{ID: cmd.ID, Room: name, Entry: &e}
			cl.out.end(a.AppendFrame)
		}
		cl.s.acks.push(cl.conn)
	})
	return nil
}

// markRead notes up to where somebody has read, and tells their watchers but one.
// done is called on the log's goroutine and must not block.
func (s *Server) markRead(who chat.PersonID, at chat.Place, exact bool, nonce string, but *watcher, done func(chat.Entry, error)) {
	s.kept.MarkRead(who, at, exact, nonce, func(e chat.Entry, err error) {
		done(e, err)
		if err != nil {
			return
		}
		for _, w := range s.watchers.of(who) {
			if w != but {
				w.tell(func(dst []byte) []byte { return wire.AppendRead(dst, &e) })
			}
		}
	})
}

// keeping returns the command that keeps a message for the person, or not any more.
func keeping(as chat.Keepsake, keep bool) func(*client, context.Context, wire.Command) error {
	return func(cl *client, ctx context.Context, cmd wire.Command) error {
		name, err := cl.roomName(cmd.Room)
		if err != nil {
			return err
		}
		if err := cl.s.kept.Keep(ctx, cl.person.ID, as, chat.Place{Room: name, Seq: cmd.Seq}, keep, cmd.Nonce); err != nil {
			return err
		}
		cl.ok(wire.Answer{ID: cmd.ID, Room: name})
		return nil
	}
}
