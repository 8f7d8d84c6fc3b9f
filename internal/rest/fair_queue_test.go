package rest

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/chat"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// Many at one address wait for each other, and others for one of them at most.
func TestAddressesTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q fairQueue
		q.init(1, 1)
		greedy, others := addr("192.0.2.1"), []netip.Addr{addr("192.0.2.2"), addr("192.0.2.3")}
		var served []netip.Addr
		ask := func(from netip.Addr) {
			go func() {
				if err := q.enter(t.Context(), from); err != nil {
					t.Errorf("%s: %v", from, err)
					return
				}
				time.Sleep(10 * time.Millisecond)
				served = append(served, from)
				q.leave(from)
			}()
			synctest.Wait()
		}
		for range 20 {
			ask(greedy)
		}
		for _, other := range others {
			ask(other)
			ask(other)
		}
		synctest.Wait()
		time.Sleep(time.Second)
		synctest.Wait()
		if len(served) != 24 {
			t.Fatalf("%d were served, want 24", len(served))
		}
		for i, other := range others {
			if first, last := slices.Index(served, other),
				len(served)-1-slices.Index(reversed(served), other); first > 2+i || last > 5+i {
				t.Errorf("%s was served as number %d and %d, of %v", other, first, last, served)
			}
		}
		wantIdle(t, &q, 1)
	})
}

func reversed[T any](s []T) []T {
	s = slices.Clone(s)
	slices.Reverse(s)
	return s
}

// wantIdle fails unless nobody is served or waits.
func wantIdle(t *testing.T, q *fairQueue, free int) {
	t.Helper()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.free != free || len(q.busy)+len(q.waiting)+len(q.order)+q.total != 0 {
		t.Errorf("something is left: %+v", q)
	}
}

func TestTurnsRefuseWhoWaitsTooLongOrIsTooMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q fairQueue
		q.init(2, 1)
		from, other := addr("192.0.2.1"), addr("2001:db8::")
		if err := q.enter(t.Context(), from); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		answers := make(chan error, 2*mostTurnsEach)
		for i := range mostTurnsEach {
			by := t.Context()
			if i == 3 {
				by = ctx
			}
			go func() { answers <- q.enter(by, from) }()
		}
		synctest.Wait()
		if err := q.enter(t.Context(), from); chat.CodeOf(err) != chat.RateLimited ||
			chat.UserError(err).RetryAfter <= 0 {
			t.Errorf("one too many: %v", err)
		}
		if err := q.enter(t.Context(), other); err != nil {
			t.Errorf("somebody elsewhere: %v", err)
		}
		q.leave(other)
		cancel()
		if err := <-answers; err != context.Canceled {
			t.Errorf("somebody who has gone: %v", err)
		}
		begun := time.Now()
		for range mostTurnsEach - 1 {
			if err := <-answers; chat.CodeOf(err) != chat.RateLimited {
				t.Errorf("who waited for too long: %v", err)
			}
		}
		if took := time.Since(begun); took != maxWait {
			t.Errorf("they waited for %v", took)
		}
		q.leave(from)
		wantIdle(t, &q, 2)
	})
}

func TestAllTurnsTogetherHaveABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q fairQueue
		q.init(1, 1)
		if err := q.enter(t.Context(), addr("192.0.2.1")); err != nil {
			t.Fatal(err)
		}
		for i := range maxWaiting + 10 {
			go func() {
				if err := q.enter(t.Context(),
					addr(fmt.Sprintf("10.0.%d.%d", i/250, i%250))); chat.CodeOf(err) != chat.RateLimited {
					t.Errorf("number %d: %v", i, err)
				}
			}()
			synctest.Wait()
		}
		q.mu.Lock()
		waiting := q.total
		q.mu.Unlock()
		if waiting != maxWaiting {
			t.Errorf("%d wait, at most %d", waiting, maxWaiting)
		}
		time.Sleep(maxWait)
		synctest.Wait()
		q.leave(addr("192.0.2.1"))
		wantIdle(t, &q, 1)
	})
}

// An office, or a school, where all open the page at the same moment, has one address.
func TestAnOfficeOpensThePageAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q fairQueue
		q.init(1, 1)
		var office sync.WaitGroup
		for range 100 * 3 { // what a page asks for at first, and each takes some milliseconds
			office.Go(func() {
				if err := q.enter(t.Context(), addr("192.0.2.1")); err != nil {
					t.Error(err)
					return
				}
				time.Sleep(5 * time.Millisecond)
				q.leave(addr("192.0.2.1"))
			})
		}
		office.Wait()
		wantIdle(t, &q, 1)
	})
}
