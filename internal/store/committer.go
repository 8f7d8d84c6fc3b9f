package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"parley/internal/access"
	"parley/internal/chat"
	"parley/internal/format"
)

// idleEvery is how often Upkeep.Idle is called.
const idleEvery = time.Minute

// Config says how a Committer works. The zero value of a field means its default.
type Config struct {
	// Remote says that the database is at the other end of a network. Then a connection may be
	// lost during COMMIT, and each draft without a nonce gets one of the server's own, by which
	// the next attempt finds out whether the first was committed. And Load is called at most
	// twice for a batch.
	Remote    bool
	Committed func(events int, took time.Duration) // called after each transaction that stored events
	Logger    *slog.Logger                         // default: discard
}

// A Committer writes everything that is stored, one transaction after the other. While
// one is being synced, drafts and writes gather for the next one. So the speed of the
// disk decides how large transactions are.
type Committer struct {
	engine Engine
	upkeep Upkeep
	cfg    Config
	queue  queue

	started atomic.Bool
	ran     chan struct{} // closed by Run when it returns

	// Owned by Run's goroutine.
	outage  outage
	batch   batch
	nonces  ownNonces
	results []chat.Commit // one for each item of a batch; kept for its memory
}

// New returns a Committer that does nothing until Run.
func New(engine Engine, upkeep Upkeep, cfg Config) *Committer {
	if cfg.Committed == nil {
		cfg.Committed = func(int, time.Duration) {}
	}
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	c := &Committer{engine: engine, upkeep: upkeep, cfg: cfg, ran: make(chan struct{})}
	c.queue.changed.L = &c.queue.mu
	return c
}

// Append queues a draft and returns at once. done is called exactly once, on one
// goroutine for the whole store, in the order of commits: for one room it sees seq
// ascending by 1. It must not block. After Run has returned it gets Stopping.
func (c *Committer) Append(d chat.Draft, done func(chat.Commit)) {
	it := item{draft: d, done: done}
	if k := d.Is(); k.IsSaid() || k == chat.Edit { // on the caller's goroutine, for which nobody waits
		it.mentions = chat.PossibleMentions(format.Mentionable(d.Text))
	}
	c.queue.push(it)
}

// Do queues a write that is no draft. run is called within the transaction that the
// write shares with what else waits: after the drafts before it have made their rooms
// and people, and before any of them has its seq. An error of run fails the whole
// transaction. done gets that error, after the commit; it must not block.
func (c *Committer) Do(run func(context.Context) error, done func(error)) {
	c.queue.push(item{write: &write{run: run, done: done}})
}

// Start is Do with a channel that gets the one result. An error in it is the cause, which a user must not see.
func (c *Committer) Start(run func(context.Context) error) <-chan error {
	done := make(chan error, 1)
	c.Do(run, func(err error) { done <- err })
	return done
}

// Await waits for the result of Start. Its error may be shown to a user. If ctx ends first, the write may still be
// committed.
func Await(ctx context.Context, started <-chan error) error {
	select {
	case err := <-started:
		return UserError(err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run commits what is queued. When ctx ends it commits what has been taken, calls
// every done, and returns.
func (c *Committer) Run(ctx context.Context) error {
	if c.started.Swap(true) {
		return errors.New("the store runs already")
	}
	defer close(c.ran)
	defer context.AfterFunc(ctx, c.queue.stop)()
	ctx = context.WithoutCancel(ctx) // what was taken is committed
	c.upkeep.Idle(ctx)
	idle := time.AfterFunc(idleEvery, c.queue.nudge)
	defer idle.Stop()
	for items, more := c.queue.take(nil); more; items, more = c.queue.take(items[:0]) {
		if len(items) == 0 {
			items = nil
			c.results, c.batch = nil, batch{}
			c.upkeep.Idle(ctx)
			idle.Reset(idleEvery)
			continue
		}
		c.commit(ctx, items)
		clear(items)
		c.upkeep.Written(ctx)
	}
	return nil
}

// Stop refuses what comes from now on. Run returns after it has committed the rest.
func (c *Committer) Stop() { c.queue.stop() }

// Close stops the committer, waits for Run if it has been called, and answers what
// was never committed.
func (c *Committer) Close() {
	c.queue.stop()
	if c.started.Load() {
		<-c.ran
	} else {
		c.queue.end()
	}
	c.queue.settle()
}

// Nudge calls Upkeep.Idle as soon as nothing waits.
func (c *Committer) Nudge() { c.queue.nudge() }

// commit stores items in one transaction, or none of them if that fails, and calls
// every done.
func (c *Committer) commit(ctx context.Context, items []item) {
	start := time.Now()
	stored, err := c.transact(ctx, items, start)
	full := err
	switch {
	case errors.Is(err, ErrRefused) && len(items) > 1: // one of them must not stop the others
		c.commit(ctx, items[:len(items)/2])
		c.commit(ctx, items[len(items)/2:])
		return
	case err != nil && hasDeletion(items):
		stored, err = c.rescue(ctx, items, err)
	case err == nil && anyWanted(items):
		c.recovered(ctx)
	}
	switch {
	case err != nil:
		c.logFailure(ctx, err, len(items))
	case stored > 0:
		c.cfg.Committed(stored, time.Since(start))
	}
	c.answer(items, full, err)
}

// answer calls every done. full is the reason why all but deletions were refused; err is
// the result of the transaction.
func (c *Committer) answer(items []item, full, err error) {
	last := len(items) - 1
	for last > 0 && items[last].write != nil {
		last--
	}
	for i := range items {
		result := &c.results[i]
		switch it := &items[i]; {
		case it.refused == errFull && it.write != nil:
			*result = chat.Commit{Err: full}
		case it.refused != nil:
			result.Err = it.refused
		case err != nil && it.write != nil:
			*result = chat.Commit{Err: err}
		case err != nil:
			*result = chat.Commit{Err: UserError(err)}
		}
		result.More = i < last
		items[i].answer(*result)
	}
}

// rescue stores the deletions among items after a transaction has failed with full, if
// the database can make room for them.
func (c *Committer) rescue(ctx context.Context, items []item, full error) (stored int, err error) {
	alone := false
	err = c.upkeep.Rescue(ctx, full, func() (err error) {
		if !alone {
			alone = true
			if refused := refuseOthers(items); refused > 0 {
				c.logFailure(ctx, full, refused)
			}
		}
		stored, err = c.transact(ctx, items, time.Now())
		return err
	})
	return stored, err
}

// refuseOthers refuses all items but deletions and returns how many these are.
func refuseOthers(items []item) (refused int) {
	for i := range items {
		if it := &items[i]; it.refused == nil && !it.deletes() {
			it.dropDraft(errFull)
			refused++
		}
	}
	return refused
}

// transact writes items in one transaction and returns how many events that stored.
func (c *Committer) transact(ctx context.Context, items []item, now time.Time) (stored int, err error) {
	clear(c.results)
	c.results = slices.Grow(c.results[:0], len(items))[:len(items)]
	if !anyWanted(items) {
		return 0, nil
	}
	if c.cfg.Remote {
		c.nonces.give(items)
	}
	tries := 0
	var before []chat.Commit // new events of earlier attempts
	err = c.engine.Transact(ctx, func(ctx context.Context) error {
		if tries++; tries > 1 {
			before = rememberNew(before, c.results)
			clear(c.results)
		}
		stored, err = c.write(ctx, items, now)
		stored += keepNew(c.results, before)
		return err
	})
	if err != nil {
		return 0, err
	}
	return stored, nil
}

// write carries out items within a transaction. Rooms, people and writes that are no
// drafts come first, in the order of items. Then the drafts are decided and written
// room by room, so that neighbours in a batch are neighbours in the file.
func (c *Committer) write(ctx context.Context, items []item, at time.Time) (stored int, err error) {
	rows, resolved := c.batch.rows[:0], 0
	resolve := func() error {
		err := c.engine.Resolve(ctx, rows[resolved:], at)
		resolved = len(rows)
		return err
	}
	for i := range items {
		switch it := &items[i]; {
		case it.refused != nil:
		case it.write != nil:
			if err := resolve(); err != nil {
				return 0, err
			}
			if err := it.write.run(ctx); err != nil {
				return 0, err
			}
		default:
			rows = append(rows, Row{Draft: &it.draft, Result: &c.results[i], mentions: it.mentions})
		}
	}
	if err := resolve(); err != nil {
		return 0, err
	}
	c.batch.rows = slices.DeleteFunc(rows, func(r Row) bool {
		if r.Room == nil {
			r.Result.Err = access.ErrNoMessage
		}
		return r.Room == nil
	})
	slices.SortStableFunc(c.batch.rows, func(a, b Row) int { return cmp.Compare(a.Room.Key, b.Room.Key) })
	return c.store(ctx, at)
}

// store loads, decides and writes the batch's rows, and returns how many events it
// has added. It does not ask for the nonces of plain messages, as nearly all are new.
// If one turns out to be known, it does the rest again with all nonces.
func (c *Committer) store(ctx context.Context, at time.Time) (stored int, err error) {
	b := &c.batch
	for first, nonces := 0, false; ; nonces = true {
		if err := b.load(ctx, c.engine, first, nonces, c.cfg.Remote); err != nil {
			return 0, err
		}
		if err := b.decide(first, at); err != nil {
			return 0, err
		}
		n, err := c.engine.Write(ctx, b.rows[first:], at)
		if err != nil {
			return 0, err
		}
		if first += n; first == len(b.rows) {
			break
		}
		if nonces {
			return 0, attempt(errNonceMissed, b.rows[first].Draft)
		}
		b.undo(first)
	}
	for i := range b.rows {
		if b.rows[i].Seq != 0 {
			stored++
		}
	}
	return stored, nil
}

var errNonceMissed = errors.New("a nonce is known that was not found")

// outageLogEvery is how often a lasting outage is logged.
const outageLogEvery = 10 * time.Second

// An outage is a time in which nothing can be written.
type outage struct {
	since  time.Time // zero: there is none
	logged time.Time // when one was last logged
}

// logFailure logs that a transaction has failed: the first of an outage, and then one
// line from time to time.
func (c *Committer) logFailure(ctx context.Context, err error, items int) {
	now := time.Now()
	if c.outage.since.IsZero() {
		c.outage.since = now
	}
	if now.Sub(c.outage.logged) < outageLogEvery {
		return
	}
	c.outage.logged = now
	c.cfg.Logger.LogAttrs(ctx, slog.LevelError, "the store cannot write: senders are told to try again",
		slog.Any("err", err), slog.Int("behind", items))
}

// recovered ends an outage after a transaction has succeeded.
func (c *Committer) recovered(ctx context.Context) {
	if c.outage.since.IsZero() {
		return
	}
	// An outage soon after another is not logged: the disk is almost full.
	if !c.outage.logged.Before(c.outage.since) {
		c.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "the store can write again",
			slog.Duration("took", time.Since(c.outage.since)))
	}
	c.outage.since = time.Time{}
	c.upkeep.Recovered(ctx)
}

var errKind = errors.New("there is no such kind of event")

// attempt adds to err which draft failed.
func attempt(err error, d *chat.Draft) error { return fmt.Errorf("%s in %s: %w", d.Is(), d.Room, err) }
