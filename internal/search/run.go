package search

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"parley/internal/chat"
)

const (
	gatherFor   = 150 * time.Millisecond // between an event and its transaction, so that many events share one
	retryEvery  = 10 * time.Second       // after an error, such as a full disk
	readAgain   = time.Second            // after the log could not be read: a database that was away is back soon
	maxBatch    = 4000                   // events in a transaction
	maxText     = 1 << 20                // bytes of text in a transaction
	maxPage     = 500                    // events read from a room at a time
	waitingRows = 50_000                 // most events that are read and not indexed yet, about
	maxWork     = time.Second            // a part of the work that took longer has waited for the log
)

// Run indexes new events until ctx ends: first those of all rooms, then those of rooms for which EventStored was
// called. An error is logged once and the work is tried again. Nothing but the search depends on it.
func (x *Index) Run(ctx context.Context) error {
	defer x.close()
	for ctx.Err() == nil {
		wait := x.wake
		again := time.Duration(0)
		err := x.catchUp(ctx)
		if ctx.Err() != nil {
			break
		}
		x.report(ctx, err)
		if err != nil && isSourceFault(err) {
			wait, again = nil, readAgain
		} else if err != nil {
			wait, again = nil, retryEvery
		} else if next := x.nextLook(); !next.IsZero() {
			again = max(time.Until(next), gatherFor)
		}
		if err == nil && !x.walDirtySince.IsZero() {
			again = min(cmp.Or(again, wipeEvery), wipeEvery)
		}
		x.pause(ctx, wait, again)
	}
	return nil
}

// pause waits for wait, for the time most or for ctx, whichever comes first; 0 means no time limit.
func (x *Index) pause(ctx context.Context, wait <-chan struct{}, most time.Duration) {
	var over <-chan time.Time
	if most > 0 {
		timer := time.NewTimer(most)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-wait:
		rest(ctx, gatherFor)
		x.rest(ctx, gatherFor/2, false) // under heavy traffic, indexing begins with a rest
	case <-over:
	case <-ctx.Done():
	}
}

// report logs err, with which a catch-up ended, unless the last one failed too. It discards a file that cannot be used.
func (x *Index) report(ctx context.Context, err error) {
	if err != nil && isBroken(err) {
		x.discard(ctx, err)
	}
	switch {
	case x.database() != nil:
		x.closedSince = time.Time{}
	case x.closedSince.IsZero() && err != nil && !isSourceFault(err):
		x.closedSince = time.Now()
	}
	x.removeIfUnwipeable(ctx)
	if x.nextRetry().IsZero() {
		x.readErr = nil
	}
	if err == nil {
		err = x.readErr
	}
	switch {
	case err != nil && !x.errLogged:
		x.logger.LogAttrs(ctx, slog.LevelError,
			"the search index cannot follow the log: it is tried again", slog.Any("err", err))
	case err == nil && x.errLogged:
		x.logger.LogAttrs(ctx, slog.LevelInfo, "the search index follows again")
	}
	x.errLogged = err != nil
}

// catchUp opens the file if necessary and indexes the events that are not indexed yet.
func (x *Index) catchUp(ctx context.Context) error {
	x.mu.Lock()
	broken := x.broken
	x.broken = nil
	x.mu.Unlock()
	if broken != nil {
		x.discard(ctx, broken)
	}
	if db := x.database(); db != nil && !db.isSameFile() {
		x.logger.LogAttrs(ctx, slog.LevelWarn, "the search index was taken away or replaced: it is opened again")
		x.close()
	}
	if x.database() == nil {
		if err := x.start(ctx); err != nil {
			return err
		}
	}
	if err := x.look(ctx); err != nil {
		return err
	}
	if err := x.index(ctx, x.due()); err != nil {
		return err
	}
	return errors.Join(x.purge(ctx, nil), x.truncateWAL(ctx))
}

// start opens the file and finds the rooms with events that are not indexed. If a room's log is shorter than what was
// indexed, the log is another one, and the index is made again.
func (x *Index) start(ctx context.Context) error {
	begin := time.Now()
	heads, err := x.source.Heads(ctx)
	if err != nil {
		return fmt.Errorf("heads of all rooms: %w", err)
	}
	db, anew, err := openDatabase(ctx, x.dir, x.epoch)
	if err != nil {
		return err
	}
	for name, r := range db.rooms {
		if heads[name] < r.cursor {
			why := fmt.Errorf("room %s ends at %d, and %d were indexed: %w", name, heads[name], r.cursor, errStale)
			x.use(db)
			if !x.discard(ctx, why) {
				return why
			}
			return x.start(ctx)
		}
	}
	behind := 0
	x.mu.Lock()
	x.unknown = time.Time{}
	for name, head := range heads {
		cursor := db.rooms[name].cursor
		if head <= cursor {
			continue
		}
		l := &roomLag{events: int(head - cursor), touched: begin, purged: head}
		if cursor > 0 { // messages in the index may have been deleted
			l.deleted, l.purged = begin, cursor
		}
		x.lags[name] = l
		behind += l.events
	}
	x.mu.Unlock()
	x.use(db)
	x.walDirtySince = begin // the last process may have been killed before it truncated the WAL
	if anew && behind > 0 {
		x.logger.LogAttrs(ctx, slog.LevelInfo, "the search index is made anew", slog.Int("behind", behind))
	}
	return x.purge(ctx, nil)
}

// database returns the open file, nil if there is none. Only Run's goroutine opens and closes it.
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

// close waits for searches and closes the file.
func (x *Index) close() {
	x.open.Lock()
	defer x.open.Unlock()
	if x.db == nil {
		return
	}
	// After an interrupted statement SQLite does not empty the WAL when it closes the file. If truncating it fails
	// here, the next start does it.
	_ = x.db.truncateWAL(context.Background())
	if err := x.db.close(); err != nil {
		x.logger.LogAttrs(context.Background(), slog.LevelWarn, "closing the search index", slog.Any("err", err))
	}
	x.db = nil
}

// discard closes and removes the file because of why; the next catch-up makes it again. It reports whether the file is
// removed.
func (x *Index) discard(ctx context.Context, why error) bool {
	if x.database() == nil {
		return true
	}
	x.logger.LogAttrs(ctx, slog.LevelWarn, "the search index cannot be used and is thrown away", slog.Any("err", why))
	x.close()
	return x.remove(ctx)
}

// remove removes the files of the closed index, and so all deleted text in them. It reports whether they are removed.
func (x *Index) remove(ctx context.Context) bool {
	if err := removeDatabase(filepath.Join(x.dir, fileName)); err != nil {
		x.logger.LogAttrs(ctx, slog.LevelError, "removing the search index", slog.Any("err", err))
		return false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, l := range x.lags {
		l.deleted = time.Time{}
	}
	x.walDirtySince = time.Time{}
	return true
}

// index indexes the events of the rooms that are due. It orders the events of all rooms by time, because a document's
// number is its place in time. A room that cannot be read is left for later and does not hold up the others.
func (x *Index) index(ctx context.Context, due map[chat.RoomName]chat.Seq) error {
	page := min(max(waitingRows/max(len(due), 1), 1), maxPage)
	var feeds feeds
	all := make(map[chat.RoomName]*feed)
	for name, cursor := range due {
		f := &feed{room: name, after: cursor}
		if err := x.read(ctx, f, page); err != nil {
			return err
		}
		all[name] = f
		if x.settle(f, 0); len(f.events) > 0 {
			feeds = append(feeds, f)
		}
	}
	heap.Init(&feeds)
	var batch []chat.Event
	text := 0
	begin := time.Now()
	for len(feeds) > 0 {
		f := feeds[0]
		batch = append(batch, f.events[0])
		text += len(f.events[0].Text)
		f.last = f.events[0].At
		if f.events = f.events[1:]; len(f.events) == 0 && f.more {
			if err := x.read(ctx, f, page); err != nil {
				return err
			}
		}
		if len(f.events) == 0 {
			heap.Pop(&feeds)
		} else {
			heap.Fix(&feeds, 0)
		}
		full := len(batch) >= maxBatch || text >= maxText
		if !full && len(feeds) > 0 {
			continue
		}
		if err := x.apply(ctx, batch); err != nil {
			return err
		}
		applied := make(map[chat.RoomName]int)
		for _, e := range batch {
			applied[e.Room]++
		}
		for room, events := range applied {
			x.settle(all[room], events)
		}
		if len(feeds) > 0 {
			if err := errors.Join(x.purge(ctx, feeds), x.truncateWAL(ctx)); err != nil {
				return err
			}
		}
		x.rest(ctx, time.Since(begin), full)
		batch, text, begin = batch[:0], 0, time.Now()
	}
	return nil
}

// settle records how far a room is indexed, after so many more events.
func (x *Index) settle(f *feed, events int) {
	switch {
	case len(f.events) > 0:
		x.advance(f.room, events, f.events[0].At)
	case !f.failed:
		x.advance(f.room, events, time.Time{})
	case !f.last.IsZero():
		x.advance(f.room, events, f.last)
	}
}

// read reads the next events of a room. An error of the log is recorded for the room; the error returned is ctx's.
func (x *Index) read(ctx context.Context, f *feed, page int) error {
	x.reads(f.room)
	err := f.read(ctx, x.source, page)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		x.cannotRead(f.room)
		x.readErr = err
		f.events, f.more, f.failed = nil, false, true
	}
	return nil
}

// rest waits after a part of the work that took that long, because others need the processor: if there is more work,
// and longer while traffic is heavy.
func (x *Index) rest(ctx context.Context, took time.Duration, more bool) {
	took = min(took, maxWork)
	if more && !x.traffic.isHeavy() {
		rest(ctx, 2*took)
	}
	const step = 100 * time.Millisecond
	factor := time.Duration(heavyRest)
	if _, age := x.Lag(); age > longHeavy {
		factor = lateRest
	}
	for left := factor * took; left > 0 && x.traffic.isHeavy() && ctx.Err() == nil; left -= step {
		rest(ctx, min(left, step))
	}
}

// rest waits for d or for ctx.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
