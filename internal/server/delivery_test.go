package server

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"parley/internal/chat"
	"parley/internal/room"
	"parley/internal/wire"
)

// An audience is many members of a room on real sockets, who only read, and one
// person who sends.
type audience struct {
	*testServer
	heard  atomic.Int64  // bytes that members have read
	silent chan struct{} // gets a value when a member has read
	from   chat.Person
}

func newAudience(t testing.TB, ts *testServer, name string, members int) *audience {
	a := &audience{testServer: ts, silent: make(chan struct{}, 1)}
	p, _, err := ts.store.NewGuest(t.Context(), "Ada", "")
	if err != nil {
		t.Fatal(err)
	}
	a.from = p
	for range members {
		c := ts.dial(t, "/chatroom/"+name)
		go a.read(tcpOf(c.nc), make([]byte, 4<<10)) // records as they are: crypto/tls would allocate in reading
	}
	for ts.hub.Stats().Readers < members { // a handshake is answered before its connection has joined
		runtime.Gosched()
	}
	return a
}

func (a *audience) read(nc net.Conn, buf []byte) {
	for {
		n, err := io.ReadAtLeast(nc, buf, 1)
		if err != nil {
			return
		}
		a.heard.Add(int64(n))
		select {
		case a.silent <- struct{}{}:
		default:
		}
	}
}

// say posts one message and waits until each member has read it.
func (a *audience) say(t testing.TB, name chat.RoomName, members int) {
	const text = "A sentence as people write it."
	size := len(wire.ChatroomFrames{}.Append(nil, chat.Event{Kind: chat.Message, From: a.from, Text: text}))
	if overTLS {
		size += 5 + 1 + 16 // one record: its header, its type, and the tag of AES-GCM (RFC 8446 §5.2)
	}
	want := a.heard.Load() + int64(members*size)
	if err := a.hub.Post(chat.Draft{Room: name, From: a.from, Text: text}, func(c chat.Commit) {
		if c.Err != nil {
			t.Error(c.Err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	for a.heard.Load() < want {
		<-a.silent
	}
}

// mallocs returns how many allocations the process makes for one message to so many
// members: the average of rounds messages.
func mallocs(t testing.TB, ts *testServer, members, rounds int) float64 {
	name := chat.RoomName(fmt.Sprint("of-", members))
	a := newAudience(t, ts, string(name), members)
	for range 10 { // until buffers have grown
		a.say(t, name, members)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range rounds {
		a.say(t, name, members)
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(rounds)
}

func TestDeliveryAllocatesNothing(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	few, many := 2, 130
	perMember := (mallocs(t, ts, many, 200) - mallocs(t, ts, few, 200)) / float64(many-few)
	if perMember > 0.05 {
		t.Errorf("%.2f allocations for each member that a message is delivered to, want none", perMember)
	}
}

// BenchmarkDelivery is one message to 500 members, by ns and allocations per
// delivery. It fails if a delivery allocates.
func BenchmarkDelivery(b *testing.B) {
	ts := startServer(b, Config{}, room.Config{})
	const members = 500
	a := newAudience(b, ts, "hall", members)
	a.say(b, "hall", members)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for b.Loop() {
		a.say(b, "hall", members)
	}
	runtime.ReadMemStats(&after)
	deliveries := float64(b.N * members)
	perDelivery := float64(after.Mallocs-before.Mallocs) / deliveries
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/deliveries, "ns/delivery")
	b.ReportMetric(perDelivery, "allocs/delivery")
	if b.N >= 20 && perDelivery > 0.2 { // a commit allocates, too: divided by 500
		b.Errorf("%.2f allocations for each delivery", perDelivery)
	}
}

func TestClientThatStallsInManyRoomsIsClosedOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for seconds")
	}
	ts := startServer(t, Config{}, room.Config{StallTimeout: 300 * time.Millisecond})
	stalled := ts.hello(t, "Stalled")
	tcpOf(stalled.nc).SetReadBuffer(4 << 10)
	rooms := strings.Split("abcdefghijklmnopqrst", "")
	for _, name := range rooms {
		stalled.ask(`"op":"join","room":%q`, name)
	}
	text := strings.Repeat("x", 4000)
	for ts.hub.Stats().Readers > 0 {
		for _, name := range rooms {
			draft := chat.Draft{Room: chat.RoomName(name), From: chat.Person{ID: "b", Name: "B"}, Text: text}
			stored := make(chan chat.Commit, 1)
			if err := ts.hub.Post(draft, func(c chat.Commit) { stored <- c }); err != nil {
				t.Fatal(err)
			}
			<-stored
		}
	}
	if got := testutil.ToFloat64(ts.metrics.errors.WithLabelValues(string(chat.Stalled))); got != 1 {
		t.Errorf("closed as stalled %v times, want once", got)
	}
}
