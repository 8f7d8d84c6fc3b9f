package torture

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A sseClient is one connection of somebody who listens by server-sent events, as a
// browser does.
type sseClient struct {
	answer *http.Response
	in     *bufio.Scanner
	id     string // the last id that came; a browser sends it back when it resumes
}

// listen opens an event stream through the proxy.
func (s *round) listen(ctx context.Context, room, id string) (*sseClient, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.proxy.url()+"/api/rooms/"+room+"/events", nil)
	if err != nil {
		return nil, err
	}
	if id != "" {
		r.Header.Set("Last-Event-ID", id)
	}
	answer, err := s.streams.Do(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		answer.Body.Close()
		return nil, fmt.Errorf("an event stream: %s", answer.Status)
	}
	in := bufio.NewScanner(answer.Body)
	in.Buffer(nil, 4<<20)
	return &sseClient{answer: answer, in: in, id: id}, nil
}

func (l *sseClient) close() { l.answer.Body.Close() }

// next returns the fields up to the next blank line; nil when the stream has ended.
func (l *sseClient) next() map[string]string {
	fields := map[string]string{}
	for l.in.Scan() {
		if l.in.Text() == "" {
			if id := fields["id"]; id != "" {
				l.id = id
			}
			return fields
		}
		if name, value, _ := strings.Cut(l.in.Text(), ": "); name != "" {
			fields[name] = value
		}
	}
	return nil
}

// place returns what the last id says; ok is false if there is none.
func (l *sseClient) place() (epoch string, seq int64, ok bool) {
	parts := strings.SplitN(l.id, ":", 3)
	if len(parts) < 2 {
		return "", 0, false
	}
	seq, err := strconv.ParseInt(parts[1], 10, 64)
	return parts[0], seq, err == nil
}

// cutSSE has somebody listen to a room, and cuts the stream before its first
// event. Then they come back as a browser does, with the last id that they have, and
// every event since the stream began has to come.
func (s *round) cutSSE(ctx context.Context, rnd *rand.Rand) error {
	room := s.rooms[rnd.IntN(len(s.rooms))]
	run := s.ledger.run(fmt.Sprintf("%s%d-stream", herdName, s.extra()), room)
	first, err := s.listen(ctx, room, "")
	if err != nil {
		return nil // the server or the line is away
	}
	begun := first.next() // what a stream begins with
	first.close()
	if begun == nil { // another fault was faster
		return nil
	}
	epoch, after, ok := first.place()
	if !ok { // nothing tells where it began, but what is said from now on was to come
		now, err := s.page(ctx, room, "log?limit=1")
		if err != nil {
			return nil
		}
		epoch, after = now.Epoch, now.Seq
	}
	id := first.id
	for range 3 {
		sleep(ctx, between(rnd, 50*time.Millisecond, 600*time.Millisecond)) // something is said
		part := ObservedPart{Conn: s.ledger.connects(), Called: s.ledger.now(), Epoch: epoch, After: after}
		id = s.hearStream(ctx, rnd, run, part, id)
		if len(run.Parts) > 0 { // nobody else adds to it
			after, _ = s.ledger.last(run)
		}
		if id == "" && after == part.After || ctx.Err() != nil {
			return nil
		}
	}
	return nil
}

// hearStream resumes a stream and listens for a while. It returns the last id that
// came.
func (s *round) hearStream(ctx context.Context, rnd *rand.Rand, run *Observed, part ObservedPart, id string) string {
	ctx, cancel := context.WithTimeout(ctx, between(rnd, 100*time.Millisecond, time.Second))
	defer cancel()
	l, err := s.listen(ctx, run.Room, id)
	if err != nil {
		return id
	}
	defer l.close()
	s.ledger.part(run, part)
	for e := l.next(); e != nil; e = l.next() {
		if e["event"] == "behind" { // more than a stream carries was said meanwhile
			return ""
		}
		var f frame
		if json.Unmarshal([]byte(e["data"]), &f) == nil && f.Op == "event" {
			s.ledger.saw(run, f.event())
			s.count(func(r *Report) { r.Deliveries++ })
		}
	}
	return l.id
}
