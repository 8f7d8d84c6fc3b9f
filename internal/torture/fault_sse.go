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

// An sseClient is one connection that listens by server-sent events, as a browser does.
type sseClient struct {
	answer *http.Response
	in     *bufio.Scanner
	id     string // the last id received; a browser sends it when it resumes
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

// next returns the fields up to the next blank line, or nil when the stream has ended.
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

// place returns the position in the last id; ok is false if there is none.
func (l *sseClient) place() (epoch string, seq int64, ok bool) {
	parts := strings.SplitN(l.id, ":", 3)
	if len(parts) < 2 {
		return "", 0, false
	}
	seq, err := strconv.ParseInt(parts[1], 10, 64)
	return parts[0], seq, err == nil
}

// cutSSE opens an event stream and cuts it before its first event. Then the client resumes as a
// browser does, with its last id, and must get every event since the stream began.
func (s *round) cutSSE(ctx context.Context, rnd *rand.Rand) error {
	room := s.rooms[rnd.IntN(len(s.rooms))]
	run := s.ledger.run(fmt.Sprintf("%s%d-stream", herdName, s.nextExtra()), room)
	first, err := s.listen(ctx, room, "")
	if err != nil {
		return nil // the server or the connection is down
	}
	begun := first.next() // the beginning of a stream: its id
	first.close()
	if begun == nil { // another fault was faster
		return nil
	}
	epoch, after, ok := first.place()
	if !ok { // no id tells where the stream began, but all new events must come
		now, err := s.page(ctx, room, "log?limit=1")
		if err != nil {
			return nil
		}
		epoch, after = now.Epoch, now.Seq
	}
	id := first.id
	for range 3 {
		sleep(ctx, between(rnd, 50*time.Millisecond, 600*time.Millisecond)) // messages are posted meanwhile
		part := ObservedPart{Conn: s.ledger.connects(), Called: s.ledger.now(), Epoch: epoch, After: after}
		id = s.hearStream(ctx, rnd, run, part, id)
		if len(run.Parts) > 0 { // nothing else adds to it
			after, _ = s.ledger.last(run)
		}
		if id == "" && after == part.After || ctx.Err() != nil {
			return nil
		}
	}
	return nil
}

// hearStream resumes a stream and listens for a while. It returns the last id received.
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
		if e["event"] == "behind" { // more events than a stream replays were posted meanwhile
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
