package httpdoor

import (
	"fmt"
	"net/netip"
	"testing"

	"parley/internal/chat"
)

func TestProbesAreRememberedOnlySoMany(t *testing.T) {
	var p probes
	p.init(1)
	from := netip.MustParseAddr("192.0.2.1")
	p.note(from, "used")
	for i := range 3 * mostProbes {
		p.note(from, chat.RoomName(fmt.Sprint("room-", i)))
		if i%1000 == 0 && !p.seen(from, "used") {
			t.Fatalf("after %d others it is forgotten", i)
		}
		if len(p.young)+len(p.old) > 2*mostProbes {
			t.Fatalf("%d are remembered", len(p.young)+len(p.old))
		}
	}
	if p.seen(from, "room-0") {
		t.Error("the first is remembered for ever")
	}
	if p.seen(netip.MustParseAddr("192.0.2.2"), "used") {
		t.Error("what one network knows, another does")
	}
}
