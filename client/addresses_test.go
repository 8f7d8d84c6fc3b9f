package client

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// threeHosts are options whose addresses are those of one fake server: "fake", "second"
// and "third".
var threeHosts = Options{More: []string{"http://second", "ws://third/r/lobby"}}

// wantHosts fails unless clients have connected to these hosts, or tried to, in this order.
func (s *fakeServer) wantHosts(want ...string) {
	s.t.Helper()
	if got := s.hosts(); !slices.Equal(got, want) {
		s.t.Errorf("clients connected to %q, want %q", got, want)
	}
}

func TestAnotherAddressTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		s.setHost("fake", false, "")
		c := s.dial(threeHosts)
		join(t, c, "lobby", Position{})
		s.wantHosts("fake", "second")

		s.onCommand(func(cmd command) fakeFault { // its answer is lost, and the server with it
			return fakeFault{cut: cmd.Op == "send" && len(s.log["lobby"]) == 0}
		})
		if r, err := c.Send(t.Context(), "lobby", "once"); err != nil || r.Seq != 1 {
			t.Errorf("sent as %+v, %v", r, err)
		}
		s.post("lobby", 1)
		want(t, c, 1, 2)
		s.wantHosts("third")

		s.setHost("third", false, "")
		s.post("lobby", 3) // while there is no connection
		want(t, c, 3, 3)
		s.wantHosts("fake", "second") // in the order in which they failed
	})
}

func TestAServerThatStopsNamesTheFirstWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		c := s.dial(threeHosts)
		var waits []time.Duration
		for range 30 {
			s.setHost(c.server().Host, false, `{"code":"stopping","retry_within_ms":4000}`)
			time.Sleep(5 * time.Second)
			for _, host := range []string{"fake", "second", "third"} {
				s.setHost(host, true, "")
			}
			for _, e := range rest(t, c) {
				if e, ok := e.(Disconnected); ok {
					waits = append(waits, e.Retry)
					wantErrorCode(t, e.Err, Stopping)
				}
			}
		}
		if shortest, longest := slices.Min(waits), slices.Max(waits); len(waits) != 30 ||
			shortest > 2*time.Second || longest < 2*time.Second || longest > 4*time.Second {
			t.Errorf("%d waits between %v and %v", len(waits), shortest, longest)
		}
	})
}

func TestEachAddressIsTriedOncePerRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		c := s.dial(threeHosts)
		s.hosts()
		s.setDown(true)
		time.Sleep(3 * time.Minute)
		rounds := -1 // the last one has not begun
		for _, e := range rest(t, c) {
			if _, ok := e.(Disconnected); ok {
				rounds++
			}
		}
		tried := s.hosts()
		if rounds < 8 || rounds > 30 || len(tried) != 3*rounds {
			t.Errorf("%d attempts in %d rounds", len(tried), rounds)
		}
		for round := range slices.Chunk(tried, 3) {
			if slices.Sort(round); !slices.Equal(round, []string{"fake", "second", "third"}) {
				t.Errorf("a round of %q", round)
			}
		}
	})
}

func TestAnAddressThatSaysNothingHoldsUpForSevenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		c := s.dial(threeHosts)
		s.mu.Lock()
		s.silent["second"] = true
		s.mu.Unlock()
		began := time.Now()
		s.setHost("fake", false, "")
		s.post("lobby", 1)
		if _, err := c.Send(t.Context(), "lobby", "hi"); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took < 6*time.Second || took > 8*time.Second {
			t.Errorf("after %v at another address", took)
		}
	})
}

func TestAnAddressThatRefusesForGoodEndsTheClientOnlyIfAllDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		c := s.dial(threeHosts)
		foreign := &Error{Code: UnknownHost, Message: "Not my name."}
		s.mu.Lock()
		s.refusing["second"], s.refusing["third"] = foreign, foreign
		s.mu.Unlock()
		s.setHost("fake", false, "")
		time.Sleep(time.Minute)
		s.setHost("fake", true, "")
		if _, err := c.Send(t.Context(), "lobby", "hi"); err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		s.refusing["fake"] = foreign
		s.mu.Unlock()
		s.setHost("fake", false, "")
		s.setHost("fake", true, "")
		_, err := c.Send(t.Context(), "lobby", "hi")
		wantErrorCode(t, err, UnknownHost)
	})
}
