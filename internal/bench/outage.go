package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"parley/client"
)

// users are people who talk and listen through package client, as programs of users do. Each knows the addresses of
// all nodes, begins at another one, and goes on at any.
type users struct {
	urls []string
	room string

	mu       sync.Mutex
	stored   map[string]int64 // the seq of each acknowledged text
	answered chan struct{}    // capacity 1: something was acknowledged
}

func newUsers(s *testbed) *users {
	c := &users{room: theRoom, stored: map[string]int64{}, answered: make(chan struct{}, 1)}
	for _, p := range s.processes() {
		c.urls = append(c.urls, "http://"+p.address)
	}
	return c
}

// dial connects person number who.
func (c *users) dial(ctx context.Context, who int) (*client.Client, error) {
	urls := slices.Concat(c.urls[who%len(c.urls):], c.urls[:who%len(c.urls)])
	rand.Shuffle(len(urls)-1, func(i, j int) { urls[i+1], urls[j+1] = urls[j+1], urls[i+1] })
	return client.Dial(ctx, urls[0], client.Options{
		Name: fmt.Sprint("Guest ", who), More: urls[1:],
		MinBackoff: 20 * time.Millisecond, MaxBackoff: 500 * time.Millisecond, IdleTimeout: 30 * time.Second,
	})
}

// talk lets person number who send one message after the other, with pauses, until ctx ends. What was begun then is
// finished.
func (c *users) talk(ctx context.Context, who int, pause time.Duration) error {
	whole := context.WithoutCancel(ctx)
	person, err := c.dial(ctx, who)
	if err != nil {
		return err
	}
	defer person.Close()
	for n := 1; ctx.Err() == nil; n++ {
		text := fmt.Sprint("person ", who, " says ", n)
		receipt, err := person.SendWith(whole, c.room, text, client.SendOptions{})
		if err != nil {
			return fmt.Errorf("message %d of person %d: %w", n, who, err)
		}
		c.mu.Lock()
		c.stored[text] = receipt.Seq
		c.mu.Unlock()
		select {
		case c.answered <- struct{}{}:
		default:
		}
		if sleep(ctx, pause) != nil {
			break
		}
	}
	return nil
}

// nextAnswer waits for an acknowledgement from now on.
func (c *users) nextAnswer(ctx context.Context) error {
	select {
	case <-c.answered: // from before
	default:
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-c.answered:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("nothing was stored for %v", patience)
	}
}

// compare reads the log and returns how many acknowledged messages are not where they should be, and how many are in it
// twice.
func (c *users) compare(ctx context.Context) (lost, doubled int, err error) {
	at := map[string][]int64{}
	for after := int64(0); ; {
		var page struct {
			Events []struct {
				Seq  int64  `json:"seq"`
				Text string `json:"text"`
			} `json:"events"`
		}
		if err := c.get(ctx, fmt.Sprintf("/api/rooms/%s/log?limit=200&after=%d", c.room, after), &page); err != nil {
			return 0, 0, fmt.Errorf("the log after %d: %w", after, err)
		}
		if len(page.Events) == 0 {
			break
		}
		for _, e := range page.Events {
			at[e.Text] = append(at[e.Text], e.Seq)
			after = e.Seq
		}
	}
	for text, seq := range c.stored {
		if !slices.Contains(at[text], seq) {
			lost++
		}
	}
	for _, seqs := range at {
		doubled += len(seqs) - 1
	}
	return lost, doubled, nil
}

func (c *users) get(ctx context.Context, path string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.urls[0]+path, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}
