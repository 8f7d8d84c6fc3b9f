package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// A Page asks for part of a room's messages: the oldest Limit messages since
// Since if that is set, or after After if that is set, those on both sides of
// Around if that is set, else the newest Limit messages, before Before if that
// is set.
type Page struct {
	Before *int64
	After  *int64
	Around *int64
	Limit  int       // 0: the server's choice; at most 200
	Since  time.Time // messages that were stored then or later; not in a thread
	Thread int64     // messages of this thread only; 0: messages of the room
}

// History is a page of a room's messages, oldest first, all from one snapshot:
// events up to Seq are applied to them, later ones are not.
type History struct {
	Room     string    `json:"room"`
	Seq      int64     `json:"seq"` // of the newest event in the room's log
	Epoch    string    `json:"epoch"`
	More     bool      `json:"more"`           // there are more: newer ones if Since or After was set, else older ones
	Newer    bool      `json:"more_after"`     // if Around was set: there are newer ones too
	Root     *Message  `json:"root,omitempty"` // of a thread: its root
	Messages []Message `json:"messages"`
}

// historyTimeout limits one request, in case the network drops it silently.
const historyTimeout = 30 * time.Second

// History returns a page of a room's messages. It does not retry.
func (c *Client) History(ctx context.Context, room string, p Page) (History, error) {
	path := "/messages"
	if p.Thread != 0 {
		path = fmt.Sprintf("/messages/%d/replies", p.Thread)
	}
	var h History
	if err := c.getRoom(ctx, room, path, p.query(), &h); err != nil {
		return History{}, fmt.Errorf("history of %s: %w", room, err)
	}
	for i := range h.Messages {
		h.Messages[i].Room = h.Room
	}
	if h.Root != nil {
		h.Root.Room = h.Room
	}
	return h, nil
}

func (p Page) query() url.Values {
	q := url.Values{}
	for name, seq := range map[string]*int64{"before": p.Before, "after": p.After, "around": p.Around} {
		if seq != nil {
			q.Set(name, strconv.FormatInt(*seq, 10))
		}
	}
	if !p.Since.IsZero() {
		q.Set("since", p.Since.UTC().Format(time.RFC3339Nano))
	}
	if p.Limit != 0 {
		q.Set("limit", strconv.Itoa(p.Limit))
	}
	return q
}

// getRoom gets a path of a room and decodes the answer into into.
func (c *Client) getRoom(ctx context.Context, room, path string, q url.Values, into any) error {
	return c.get(ctx, "/api/rooms/"+room+path, "/api/rooms/"+url.PathEscape(room)+path, q, into)
}

// get gets a path and decodes the answer into into. escaped is the path as
// url.URL.RawPath wants it; "" if it needs no escapes.
func (c *Client) get(ctx context.Context, path, escaped string, q url.Values, into any) error {
	ctx, cancel := context.WithTimeout(ctx, historyTimeout)
	defer cancel()
	u := *c.server()
	u.Path, u.RawPath, u.RawQuery = path, escaped, q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.Session())
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return problem(resp)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
