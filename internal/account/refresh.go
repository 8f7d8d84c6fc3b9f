package account

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/internal/chat"
)

// refreshes holds what has to be read from the store again, because another node may
// have changed it. The people of one node are read by a few workers, each person by
// one at a time.
type refreshes struct {
	mu   sync.Mutex
	work map[chat.PersonID]*refresh
	due  []chat.PersonID // who is in work and nobody's, in the order in which they came
	busy map[chat.PersonID]struct{}
	wake chan struct{} // has room for one: some are due

	failing atomic.Bool // the last batch could not be read
}

func (q *refreshes) init() {
	q.work, q.busy = map[chat.PersonID]*refresh{}, map[chat.PersonID]struct{}{}
	q.wake = make(chan struct{}, 1)
}

// A refresh is what has to be read again of one person.
type refresh struct {
	state bool                       // name and sessions
	list  bool                       // the whole list
	rooms map[chat.RoomName]struct{} // entries of the list
}

func (r *refresh) add(more refresh) {
	r.state = r.state || more.state
	r.list = r.list || more.list
	if r.rooms == nil {
		r.rooms = more.rooms
		return
	}
	maps.Copy(r.rooms, more.rooms)
}

const (
	refreshWorkers = 4   // readers of the store at a time
	refreshBatch   = 200 // people whose names and sessions are read together
	refreshPause   = time.Second
)

// add adds work for a person. It does not block.
func (q *refreshes) add(who chat.PersonID, more refresh) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if known := q.work[who]; known != nil {
		known.add(more)
		return
	}
	q.work[who] = &more
	if _, busy := q.busy[who]; !busy {
		q.due = append(q.due, who)
		q.signal()
	}
}

func (q *refreshes) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take returns people who are due and their work, which is the caller's until done. It
// waits until somebody is. It returns nil when ctx ends.
func (q *refreshes) take(ctx context.Context) map[chat.PersonID]*refresh {
	for {
		if batch := q.next(); len(batch) > 0 {
			return batch
		}
		select {
		case <-q.wake:
		case <-ctx.Done():
			return nil
		}
	}
}

func (q *refreshes) next() map[chat.PersonID]*refresh {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min((len(q.due)+refreshWorkers-1)/refreshWorkers, refreshBatch)
	batch := make(map[chat.PersonID]*refresh, n)
	for _, who := range q.due[:n] {
		batch[who] = q.work[who]
		delete(q.work, who)
		q.busy[who] = struct{}{}
	}
	if q.due = q.due[n:]; len(q.due) > 0 {
		q.signal()
	}
	return batch
}

// done gives people back who were taken.
func (q *refreshes) done(batch map[chat.PersonID]*refresh) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for who := range batch {
		delete(q.busy, who)
		if q.work[who] != nil { // has come meanwhile
			q.due = append(q.due, who)
			q.signal()
		}
	}
}

// Run reads again what other nodes have changed, until ctx ends.
func (a *Accounts) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for range refreshWorkers {
		g.Go(func() error {
			for {
				batch := a.refreshes.take(ctx)
				if batch == nil {
					return nil
				}
				err := a.carryOut(ctx, batch)
				a.refreshes.done(batch)
				if a.tellFailure(ctx, err); err != nil && !pause(ctx, refreshPause) {
					return nil
				}
			}
		})
	}
	return g.Wait()
}

// carryOut does the work of a batch, and adds again what could not be done. It returns
// an error of that.
func (a *Accounts) carryOut(ctx context.Context, batch map[chat.PersonID]*refresh) (failed error) {
	var ids []chat.PersonID
	for who, what := range batch {
		if what.state {
			ids = append(ids, who)
		}
	}
	if err := a.refreshStates(ctx, ids); err != nil {
		failed = err
		for _, who := range ids {
			a.refreshes.add(who, refresh{state: true})
		}
	}
	for who, what := range batch {
		if !what.list && len(what.rooms) == 0 {
			continue
		}
		if err := a.refreshList(ctx, who, what); err != nil {
			failed = err
			a.refreshes.add(who, refresh{list: what.list, rooms: what.rooms})
		}
	}
	return failed
}

// tellFailure logs that reading fails, once until it succeeds again.
func (a *Accounts) tellFailure(ctx context.Context, err error) {
	if was := a.refreshes.failing.Swap(err != nil); err != nil && !was && ctx.Err() == nil {
		a.logger.LogAttrs(ctx, slog.LevelWarn, "what other nodes change about people is not read yet",
			slog.Any("err", err))
	}
}

// pause waits for a time. It returns false when ctx ends.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
