package account

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/internal/chat"
)

// refreshes are people of whom something has to be read from the store again, because
// another node may have changed it. Each person is read by one worker at a time.
type refreshes struct {
	mu   sync.Mutex
	work map[chat.PersonID]refresh
	due  []chat.PersonID // who is in work and nobody's, in the order in which they came
	busy map[chat.PersonID]struct{}
	wake chan struct{} // has room for one: some are due
}

// A refresh is what has to be read again of one person's list. For names and sessions,
// which are always read together, it is empty.
type refresh struct {
	whole bool                       // the whole list
	rooms map[chat.RoomName]struct{} // entries of it
}

func (r refresh) with(more refresh) refresh {
	r.whole = r.whole || more.whole
	if r.rooms == nil {
		r.rooms = more.rooms
	} else {
		maps.Copy(r.rooms, more.rooms)
	}
	return r
}

// Names and sessions are read by one worker, for many people at once. Lists are read by
// two, so that those of all people, after the bus was away, do not take the store from
// everybody else.
const (
	stateBatch   = 200
	listWorkers  = 2
	refreshPause = time.Second // after an error
)

func (q *refreshes) init() {
	q.work, q.busy = map[chat.PersonID]refresh{}, map[chat.PersonID]struct{}{}
	q.wake = make(chan struct{}, 1)
}

// add adds work for a person. It does not block.
func (q *refreshes) add(who chat.PersonID, more refresh) {
	q.mu.Lock()
	defer q.mu.Unlock()
	known, waits := q.work[who]
	q.work[who] = known.with(more)
	if _, busy := q.busy[who]; !waits && !busy {
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

// take returns up to n people who are due with their work, which is the caller's until
// done. It waits until somebody is. It returns nil when ctx ends.
func (q *refreshes) take(ctx context.Context, n int) map[chat.PersonID]refresh {
	for {
		if batch := q.next(n); len(batch) > 0 {
			return batch
		}
		select {
		case <-q.wake:
		case <-ctx.Done():
			return nil
		}
	}
}

func (q *refreshes) next(n int) map[chat.PersonID]refresh {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, len(q.due))
	batch := make(map[chat.PersonID]refresh, n)
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
func (q *refreshes) done(batch map[chat.PersonID]refresh) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for who := range batch {
		delete(q.busy, who)
		if _, waits := q.work[who]; waits { // has come meanwhile
			q.due = append(q.due, who)
			q.signal()
		}
	}
}

// Run reads again what other nodes have changed, until ctx ends.
func (a *Accounts) Run(ctx context.Context) error {
	defer a.ends.Wait()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		a.work(ctx, &a.states, stateBatch, a.refreshStates)
		return nil
	})
	for range listWorkers {
		g.Go(func() error {
			a.work(ctx, &a.lists, 1, a.refreshLists)
			return nil
		})
	}
	return g.Wait()
}

// work lets do read what is due, up to n people at a time, until ctx ends. What fails is
// tried again.
func (a *Accounts) work(
	ctx context.Context, q *refreshes, n int, do func(context.Context, map[chat.PersonID]refresh) error,
) {
	failing := false
	for {
		batch := q.take(ctx, n)
		if batch == nil {
			return
		}
		err := do(ctx, batch)
		if err != nil {
			for who, what := range batch {
				q.add(who, what)
			}
		}
		q.done(batch)
		if err != nil && !failing && ctx.Err() == nil {
			a.logger.LogAttrs(ctx, slog.LevelWarn, "what other nodes change about people is not read yet",
				slog.Any("err", err))
		}
		if failing = err != nil; failing && !pause(ctx, refreshPause) {
			return
		}
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
