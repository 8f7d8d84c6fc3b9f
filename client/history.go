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

// A Page asks for part of a room's messages: the oldest Limit after After if that
// is set, those on both sides of Around if that is, else the newest Limit before
// Before (if that is set).
type Page struct {
	Before *int64
	After  *int64
	Around *int64
	Limit  int   // 0: the server's choice; at most 200
	Thread int64 // of this message's thread, not of the room's own talk
}

// History is a page of a room's messages as they stood at one moment, oldest
// first. Of the events that come, those with a greater Seq are not in it yet.
type History struct {
	Room     string    `json:"room"`
	Seq      int64     `json:"seq"` // the newest in the room's log
	Epoch    string    `json:"epoch"`
	More     bool      `json:"more"`           // there are more: newer ones if After was set, else older ones
	Newer    bool      `json:"more_after"`     // if Around was set: there are newer ones too
	Root     *Message  `json:"root,omitempty"` // of a thread: what it began with
	Messages []Message `json:"messages"`
}

// historyTimeout is for one page, so that a network that swallows it is found out.
const historyTimeout = 30 * time.Second

// History returns a page of a room's messages. It tries once.
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
	if p.Limit != 0 {
		q.Set("limit", strconv.Itoa(p.Limit))
	}
	return q
}

// getRoom reads what the server has at a path of a room.
func (c *Client) getRoom(ctx context.Context, room, path string, q url.Values, into any) error {
	return c.get(ctx, "/api/rooms/"+room+path, "/api/rooms/"+url.PathEscape(room)+path, q, into)
}

// get reads what the server has at a path, which escaped is in another spelling if
// there may be a need for one.
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
