package room

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestLargeRoomLeavesAFlusherToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &flushQueue{}
		q.init()
		q.flushers = 2
		roomOf := func(shards int) *liveRoom {
			r := &liveRoom{}
			for range shards {
				r.shards = append(r.shards, &shard{room: r})
			}
			q.mark(r, r.shards...)
			return r
		}
		want := func(r *liveRoom, why string) *shard {
			t.Helper()
			s := q.take()
			if s == nil || s.room != r {
				t.Fatalf("took a shard of another room: %s", why)
			}
			return s
		}

		large := roomOf(10)
		first, second := want(large, "it is alone"), want(large, "it is alone and has both flushers")
		small := roomOf(1)
		q.done(first)
		third := want(large, "it was in front")
		q.done(second)
		last := want(small, "its turn has come")
		q.done(last)
		idle := make(chan *shard)
		go func() { idle <- q.take() }()
		synctest.Wait()
		select {
		case <-idle:
			t.Fatal("the large room has both flushers, though another has just been flushed")
		default:
		}
		small = roomOf(1)
		if s := <-idle; s.room != small {
			t.Fatal("the idle flusher did not take the small room")
		} else {
			q.done(s)
		}
		q.done(third)
		fourth := want(large, "nobody else has anything")
		time.Sleep(alone + time.Millisecond)
		q.done(fourth)
		want(large, "it is alone")
		want(large, "it has been alone for long enough to have both")
		q.close()
	})
}
