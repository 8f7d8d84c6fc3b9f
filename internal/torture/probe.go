package torture

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// A prober is a person who posts a message over HTTP, directly to the server, after each fault, to
// measure how soon it is stored.
type prober struct {
	s *round

	mu      sync.Mutex
	person  string
	session string
	said    int
}

const (
	proberName = "probe"
	probeEvery = 2 * time.Millisecond
)

// newProber makes a prober; the server must be running.
func (s *round) newProber(ctx context.Context) (*prober, error) {
	var is struct {
		Person  person `json:"person"`
		Session string `json:"session"`
	}
	p := &prober{s: s}
	status, err := p.do(ctx, http.MethodPost, "/api/session", "", map[string]string{"name": proberName}, &is)
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("answered with %d", status)
	}
	if err != nil {
		return nil, fmt.Errorf("a session for the probe: %w", err)
	}
	p.person, p.session = is.Person.ID, is.Session
	return p, nil
}

// post repeats one message until it is stored.
func (p *prober) post(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said++
	_, err := p.repeat(ctx, Attempt{
		Author: p.person, Room: p.s.rooms[p.said%len(p.s.rooms)], Kind: Message,
		Nonce: fmt.Sprintf("%s-%d", proberName, p.said), Text: fmt.Sprintf("%s says %d", proberName, p.said),
	})
	return err
}

// repeat makes attempts until what is sent is stored, and returns its seq.
func (p *prober) repeat(ctx context.Context, a Attempt) (seq int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, waitLimit)
	defer cancel()
	for {
		seq, err := p.try(ctx, a)
		if err == nil {
			_, err = p.s.head(ctx, a.Room) // the head must include it, or a later event
		}
		if err == nil {
			return seq, nil
		}
		if ctx.Err() != nil {
			return 0, fmt.Errorf("the server stores nothing %v after the fault: %w", waitLimit, err)
		}
		sleep(ctx, probeEvery)
	}
}

// once sends one message once.
func (p *prober) once(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said++
	_, err := p.try(ctx, Attempt{
		Author: p.person, Room: p.s.rooms[p.said%len(p.s.rooms)], Kind: Message,
		Nonce: fmt.Sprintf("%s-%d", proberName, p.said), Text: fmt.Sprintf("%s says %d", proberName, p.said),
	})
	return err
}

// try makes one attempt, to send a message or to delete one, and records its result.
func (p *prober) try(ctx context.Context, a Attempt) (seq int64, err error) {
	called := p.s.ledger.calls(a)
	var answer struct {
		Seq  int64  `json:"seq"`
		Code string `json:"code"`
	}
	method, path := http.MethodPost, "/api/rooms/"+a.Room+"/messages"
	if a.Kind == Delete {
		method, path = http.MethodDelete, fmt.Sprint(path, "/", a.Target)
	}
	status, err := p.do(ctx, method, path, a.Nonce, map[string]string{"text": a.Text}, &answer)
	switch {
	case err != nil:
		return 0, err // the result is unknown
	case status == http.StatusCreated || status == http.StatusOK:
		p.s.ledger.answered(called, answer.Seq, "")
		p.s.count(func(r *Report) { r.Acks++ })
		return answer.Seq, nil
	case answer.Code == "bad_session":
		p.s.ledger.forgets(proberName)
		return 0, nil
	default:
		p.s.ledger.answered(called, 0, answer.Code)
		p.s.count(func(r *Report) { r.Refusals++ })
		return 0, fmt.Errorf("%s (%d)", answer.Code, status)
	}
}

// do sends body as JSON and reads the answer into out.
func (p *prober) do(ctx context.Context, method, path, nonce string, body, out any) (status int, err error) {
	b, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	r, err := http.NewRequestWithContext(ctx, method, p.s.address()+path, bytes.NewReader(b))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	if nonce != "" {
		r.Header.Set("Idempotency-Key", nonce)
	}
	if p.session != "" {
		r.Header.Set("Authorization", "Bearer "+p.session)
	}
	answer, err := p.s.http.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	return answer.StatusCode, json.NewDecoder(answer.Body).Decode(out)
}
