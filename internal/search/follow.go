package search

import (
	"container/heap"
	"context"
	"fmt"
	"log/slog"
	"time"

	"parley/internal/chat"
)

const (
	gatherFor   = 150 * time.Millisecond // between an event and its transaction, so that many share one
	retryEvery  = 10 * time.Second       // while the disk is full, or the log cannot be read
	maxBatch    = 2000                   // events in a transaction
	maxText     = 1 << 20                // bytes of text in one
	maxPage     = 500                    // events read from a room at a time
	waitingRows = 50_000                 // events read and not indexed yet, at most about so many
	manyEvents  = 100_000                // after so many the lists are written anew, as one for each token
)

// Run keeps the index in step with the log until ctx ends: at first with all
// rooms, then with those that are touched. What goes wrong is logged once, and
// tried again: nothing but the search depends on it.
func (x *Index) Run(ctx context.Context) error {
	defer x.close()
	due := make(map[chat.RoomName]bool)
	for ctx.Err() == nil {
		wait := x.wake
		var again <-chan time.Time
		if err := x.catchUp(ctx, due); err != nil {
			if ctx.Err() != nil {
				break
			}
			x.trouble(ctx, err)
			wait, again = nil, time.After(retryEvery)
		} else if x.troubled {
			x.troubled = false
			x.logger.LogAttrs(ctx, slog.LevelInfo, "the search index follows again")
		}
		select {
		case <-wait:
			rest(ctx, gatherFor)
			x.rest(ctx, gatherFor/2, false) // in a storm it begins with a rest
		case <-again:
		case <-ctx.Done():
		}
	}
	return nil
}

// trouble logs what ended a catch-up, once, and lets go of a file that is broken.
func (x *Index) trouble(ctx context.Context, err error) {
	if !x.troubled {
		x.logger.LogAttrs(ctx, slog.LevelError, "the search index cannot follow the log: it is tried again", slog.Any("err", err))
		x.troubled = true
	}
	if isBroken(err) {
		x.discard(ctx, err)
	}
}

// catchUp opens the file if it is not, and indexes whatever is in the log and not
// in the index. due holds the rooms that an attempt before has left.
func (x *Index) catchUp(ctx context.Context, due map[chat.RoomName]bool) error {
	x.mu.Lock()
	broken := x.broken
	x.broken = nil
	x.mu.Unlock()
	if broken != nil {
		x.discard(ctx, broken)
	}
	if x.database() == nil {
		clear(due)
		if err := x.start(ctx, due); err != nil {
			x.close()
			return err
		}
	}
	x.mu.Lock()
	for room := range x.touched {
		due[room] = true
	}
	clear(x.touched)
	x.mu.Unlock()
	if err := x.index(ctx, due); err != nil {
		return err
	}
	clear(due)
	x.behind.Store(0)
	return x.forget(ctx)
}

// start opens the file, and finds which rooms are ahead of it. A log that is
// shorter than what was indexed is another one.
func (x *Index) start(ctx context.Context, due map[chat.RoomName]bool) error {
	heads, err := x.source.Heads(ctx)
	if err != nil {
		return fmt.Errorf("heads of all rooms: %w", err)
	}
	db, anew, err := openDatabase(ctx, x.dir, x.epoch)
	if err != nil {
		return err
	}
	x.use(db)
	for name, r := range db.rooms {
		if heads[name] < r.cursor {
			x.discard(ctx, fmt.Errorf("room %s ends at %d, and %d were indexed: %w", name, heads[name], r.cursor, errStale))
			return x.start(ctx, due)
		}
	}
	behind := int64(0)
	for name, head := range heads {
		if cursor := db.rooms[name].cursor; head > cursor {
			due[name] = true
			behind += int64(head - cursor)
		}
	}
	x.behind.Store(behind)
	if anew && behind > 0 {
		x.logger.LogAttrs(ctx, slog.LevelInfo, "the search index is made anew", slog.Int64("behind", behind))
	}
	return nil
}

// database returns the file in use, nil if it is not open. Run's goroutine alone
// opens and closes it.
func (x *Index) database() *database {
	x.open.RLock()
	defer x.open.RUnlock()
	return x.db
}

func (x *Index) use(db *database) {
	x.open.Lock()
	defer x.open.Unlock()
	x.db = db
}

// close lets go of the file once no search uses it.
func (x *Index) close() {
	x.open.Lock()
	defer x.open.Unlock()
	if x.db == nil {
		return
	}
	if err := x.db.close(); err != nil {
		x.logger.LogAttrs(context.Background(), slog.LevelWarn, "closing the search index", slog.Any("err", err))
	}
	x.db = nil
}

// discard removes the file: the next catch-up makes it anew.
func (x *Index) discard(ctx context.Context, why error) {
	db := x.database()
	if db == nil {
		return
	}
	x.logger.LogAttrs(ctx, slog.LevelWarn, "the search index cannot be used and is thrown away", slog.Any("err", why))
	x.close()
	if err := removeDatabase(db.path); err != nil {
		x.logger.LogAttrs(ctx, slog.LevelError, "removing the search index", slog.Any("err", err))
	}
}

// index indexes the events of the rooms that are due, those of all rooms in the
// order of time: a document's number tells its age.
func (x *Index) index(ctx context.Context, due map[chat.RoomName]bool) error {
	page := min(max(waitingRows/max(len(due), 1), 1), maxPage)
	var feeds feeds
	for name := range due {
		x.db.mu.Lock()
		f := &feed{room: name, after: x.db.rooms[name].cursor}
		x.db.mu.Unlock()
		if err := f.read(ctx, x.source, page); err != nil {
			return err
		}
		if len(f.events) > 0 {
			feeds = append(feeds, f)
		}
	}
	heap.Init(&feeds)
	var batch []chat.Event
	text := 0
	begin := time.Now()
	flush := func() error {
		if err := x.apply(ctx, batch); err != nil {
			return err
		}
		x.untidy += len(batch)
		x.behind.Add(-min(int64(len(batch)), x.behind.Load()))
		x.rest(ctx, time.Since(begin), len(batch) >= maxBatch || text >= maxText)
		batch, text, begin = batch[:0], 0, time.Now()
		return nil
	}
	for len(feeds) > 0 {
		f := feeds[0]
		batch = append(batch, f.events[0])
		text += len(f.events[0].Text)
		if f.events = f.events[1:]; len(f.events) == 0 && f.more {
			if err := f.read(ctx, x.source, page); err != nil {
				return err
			}
		}
		if len(f.events) == 0 {
			heap.Pop(&feeds)
		} else {
			heap.Fix(&feeds, 0)
		}
		if len(batch) >= maxBatch || text >= maxText || len(feeds) == 0 {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if x.untidy < manyEvents {
		return nil
	}
	x.untidy = 0
	if err := x.db.rewrite(ctx); err != nil {
		return err
	}
	return x.db.wipe(ctx)
}

// rest waits after work that took so long: others want the machine too, if there is
// more of it to come, and the more in a storm, until that is over.
func (x *Index) rest(ctx context.Context, took time.Duration, more bool) {
	if more && !x.traffic.isStorm() {
		rest(ctx, 2*took)
	}
	const step = 100 * time.Millisecond
	for left := stormRest * took; left > 0 && x.traffic.isStorm() && ctx.Err() == nil; left -= step {
		rest(ctx, min(left, step))
	}
}

// rest waits, but no longer than ctx.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// A feed is what has been read of a room and not been indexed.
type feed struct {
	room   chat.RoomName
	after  chat.Seq
	events []chat.Event
	more   bool // there may be
}

func (f *feed) read(ctx context.Context, source Source, page int) error {
	events, err := source.After(ctx, f.room, f.after, page)
	if err != nil {
		return err
	}
	f.events, f.more = events, len(events) == page
	for i := range events {
		events[i].Room = f.room
		if events[i].Seq <= f.after {
			return fmt.Errorf("events of %s after %d: %d comes next", f.room, f.after, events[i].Seq)
		}
		f.after = events[i].Seq
	}
	return nil
}

// feeds are a heap: the one whose next event is oldest comes first.
type feeds []*feed

func (f feeds) Len() int      { return len(f) }
func (f feeds) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f *feeds) Push(any)     { panic("feeds only become fewer") }

func (f feeds) Less(i, j int) bool {
	a, b := f[i].events[0], f[j].events[0]
	if !a.At.Equal(b.At) {
		return a.At.Before(b.At)
	}
	return f[i].room < f[j].room
}

func (f *feeds) Pop() any {
	last := len(*f) - 1
	popped := (*f)[last]
	*f = (*f)[:last]
	return popped
}
