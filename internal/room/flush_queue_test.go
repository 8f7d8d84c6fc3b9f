package room

import (
	"testing"
	"testing/synctest"
	"time"
)

// A desk is a flushQueue whose flushers are played by the test.
type desk struct {
	*flushQueue
	t *testing.T
}

func newDesk(t *testing.T) desk {
	q := &flushQueue{}
	q.init()
	q.flushers = 2
	return desk{q, t}
}

// dirty returns a room with so many dirty shards.
func (d desk) dirty(shards int) *liveRoom {
	r := &liveRoom{}
	for range shards {
		r.shards = append(r.shards, &shard{room: r})
	}
	d.mark(r, r.shards...)
	return r
}

func (d desk) want(r *liveRoom, why string) *shard {
	d.t.Helper()
	s := d.take()
	if s == nil || s.room != r {
		d.t.Fatalf("took a shard of another room: %s", why)
	}
	return s
}

// wantNone takes in the background, and fails the test if that returns a shard.
func (d desk) wantNone(why string) (later chan *shard) {
	d.t.Helper()
	later = make(chan *shard, 1)
	go func() { later <- d.take() }()
	synctest.Wait()
	if len(later) > 0 {
		d.t.Fatal("took a shard: ", why)
	}
	return later
}

func TestLargeRoomLeavesAFlusherToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		big := d.dirty(10)
		first, second := d.want(big, "it is alone"), d.want(big, "it is alone and has both flushers")
		d.dirty(1)
		d.done(first, 0)
		third := d.want(big, "it was in front")
		d.done(second, 0)
		small := d.take()
		if small.room == big {
			t.Fatal("the small room's turn had come")
		}
		d.done(small, 0)
		later := d.wantNone("the large room would have both flushers, though another has just been flushed")
		other := d.dirty(1)
		if s := <-later; s.room != other {
			t.Fatal("the idle flusher did not take the small room")
		} else {
			d.done(s, 0)
		}
		d.done(third, 0)
		fourth := d.want(big, "nobody else has anything")
		time.Sleep(soloAfter + time.Millisecond)
		d.done(fourth, time.Second)
		d.want(big, "it is alone, and needs no rest")
		d.want(big, "it has been alone for long enough to have both")
		d.close()
	})
}

func TestLargeRoomRestsWhileOthersWrite(t *testing.T) {
	for name, tt := range map[string]struct{ took, rests time.Duration }{
		"as long as a shard took":             {3 * time.Millisecond, 3 * time.Millisecond},
		"a little, if the process was frozen": {time.Minute, longestRest},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				big := d.dirty(largeShards + 3)
				first := d.want(big, "it is alone")
				small := d.dirty(1)
				d.done(d.want(big, "it was in front"), 0)
				d.done(d.want(small, "its turn has come"), 0)
				d.done(first, tt.took)
				begun := time.Now()
				later := d.wantNone("the large room is at rest")
				d.done(<-later, tt.took)
				if rested := time.Since(begun); rested != tt.rests {
					t.Errorf("it rested for %v, want %v", rested, tt.rests)
				}
				d.want(big, "what is left of it is no large room's")
				d.close()
			})
		})
	}
}
