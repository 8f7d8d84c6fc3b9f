package rest

import (
	"context"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"parley/internal/chat"
	"parley/internal/httpdoor"
	"parley/internal/room"
)

type searchInput struct {
	Caller
	Query  string `query:"q" maxLength:"1000" doc:"Words, \"phrases\", beginnings*, and from:name, in:room, before:2026-11-20, after:2026-11-20, has:link, has:image, has:file."`
	Room   string `query:"room" doc:"Only in this room, whatever the query names; else in all rooms of one's list, or in those that the query names."`
	Sort   string `query:"sort" enum:"time,relevance" default:"time" doc:"What comes first: the newest, or the best."`
	Typing bool   `query:"typing" doc:"Take the last word for the beginning of one."`
	Cursor string `query:"cursor" doc:"For the page that follows: what the answer before had."`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"How many hits at most."`
}

type hit struct {
	Room    chat.RoomName  `json:"room"`
	Message encodedMessage `json:"message"`
	Ranges  [][2]int       `json:"ranges" nullable:"false" doc:"What matches in the text: from a character to before another, in code points."`
}

type searchAnswer struct {
	Cursor string `json:"cursor,omitempty" doc:"For the page that follows; missing if there is none."`

	Complete      bool   `json:"complete" doc:"Everything that was said in these rooms before the search has been looked at."`
	CompleteUntil *stamp `json:"complete_until,omitempty" doc:"If it is not complete: what was said before has been looked at. Missing while that is not known."`

	Hits largeList[hit] `json:"hits" doc:"There can be fewer than the limit, or none, though there are more on the next page."`
}

func (a searchAnswer) split() (any, *encodedItems) {
	list := a.Hits.take()
	return a, list
}

type searchOutput struct{ Body searchAnswer }

// registerSearch adds the operation of the search.
func (a *API) registerSearch(api huma.API) {
	register(a, api, huma.Operation{
		OperationID: "search", Method: http.MethodGet, Path: "/api/search", Tags: []string{"Messages"},
		Summary: "Find messages",
		Description: "In all rooms of the list of the person whose session it is, in those that the query names, or " +
			"in one.",
		Responses: map[string]*huma.Response{"200": {Description: "What was found", Content: content(searchAnswer{
			Complete: true,
			Hits: largeListOf(hit{
				Room: "lobby", Message: encodeMessage(&exampleMessage), Ranges: [][2]int{{9, 14}},
			}),
		})}},
		Security: append(identified, map[string][]string{}),
		Errors:   []int{400, 401, 429, 503},
	}, a.search)
}

// search answers GET /api/search.
func (a *API) search(ctx context.Context, in *searchInput) (*searchOutput, error) {
	if a.cfg.Find == nil {
		return nil, &chat.Error{Code: chat.SearchUnavailable, Message: "This server has no search."}
	}
	if wait := a.searches.Take(httpdoor.Network(a.door.Address(in.r))); wait > 0 {
		return nil, &chat.Error{
			Code: chat.RateLimited, Message: "That was too fast. Search again in a moment.", RetryAfter: wait,
		}
	}
	if !utf8.ValidString(in.Query) || strings.Contains(in.Query, "\x00") {
		return nil, &chat.Error{Code: chat.BadRequest, Message: "A search is UTF-8 text without the character U+0000."}
	}
	who, rooms, err := a.searched(ctx, in)
	if err != nil {
		return nil, err
	}
	search := chat.Search{
		Text: in.Query, Rooms: rooms, Only: in.Room != "", Best: in.Sort == "relevance", Typing: in.Typing,
		Limit: in.Limit, Cursor: in.Cursor,
		MayRead: func(name chat.RoomName) error {
			_, err := a.door.ResolveRoom(a.door.Address(in.r), string(name), a.door.ListChecker(ctx, in.r))
			return err
		},
	}
	found, err := a.find(ctx, who, search)
	if err != nil {
		return nil, err
	}
	places := make([]chat.MessageRef, len(found.Hits))
	for i, h := range found.Hits {
		places[i] = h.MessageRef
	}
	out := &searchOutput{}
	fit := len(found.Hits)
	err = a.buildList(ctx, who, func(query *room.Query, list *encodedItems) error {
		messages, err := messagesIn(ctx, query, places)
		if err != nil {
			return err
		}
		out.Body = searchAnswer{Cursor: found.Next, Complete: found.Complete, Hits: largeList[hit]{list}}
		if !found.Complete && !found.Until.IsZero() {
			out.Body.CompleteUntil = new(stamp(found.Until.UTC()))
		}
		for i, h := range found.Hits {
			if list.isFull() {
				fit = i
				break
			}
			if m, ok := messages[h.MessageRef]; ok && !m.IsDeleted() {
				out.Body.Hits.add(hit{Room: h.Room, Message: encodeMessage(m), Ranges: h.Ranges})
			}
		}
		return nil
	})
	if err == nil && fit < len(found.Hits) { // only the first fit hits are returned: find the cursor after them
		search.Limit = fit
		found, err = a.find(ctx, who, search)
		out.Body.Cursor = found.Next
	}
	return out, err
}

// find searches within the limits of the network. Few searches run at the same time.
func (a *API) find(ctx context.Context, who chat.Who, search chat.Search) (chat.Found, error) {
	if err := a.hub.MaySearch(who); err != nil {
		return chat.Found{}, err
	}
	if err := a.searchQueue.enter(ctx, who.Network); err != nil {
		return chat.Found{}, err
	}
	defer a.searchQueue.leave(who.Network)
	begun := time.Now()
	defer func() { a.hub.ChargeSearch(who, time.Since(begun)) }()
	return a.cfg.Find(ctx, search)
}

// searched returns who searches, and the rooms in which to search: the room
// parameter or, without one, the rooms of the person's list.
func (a *API) searched(ctx context.Context, in *searchInput) (who chat.Who, rooms []chat.RoomName, err error) {
	who = a.door.UnknownCaller(in.r)
	if in.Room != "" {
		name, err := a.door.ResolveRoom(a.door.Address(in.r), in.Room, a.door.ListChecker(ctx, in.r))
		return who, []chat.RoomName{name}, err
	}
	me, known, err := a.door.Identify(in.r)
	if err != nil || !known {
		return who, nil, err
	}
	who.Person = me
	entries, err := a.accounts.RoomList(ctx, me.ID)
	rooms = make([]chat.RoomName, len(entries))
	for i, e := range entries {
		rooms[i] = e.Room
	}
	return who, rooms, err
}
