package torture

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	mostOnPage  = 200 // that a server gives at once
	browseEvery = 100 * time.Millisecond
	browsed     = 60 // messages that a page has at most
)

// history reads a room's log after one event and up to another (-1: all). It tries again while the
// server is not running.
func (s *round) history(ctx context.Context, room string, after, upTo int64) (History, error) {
	h := History{Room: room}
	ctx, cancel := context.WithTimeout(ctx, waitLimit)
	defer cancel()
	for {
		page, err := s.page(ctx, room, fmt.Sprintf("log?limit=%d&after=%d", mostOnPage, after))
		if err != nil {
			if ctx.Err() != nil {
				return h, err
			}
			sleep(ctx, 50*time.Millisecond)
			continue
		}
		h.Epoch, h.Head = page.Epoch, page.Seq
		for _, f := range page.Events {
			if upTo >= 0 && f.Seq > upTo {
				return h, nil
			}
			e := f.event()
			e.Text = abridged(e.Text)
			h.Events = append(h.Events, e)
			after = f.Seq
		}
		if len(page.Events) == 0 || after == upTo {
			return h, nil
		}
	}
}

// messages reads all message states of a room.
func (s *round) messages(ctx context.Context, room string) (all []MessageState, err error) {
	for after := int64(0); ; {
		page, err := s.page(ctx, room, fmt.Sprintf("messages?limit=%d&after=%d", mostOnPage, after))
		if err != nil {
			return nil, err
		}
		all = append(all, page.messageStates()...)
		if !page.More {
			return all, nil
		}
		after = all[len(all)-1].Seq
	}
}

// browse reads the newest page of one room after the other until ctx ends.
func (s *round) browse(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		sleep(ctx, browseEvery)
		room := s.rooms[n%len(s.rooms)]
		page, err := s.page(ctx, room, fmt.Sprintf("messages?limit=%d", browsed))
		if err == nil {
			s.ledger.read(Page{Reader: "who browses", Room: room, Head: page.Seq, Messages: page.messageStates()})
		}
	}
}

// reads reads a client's read marks of each room, after everything is finished.
func (s *round) reads(ctx context.Context, m *rawClient) error {
	var answer struct {
		Rooms []frame `json:"rooms"`
	}
	person, session := m.identity(ctx)
	asked := map[string]*ReadMark{}
	for _, room := range s.rooms {
		asked[room] = s.ledger.asks(ReadMark{Person: person, Room: room, Last: true})
	}
	if err := s.get(ctx, "/api/me/rooms", session, &answer); err != nil {
		return err
	}
	for _, f := range answer.Rooms {
		if read := asked[f.Room]; read != nil {
			s.ledger.tells(read, f.Read, f.Unread)
			delete(asked, f.Room)
		}
	}
	for _, read := range asked {
		s.ledger.tells(read, 0, 0) // the room is not even in the list
	}
	return nil
}

// A page is a page of a room's log or of its message states.
type page struct {
	Seq      int64   `json:"seq"`
	At       string  `json:"at"`
	Epoch    string  `json:"epoch"`
	More     bool    `json:"more"`
	Events   []frame `json:"events"`
	Messages []struct {
		frame
		Reactions []struct {
			Emoji  string   `json:"emoji"`
			Count  int      `json:"count"`
			People []person `json:"people"`
		} `json:"reactions"`
	} `json:"messages"`
}

func (p *page) messageStates() []MessageState {
	all := make([]MessageState, len(p.Messages))
	for i, m := range p.Messages {
		all[i] = MessageState{
			Seq: m.Seq, Author: m.From.ID, Text: abridged(m.Text), Gone: m.Gone, ReplyTo: m.ReplyTo,
			Quote: abridged(m.Quote.Text),
		}
		for _, r := range m.Reactions {
			for _, who := range r.People {
				all[i].Marks = append(all[i].Marks, reaction(r.Emoji, who.ID))
			}
			if r.Count != len(r.People) {
				all[i].Marks = append(all[i].Marks, fmt.Sprintf("%s counted as %d", r.Emoji, r.Count))
			}
		}
		slices.Sort(all[i].Marks)
	}
	return all
}

// head returns a room's newest seq.
func (s *round) head(ctx context.Context, room string) (int64, error) {
	p, err := s.page(ctx, room, "log?limit=1")
	return p.Seq, err
}

// page reads an address below a room's.
func (s *round) page(ctx context.Context, room, what string) (p page, err error) {
	called := s.ledger.now()
	if err := s.get(ctx, "/api/rooms/"+room+"/"+what, "", &p); err != nil {
		return p, err
	}
	reader := "a page of " + what[:strings.IndexByte(what, '?')]
	s.ledger.looked(HeadRead{Reader: reader, Room: room, Called: called, Head: p.Seq})
	return p, nil
}

// get reads an address, with a session or without one.
func (s *round) get(ctx context.Context, path, session string, into any) error {
	return s.getFrom(ctx, s.address(), path, session, into)
}

// getFrom is get from one node.
func (s *round) getFrom(ctx context.Context, node, path, session string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, node+path, nil)
	if err != nil {
		return err
	}
	if session != "" {
		r.Header.Set("Authorization", "Bearer "+session)
	}
	answer, err := s.http.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(strings.ToLower(answer.Status))
	}
	return json.NewDecoder(answer.Body).Decode(into)
}
