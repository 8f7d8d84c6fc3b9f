package torture

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"
)

// forgetLimit is how long after a deletion another node may show the text, whatever happens to the bus. It is far more
// than it takes, because machines on which this runs are busy; the report has the times.
const forgetLimit = 10 * time.Second

// checkDeletion checks that all nodes forget a deleted message. Faults are over, except those of the bus that last.
func (s *round) checkDeletion(ctx context.Context, n int) error {
	if err := s.deleteEverywhere(ctx); err != nil {
		return err
	}
	e := s.ledger.evidence(nil)
	if found := Check(Evidence{Remembered: e.Remembered}); len(found) > 0 {
		return s.broken(n, e, found)
	}
	return nil
}

// deleteEverywhere lets a message be seen by members, in memory and by the search of every node, deletes it on one, and
// measures when the others have forgotten it.
func (s *round) deleteEverywhere(ctx context.Context) error {
	p, room := s.prober, s.rooms[0]
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said++
	a := Attempt{
		Author: p.person, Room: room, Kind: Message, Nonce: fmt.Sprintf("%s-%d", proberName, p.said),
		Text: fmt.Sprintf("%s says secret%d", proberName, p.said),
	}
	seq, err := p.repeat(ctx, a)
	if err != nil {
		return err
	}
	var nodes []*forgetting
	defer func() {
		for _, f := range nodes {
			f.member.ws.CloseNow()
		}
	}()
	for i, node := range s.cfg.Subject.(hasNodes).URLs() {
		f := &forgetting{s: s, node: node, name: fmt.Sprint("node ", i+1), seq: seq, word: fmt.Sprint("secret", p.said)}
		if err := f.remember(ctx); err != nil {
			return fmt.Errorf("%s learns of a message to be deleted: %w", f.name, err)
		}
		nodes = append(nodes, f)
	}
	a.Kind, a.Target, a.Text, a.Nonce = Delete, seq, "", a.Nonce+"-deleted"
	if _, err := p.repeat(ctx, a); err != nil {
		return err
	}
	deleted := time.Now()
	var wg sync.WaitGroup
	for _, f := range nodes {
		wg.Go(func() { f.await(ctx, "stream", deleted, f.hears) })
		wg.Go(func() { f.await(ctx, "memory", deleted, f.isOutOfMemory) })
		wg.Go(func() {
			f.await(ctx, "search", deleted, func(ctx context.Context) (bool, error) { return f.finds(ctx, 0) })
		})
	}
	wg.Wait()
	return nil
}

// A forgetting is what one node knows of a message that is deleted.
type forgetting struct {
	s          *round
	node, name string // the node's address and name
	seq        int64
	word       string // in the text
	member     *connection
	searched   string // what the search answered last
}

// remember lets a member at the node see the message, and waits until the node's search finds it.
func (f *forgetting) remember(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, waitLimit)
	defer cancel()
	member, seen, err := f.join(ctx)
	if err != nil {
		return err
	}
	f.member = member
	if !strings.Contains(seen.Text, f.word) {
		return fmt.Errorf("a member saw %q", seen.Text)
	}
	for {
		found, err := f.finds(ctx, 1)
		if found {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("its search does not find it, and last %s: %w", f.searched, err)
		}
		sleep(ctx, 20*time.Millisecond)
	}
}

// join joins the room at the node and returns the message as it comes there.
func (f *forgetting) join(ctx context.Context) (*connection, frame, error) {
	v, answer, err := f.s.joinAt(ctx, f.node, f.s.rooms[0], map[string]any{"after": f.seq - 1})
	if err != nil {
		return nil, answer, err
	}
	for answer.Op != "event" || answer.Seq != f.seq {
		if answer, err = v.read(ctx); err != nil {
			v.ws.CloseNow()
			return nil, answer, err
		}
	}
	return v, answer, nil
}

// finds reports whether the node's search finds so many messages with the word.
func (f *forgetting) finds(ctx context.Context, many int) (bool, error) {
	var answer struct {
		Hits     []struct{} `json:"hits"`
		Complete bool       `json:"complete"`
	}
	q := url.Values{"q": {f.word}, "room": {f.s.rooms[0]}}
	began := time.Now()
	err := f.s.getFrom(ctx, f.node, "/api/search?"+q.Encode(), f.s.prober.session, &answer)
	if err == nil {
		f.searched = fmt.Sprintf("had %d hits (complete: %v) after %v", len(answer.Hits), answer.Complete,
			time.Since(began))
	}
	return err == nil && len(answer.Hits) == many && answer.Complete, err
}

// hears waits for the deletion on the member's connection.
func (f *forgetting) hears(ctx context.Context) (bool, error) {
	e, err := f.member.next(ctx)
	return err == nil && e.Op == "event" && e.Kind == Delete && e.Target == f.seq, err
}

// isOutOfMemory reports whether a new member is shown a deleted message in place of the text.
func (f *forgetting) isOutOfMemory(ctx context.Context) (bool, error) {
	v, seen, err := f.join(ctx)
	if err != nil {
		return false, err
	}
	v.ws.CloseNow()
	return seen.Gone && seen.Text == "", nil
}

// await repeats a look until it returns true, and records how long that took.
func (f *forgetting) await(ctx context.Context, where string, since time.Time,
	look func(context.Context) (bool, error),
) {
	limit, cancel := context.WithDeadline(ctx, since.Add(forgetLimit))
	defer cancel()
	for {
		forgotten, err := look(limit)
		switch {
		case forgotten:
			f.s.back("deleted text, "+where, time.Since(since))
			return
		case ctx.Err() != nil:
			return
		case limit.Err() != nil:
			f.s.ledger.remembered(fmt.Sprintf("the %s of %s had a text %v after its deletion (%v)", where, f.name,
				forgetLimit, err))
			return
		}
		sleep(limit, 10*time.Millisecond)
	}
}
