package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// A Page asks for part of a room's history: the oldest Limit messages after
// After if that is set, else the newest Limit before Before (if that is set).
type Page struct {
	Before *int64
	After  *int64
	Limit  int // 0: the server's choice; at most 200
}

// History is a page of a room's messages, oldest first.
type History struct {
	Room     string    `json:"room"`
	Seq      int64     `json:"seq"` // the room's newest
	Epoch    string    `json:"epoch"`
	Messages []Message `json:"messages"`

	through int64 // the newest seq on the page, whatever kind of event it is
}

// historyTimeout is for one page, so that a network that swallows it is found out.
const historyTimeout = 30 * time.Second

// History returns a page of a room's messages. It tries once.
func (c *Client) History(ctx context.Context, room string, p Page) (History, error) {
	h, err := c.history(ctx, room, p)
	if err != nil {
		return History{}, fmt.Errorf("history of %s: %w", room, err)
	}
	return h, nil
}

func (c *Client) history(ctx context.Context, room string, p Page) (History, error) {
	ctx, cancel := context.WithTimeout(ctx, historyTimeout)
	defer cancel()
	u := *c.server()
	u.Path = "/api/rooms/" + room + "/messages"
	u.RawPath = "/api/rooms/" + url.PathEscape(room) + "/messages"
	u.RawQuery = p.query().Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return History{}, err
	}
	req.Header.Set("Authorization", "Bearer "+c.Session())
	resp, err := c.http.Do(req)
	if err != nil {
		return History{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return History{}, problem(resp)
	}
	return decodeHistory(resp.Body)
}

func decodeHistory(body io.Reader) (History, error) {
	var page struct {
		History
		Messages []struct {
			Message
			Kind string `json:"kind"`
		} `json:"messages"`
	}
	if err := json.NewDecoder(body).Decode(&page); err != nil {
		return History{}, err
	}
	h := page.History
	for _, m := range page.Messages {
		h.through = m.Seq
		if m.Kind == "message" { // others are for clients that know them
			m.Room = h.Room
			h.Messages = append(h.Messages, m.Message)
		}
	}
	return h, nil
}

func (p Page) query() url.Values {
	q := url.Values{}
	if p.Before != nil {
		q.Set("before", strconv.FormatInt(*p.Before, 10))
	}
	if p.After != nil {
		q.Set("after", strconv.FormatInt(*p.After, 10))
	}
	if p.Limit != 0 {
		q.Set("limit", strconv.Itoa(p.Limit))
	}
	return q
}
