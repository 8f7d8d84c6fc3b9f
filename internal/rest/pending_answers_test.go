package rest

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
)

func TestWhatIsNotTakenIsCutOldestFirst(t *testing.T) {
	var u pendingAnswers
	var cut []string
	hold := func(name string, from netip.Addr, size int) (release func()) {
		return u.hold(from, size, func() { cut = append(cut, name) })
	}
	greedy, other := addr("192.0.2.1"), addr("192.0.2.2")
	kept := hold("other", other, maxPendingEach)
	const quarter = maxPendingEach / 4
	var releases []func()
	for i := range 7 {
		releases = append(releases, hold(fmt.Sprint(i), greedy, quarter))
	}
	if want := []string{"0", "1", "2"}; !slices.Equal(cut, want) {
		t.Errorf("cut %v, want %v", cut, want)
	}
	releases[4]()
	releases[4]()
	releases[0]()
	hold("7", greedy, quarter)
	if len(cut) != 3 {
		t.Errorf("there was room, but %v were cut", cut)
	}
	hold("huge", greedy, 2*maxPendingEach) // it is an answer all the same
	if want := []string{"0", "1", "2", "3", "5", "6", "7"}; !slices.Equal(cut, want) {
		t.Errorf("cut %v, want %v", cut, want)
	}
	kept()
	if u.total != 2*maxPendingEach || len(u.of) != 1 {
		t.Errorf("%d bytes of %d networks are counted", u.total, len(u.of))
	}
}

func TestWhoHasTakenLeastIsCutFirst(t *testing.T) {
	var u pendingAnswers
	cut := map[netip.Addr]int{}
	hold := func(from netip.Addr, size int) { u.hold(from, size, func() { cut[from]++ }) }
	greedy := addr("192.0.2.1")
	hold(greedy, maxPendingEach/2)
	hold(greedy, maxPendingEach/2)
	const small = 1 << 20
	for i := range 2 * maxPendingBytes / small {
		hold(addr(fmt.Sprintf("10.0.%d.%d", i/250, i%250)), small)
		if u.total > maxPendingBytes {
			t.Fatalf("%d bytes are kept", u.total)
		}
	}
	if cut[greedy] != 2 {
		t.Errorf("of the largest %d answers were cut", cut[greedy])
	}
}
