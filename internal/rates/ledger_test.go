package rates_test

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/rates"
)

// A node is a limit with a Ledger.
type node struct {
	ledger rates.Ledger
	limit  *rates.Rates[netip.Addr]
}

func newNode(perSecond float64, burst int) *node {
	n := &node{limit: rates.New[netip.Addr](perSecond, burst)}
	rates.ShareByAddress(&n.ledger, "things", n.limit)
	return n
}

// exchange tells each node what the others have counted.
func exchange(t *testing.T, nodes ...*node) {
	t.Helper()
	for i, from := range nodes {
		for _, message := range from.ledger.Drain(64 << 10) {
			for j, to := range nodes {
				if i == j {
					continue
				}
				if err := to.ledger.Charge(message); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

var home = netip.MustParseAddr("2001:db8::")

func TestRateOverThreeNodesIsThatOfOne(t *testing.T) {
	const (
		perSecond, burst, nodes = 5, 20, 3
		seconds                 = 60
		delay                   = 100 * time.Millisecond
	)
	tests := map[string]struct {
		tries func(i int) []int // the nodes that are tried in the i-th step of 10 ms
	}{
		"all nodes always":    {func(int) []int { return []int{0, 1, 2} }},
		"one after the other": {func(i int) []int { return []int{i % 3} }},
		"one for ten seconds": {func(i int) []int { return []int{i / 1000 % 3} }},
		"one node":            {func(int) []int { return []int{1} }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all := []*node{newNode(perSecond, burst), newNode(perSecond, burst), newNode(perSecond, burst)}
				taken := 0
				for i := range seconds * 100 {
					for _, n := range tt.tries(i) {
						if all[n].limit.Take(home) == 0 {
							taken++
						}
					}
					time.Sleep(10 * time.Millisecond)
					if i%10 == 9 {
						exchange(t, all...)
					}
				}
				ofOne := burst + perSecond*seconds
				most := ofOne + (nodes-1)*(burst+int(perSecond*delay.Seconds())+1)
				if taken < ofOne-burst || taken > most {
					t.Errorf("%d events, want about the %d of one node, at most %d", taken, ofOne, most)
				}
			})
		})
	}
}

func TestBurstOnEachNodeIsMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newNode(1, 10), newNode(1, 10)
		for range 10 {
			if a.limit.Take(home) > 0 || b.limit.Take(home) > 0 {
				t.Fatal("a burst is refused before the nodes have talked")
			}
		}
		exchange(t, a, b)
		for i, n := range []*node{a, b} {
			if left := n.limit.Left(home); left != -10 {
				t.Errorf("node %d: %d are left, want the other's burst as debt", i, left)
			}
			if wait := n.limit.Take(home); wait != 11*time.Second {
				t.Errorf("node %d: wait %v", i, wait)
			}
		}
		exchange(t, a, b) // what was charged or refused is not told again
		if left := a.limit.Left(home); left != -10 {
			t.Errorf("%d are left", left)
		}
	})
}

func TestLargeChargesAreToldWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newNode(1, 10), newNode(1, 10)
		for range 3 {
			a.limit.Charge(home, 1000) // counts as a burst
		}
		exchange(t, a, b)
		if a.limit.Left(home) != -20 || b.limit.Left(home) != -20 {
			t.Errorf("%d and %d are left, want -20", a.limit.Left(home), b.limit.Left(home))
		}
	})
}

func TestMembersAndGroupsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type person string
		var ledgers [2]rates.Ledger
		var limits [2]*rates.Shared[person, netip.Addr]
		for i := range limits {
			limits[i] = rates.NewShared[person, netip.Addr](1, 2, 2)
			rates.ShareBoth(&ledgers[i], "messages", limits[i])
		}
		for _, who := range []person{"ada", "ada", "grace", "grace"} {
			if wait, _ := limits[0].Take(who, home); wait > 0 {
				t.Fatalf("%s has to wait %v", who, wait)
			}
		}
		for _, message := range ledgers[0].Drain(64 << 10) {
			if err := ledgers[1].Charge(message); err != nil {
				t.Fatal(err)
			}
		}
		if wait, ofGroup := limits[1].Take("ada", netip.MustParseAddr("192.0.2.1")); wait == 0 || ofGroup {
			t.Errorf("the member elsewhere: wait %v, of the group %v", wait, ofGroup)
		}
		if wait, ofGroup := limits[1].Take("eve", home); wait == 0 || !ofGroup {
			t.Errorf("another member of the group: wait %v, of the group %v", wait, ofGroup)
		}
	})
}

func TestManyKeysAreToldInSeveralMessages(t *testing.T) {
	a, b := newNode(1, 10), newNode(1, 10)
	address := func(i int) netip.Addr { return netip.MustParseAddr(fmt.Sprintf("192.0.%d.%d", i/256, i%256)) }
	for i := range 1000 {
		a.limit.Take(address(i))
	}
	messages := a.ledger.Drain(1000)
	for _, m := range messages {
		if len(m) > 1100 {
			t.Errorf("a message of %d bytes", len(m))
		}
		if err := b.ledger.Charge(m); err != nil {
			t.Fatal(err)
		}
	}
	if len(messages) < 10 || b.limit.Len() != 1000 {
		t.Errorf("%d messages told of %d keys, want 1000", len(messages), b.limit.Len())
	}
	if again := a.ledger.Drain(1000); again != nil {
		t.Errorf("told again: %q", again)
	}
}

func TestNothingIsRecordedWithoutALedger(t *testing.T) {
	r := rates.New[netip.Addr](1, 10)
	rates.ShareByAddress(nil, "things", r)
	if n := testing.AllocsPerRun(1000, func() { r.Charge(home, 1) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestGarbledMessageIsRefused(t *testing.T) {
	n := newNode(1, 10)
	n.limit.Take(home)
	whole := n.ledger.Drain(64 << 10)[0]
	for i := 1; i < len(whole); i++ {
		if err := n.ledger.Charge(whole[:i]); err == nil {
			t.Errorf("%q is accepted", whole[:i])
		}
	}
	if err := n.ledger.Charge([]byte("\x06things\x03abc\x01")); err == nil {
		t.Error("three bytes are accepted as an address")
	}
	if err := n.ledger.Charge([]byte("\x05newer\x03abc\x01")); err != nil {
		t.Errorf("a limit of a newer program: %v", err)
	}
}

func FuzzCharge(f *testing.F) {
	f.Add([]byte("\x06things\x04\x01\x02\x03\x04\x01"))
	f.Fuzz(func(t *testing.T, message []byte) {
		n := newNode(1, 10)
		_ = n.ledger.Charge(message)
		if told := n.ledger.Drain(64 << 10); told != nil {
			t.Errorf("what others have counted is told: %q", told)
		}
	})
}
