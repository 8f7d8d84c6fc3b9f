package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"parley/internal/chat"
	"parley/internal/room"
	"parley/internal/wire"
)

// An entry describes the JSON of wire.AppendListEntryJSON for OpenAPI. A test compares
// the two.
type entry struct {
	Room      chat.RoomName `json:"room"`
	Topic     string        `json:"topic" doc:"What it is about; empty for nothing."`
	Seq       chat.Seq      `json:"seq" doc:"The number of its newest event."`
	At        *stamp        `json:"at,omitempty" doc:"When its newest message was said; of a room that nobody has written to, when one entered it."`
	Last      *quote        `json:"last,omitempty" doc:"The beginning of that."`
	Read      chat.Seq      `json:"read" doc:"The last event that one has read."`
	Unread    int           `json:"unread" doc:"Messages of others after that; at most 100 are counted."`
	Mentions  int           `json:"mentions" doc:"Those after it that name one, in threads too; at most 100 are counted."`
	Notify    chat.Notify   `json:"notify" enum:"all,mentions,none"`
	Muted     bool          `json:"muted"`
	Favourite bool          `json:"favourite"`
}

// An encodedEntry is the JSON of an entry.
type encodedEntry struct{ json.RawMessage }

func encodeEntry(e *chat.ListEntry) encodedEntry {
	return encodedEntry{wire.AppendListEntryJSON(nil, e)}
}

// Schema implements huma.SchemaProvider.
func (encodedEntry) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[entry](), true, "")
}

type roomsAnswer struct {
	Epoch string                  `json:"epoch"`
	Rooms largeList[encodedEntry] `json:"rooms"`
}

func (a roomsAnswer) split() (any, *encodedItems) {
	list := a.Rooms.take()
	return a, list
}

type roomsOutput struct{ Body roomsAnswer }

type entryInput struct {
	Caller
	IdempotencyKey
	RoomParam
}

type myRoomInput struct {
	Caller
	RoomParam
}

type setInput struct {
	Caller
	IdempotencyKey
	RoomParam
	Body setRequest
}

type setRequest struct {
	Notify    *chat.Notify `json:"notify,omitempty" enum:"all,mentions,none" doc:"Of what one wants to be told."`
	Muted     *bool        `json:"muted,omitempty"`
	Favourite *bool        `json:"favourite,omitempty"`
}

type entryOutput struct{ Body encodedEntry }

type readInput struct {
	Caller
	IdempotencyKey
	RoomParam
	Body readRequest
}

type readRequest struct {
	Seq   chat.Seq `json:"seq" minimum:"0" doc:"The last event that one has read."`
	Exact bool     `json:"exact,omitempty" doc:"Also if that is further back than before."`
}

type readAnswer struct {
	Room     chat.RoomName `json:"room"`
	Read     chat.Seq      `json:"read"`
	Unread   int           `json:"unread"`
	Mentions int           `json:"mentions"`
}

type readOutput struct{ Body readAnswer }

type personalListInput struct {
	Caller
	Before time.Time `query:"before" doc:"Only what is older."`
	Limit  int       `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many at most."`
}

type personalInput struct {
	Caller
	IdempotencyKey
	RoomParam
	SeqParam
}

type savedMessage struct {
	Room    chat.RoomName  `json:"room"`
	At      stamp          `json:"at" doc:"When it was saved."`
	Message encodedMessage `json:"message"`
}

type savedAnswer struct {
	More     bool                    `json:"more"`
	Messages largeList[savedMessage] `json:"messages" doc:"What was saved last comes first."`
}

func (a savedAnswer) split() (any, *encodedItems) {
	list := a.Messages.take()
	return a, list
}

type savedOutput struct{ Body savedAnswer }

type followedThread struct {
	Room chat.RoomName  `json:"room"`
	At   stamp          `json:"at" doc:"When its newest reply came."`
	Root encodedMessage `json:"root"`
}

type threadsAnswer struct {
	More    bool                      `json:"more"`
	Threads largeList[followedThread] `json:"threads" doc:"The one with the newest reply comes first."`
}

func (a threadsAnswer) split() (any, *encodedItems) {
	list := a.Threads.take()
	return a, list
}

type threadsOutput struct{ Body threadsAnswer }

type nothing struct{}

// registerMe adds the operations on a person's own data: list, read marks, bookmarks and
// thread subscriptions.
func (a *API) registerMe(api huma.API) {
	at := time.Date(2026, time.November, 23, 9, 41, 5, 123e6, time.UTC)
	hello := encodeMessage(&exampleMessage)
	last := &chat.Quote{From: ada, Text: exampleMessage.Text}
	lobby := encodeEntry(&chat.ListEntry{
		Room: "lobby", Head: 57, At: at, Last: last, Read: 42, Unread: 7, Mentions: 1, Notify: chat.NotifyAll,
	})
	of := func(id, method, path, summary string, example any) huma.Operation {
		op := huma.Operation{
			OperationID: id, Method: method, Path: path, Summary: summary,
			Tags: []string{"Me"}, Security: identified, Errors: []int{400, 401, 403, 404, 413, 429, 503},
			Responses: map[string]*huma.Response{"200": {Description: "So it is", Content: content(example)}},
		}
		if example == nil {
			op.DefaultStatus = http.StatusNoContent
			op.Responses = map[string]*huma.Response{"204": {Description: "Done, or so already"}}
		}
		return op
	}
	with := func(body any, op huma.Operation) huma.Operation {
		op.RequestBody = &huma.RequestBody{Content: content(body)}
		return op
	}
	const (
		get, put, del = http.MethodGet, http.MethodPut, http.MethodDelete
		lists         = "/api/me/rooms"
		bookmark      = "/api/me/saved/{room}/{seq}"
		subscription  = "/api/me/threads/{room}/{seq}"
	)
	register(a, api, of("my-rooms", get, lists, "The rooms of one's list, and what is unread in them",
		roomsAnswer{Rooms: largeListOf(lobby), Epoch: "qk3v8d"}), a.myRooms)
	register(a, api, of("my-room", get, lists+"/{room}", "A room of one's list, and what is unread in it", lobby),
		a.myRoom)
	register(a, api, with(setRequest{Notify: new(chat.NotifyMentions), Favourite: new(true)},
		of("set-room", put, lists+"/{room}", "Mute a room, make it a favourite, choose what to be told of", lobby)),
		a.setRoom)
	register(a, api, of("unlist-room", del, lists+"/{room}", "Take a room out of one's list", nil), a.unlistRoom)
	register(a, api, with(readRequest{Seq: 42}, of("read", put, lists+"/{room}/read", "Say up to where one has read",
		readAnswer{Room: "lobby", Read: 42, Unread: 7, Mentions: 1})), a.readRoom)
	register(a, api, of("saved", get, "/api/me/saved", "What one has saved",
		savedAnswer{Messages: largeListOf(savedMessage{Room: "lobby", At: stamp(at), Message: hello})}), a.saved)
	register(a, api, of("save", put, bookmark, "Save a message for oneself", nil), a.setPersonal(chat.Bookmark, true))
	register(a, api, of("unsave", del, bookmark, "Let go of a saved message", nil), a.setPersonal(chat.Bookmark, false))
	register(a, api, of("threads", get, "/api/me/threads", "The threads that one follows",
		threadsAnswer{Threads: largeListOf(followedThread{Room: "lobby", At: stamp(at), Root: hello})}), a.threads)
	register(a, api, of("follow", put, subscription, "Follow a message's thread", nil),
		a.setPersonal(chat.Subscription, true))
	register(a, api, of("unfollow", del, subscription, "Follow it no more", nil),
		a.setPersonal(chat.Subscription, false))
}

// owner is identified for requests about a person's own data. It counts them, and
// refuses one too many with code RateLimited.
func (a *API) owner(r *http.Request) (chat.Who, error) {
	who := a.door.UnknownCaller(r)
	var err error
	if who.Person, err = a.identified(r); err == nil {
		err = a.accounts.LimitPersonal(who)
	}
	return who, err
}

// ownerAndRoom returns the person whose list is meant, as owner does, and the room in the URL.
func (a *API) ownerAndRoom(ctx context.Context, by *Caller, p RoomParam) (chat.Who, chat.RoomName, error) {
	name, err := a.roomOf(ctx, by, p)
	if err != nil {
		return chat.Who{}, "", err
	}
	who, err := a.owner(by.r)
	return who, name, err
}

// myRooms answers GET /api/me/rooms.
func (a *API) myRooms(ctx context.Context, in *callerInput) (*roomsOutput, error) {
	who, err := a.owner(in.r)
	if err != nil {
		return nil, err
	}
	out := &roomsOutput{}
	return out, a.buildList(ctx, who, func(_ *room.Query, list *encodedItems) error {
		entries, err := a.accounts.RoomList(ctx, who.Person.ID)
		if err != nil {
			return err
		}
		out.Body = roomsAnswer{Rooms: largeList[encodedEntry]{list}, Epoch: a.hub.Epoch()}
		for i := range entries {
			out.Body.Rooms.add(encodeEntry(&entries[i]))
		}
		return nil
	})
}

// myRoom answers GET /api/me/rooms/{room}.
func (a *API) myRoom(ctx context.Context, in *myRoomInput) (*entryOutput, error) {
	who, name, err := a.ownerAndRoom(ctx, &in.Caller, in.RoomParam)
	if err != nil {
		return nil, err
	}
	e, err := a.accounts.ListEntry(ctx, who.Person.ID, name)
	if err != nil {
		return nil, err
	}
	return &entryOutput{encodeEntry(&e)}, nil
}

// setRoom answers PUT /api/me/rooms/{room}.
func (a *API) setRoom(ctx context.Context, in *setInput) (*entryOutput, error) {
	change := chat.ListEntryChange{
		Notify: in.Body.Notify, Muted: in.Body.Muted, Favourite: in.Body.Favourite, Nonce: in.nonce(),
	}
	e, err := a.changeListEntry(ctx, &in.Caller, in.RoomParam, change)
	if err != nil {
		return nil, err
	}
	return &entryOutput{encodeEntry(&e)}, nil
}

// unlistRoom answers DELETE /api/me/rooms/{room}.
func (a *API) unlistRoom(ctx context.Context, in *entryInput) (*nothing, error) {
	change := chat.ListEntryChange{Listed: new(false), Nonce: in.nonce()}
	_, err := a.changeListEntry(ctx, &in.Caller, in.RoomParam, change)
	return &nothing{}, err
}

func (a *API) changeListEntry(
	ctx context.Context, by *Caller, in RoomParam, change chat.ListEntryChange,
) (chat.ListEntry, error) {
	who, name, err := a.ownerAndRoom(ctx, by, in)
	if err != nil {
		return chat.ListEntry{}, err
	}
	return a.accounts.SetListEntry(ctx, who.Person.ID, name, change)
}

// readRoom answers PUT /api/me/rooms/{room}/read.
func (a *API) readRoom(ctx context.Context, in *readInput) (*readOutput, error) {
	who, name, err := a.ownerAndRoom(ctx, &in.Caller, in.RoomParam)
	if err != nil {
		return nil, err
	}
	type result struct {
		entry chat.ListEntry
		err   error
	}
	done := make(chan result, 1)
	at := chat.MessageRef{Room: name, Seq: in.Body.Seq}
	a.accounts.MarkRead(who.Person.ID, at, in.Body.Exact, in.nonce(), nil, func(e chat.ListEntry, err error) {
		done <- result{e, err}
	})
	select {
	case r := <-done:
		if r.err != nil {
			return nil, r.err
		}
		e := r.entry
		return &readOutput{readAnswer{Room: name, Read: e.Read, Unread: e.Unread, Mentions: e.Mentions}}, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("reading %s: %w", name, ctx.Err())
	}
}

// setPersonal returns the function that sets or removes a bookmark or a thread
// subscription.
func (a *API) setPersonal(
	as chat.PersonalRefKind, on bool,
) func(context.Context, *personalInput) (*nothing, error) {
	return func(ctx context.Context, in *personalInput) (*nothing, error) {
		name, err := a.roomOf(ctx, &in.Caller, in.RoomParam)
		if err != nil {
			return nil, err
		}
		who, err := a.owner(in.r)
		if err != nil {
			return nil, err
		}
		at := chat.MessageRef{Room: name, Seq: in.Seq}
		return &nothing{}, a.accounts.SetPersonal(ctx, who.Person.ID, as, at, on, in.nonce())
	}
}

// An adder puts a bookmark or subscription, and its message, into an answer's list.
type adder = func(chat.PersonalRef, encodedMessage)

// saved answers GET /api/me/saved.
func (a *API) saved(ctx context.Context, in *personalListInput) (*savedOutput, error) {
	out := &savedOutput{}
	return out, a.eachPersonal(ctx, in, chat.Bookmark, func(list *encodedItems) adder {
		out.Body.Messages = largeList[savedMessage]{list}
		return func(ref chat.PersonalRef, m encodedMessage) {
			out.Body.Messages.add(savedMessage{Room: ref.Room, At: stamp(ref.At), Message: m})
		}
	}, &out.Body.More)
}

// threads answers GET /api/me/threads.
func (a *API) threads(ctx context.Context, in *personalListInput) (*threadsOutput, error) {
	out := &threadsOutput{}
	return out, a.eachPersonal(ctx, in, chat.Subscription, func(list *encodedItems) adder {
		out.Body.Threads = largeList[followedThread]{list}
		return func(ref chat.PersonalRef, m encodedMessage) {
			out.Body.Threads.add(followedThread{Room: ref.Room, At: stamp(ref.At), Root: m})
		}
	}, &out.Body.More)
}

// eachPersonal calls the adder of a list for each bookmark or subscription of the
// caller, as many as fit on a page, and sets more if there are others.
func (a *API) eachPersonal(
	ctx context.Context, in *personalListInput, as chat.PersonalRefKind, of func(*encodedItems) adder, more *bool,
) error {
	who, err := a.owner(in.r)
	if err != nil {
		return err
	}
	return a.buildList(ctx, who, func(query *room.Query, list *encodedItems) error {
		refs, err := a.accounts.PersonalRefs(ctx, who.Person.ID, as, in.Before, in.Limit+1)
		if err != nil {
			return err
		}
		if *more = len(refs) > in.Limit; *more {
			refs = refs[:in.Limit]
		}
		at := make([]chat.MessageRef, len(refs))
		for i, ref := range refs {
			at[i] = ref.MessageRef
		}
		messages, err := messagesIn(ctx, query, at)
		if err != nil {
			return err
		}
		add := of(list)
		for _, ref := range refs {
			if list.isFull() {
				*more = true
				break
			}
			if m, ok := messages[ref.MessageRef]; ok {
				add(ref, encodeMessage(m))
			}
		}
		return nil
	})
}

// messagesIn returns the present state of some messages.
func messagesIn(
	ctx context.Context, query *room.Query, refs []chat.MessageRef,
) (map[chat.MessageRef]*chat.MessageState, error) {
	seqs := map[chat.RoomName][]chat.Seq{}
	for _, ref := range refs {
		seqs[ref.Room] = append(seqs[ref.Room], ref.Seq)
	}
	found := map[chat.MessageRef]*chat.MessageState{}
	for name, list := range seqs {
		page, err := query.Messages(ctx, name, list...)
		if err != nil {
			return nil, fmt.Errorf("messages of %s: %w", name, err)
		}
		for i := range page.Messages {
			m := &page.Messages[i]
			found[chat.MessageRef{Room: name, Seq: m.Seq}] = m
		}
	}
	return found, nil
}
