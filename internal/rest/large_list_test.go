package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/internal/account"
	"parley/internal/await"
	"parley/internal/chat"
	"parley/internal/format"
	"parley/internal/httpdoor"
	"parley/internal/room"
	"parley/internal/store/sqlite"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// serve serves an API without limits until the test ends.
func serve(t *testing.T) (*API, *httptest.Server) {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	hub := room.New(store, store, store.Epoch(), room.Config{
		Format: func(text string, _ *room.Budget) string { return format.HTML(text, nil) }, // without a time limit
	})
	accounts := account.New(account.Config{}, account.Stores{People: store, Lists: store, Personal: store}, hub)
	door, err := httpdoor.New(httpdoor.Config{Counted: func(chat.Code) {}}, hub, accounts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { store.Run(ctx) })
	running.Go(func() { hub.Run(ctx) })
	a, mux := New(Config{}, door, hub, accounts), http.NewServeMux()
	a.Routes(mux)
	ts := httptest.NewServer(mux)
	t.Cleanup(func() {
		ts.Close()
		stop()
		running.Wait()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return a, ts
}

func TestLargeListIsOneJSONListHoweverManyItemsItHas(t *testing.T) {
	for n := range 4 {
		a := searchAnswer{Hits: largeList[hit]{&encodedItems{}}, Cursor: `a"b]}`}
		for i := range n {
			a.Hits.add(hit{Room: chat.RoomName(fmt.Sprint("r<", i)), Ranges: [][2]int{{0, i}}})
		}
		var streamed strings.Builder
		if err := marshal(&streamed, a); err != nil {
			t.Fatal(err)
		}
		var got struct {
			Cursor string
			Hits   []hit
		}
		if err := json.Unmarshal([]byte(streamed.String()), &got); err != nil || got.Cursor != a.Cursor ||
			len(got.Hits) != n {
			t.Errorf("%s: %+v, %v", streamed.String(), got, err)
		}
		for i, h := range got.Hits {
			if string(h.Room) != fmt.Sprint("r<", i) || h.Ranges[0][1] != i {
				t.Errorf("value %d is %+v", i, h)
			}
		}
	}
	if whole, err := json.Marshal(pageAnswer{Messages: largeListOf(message{Seq: 1}, message{Seq: 2})}); err != nil ||
		strings.Count(string(whole), `"seq":`) != 3 {
		t.Errorf("an example: %s, %v", whole, err)
	}
}

// Clients that request pages and read no answer take little memory, and other
// clients at their address are served.
func TestClientThatReadsNothingIsCutAndOthersAreServed(t *testing.T) {
	a, ts := serve(t)
	for i := range 10 {
		// The HTML of this text is as large as possible.
		d := chat.Draft{Room: "lobby", From: ada, Text: fmt.Sprintf("N %d ", i) + strings.Repeat("a@b.c*", 660)}
		if _, err := a.postAndWait(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	var conns []net.Conn
	const page = "GET /api/rooms/lobby/messages?limit=200 HTTP/1.1\r\nHost: localhost\r\n\r\n"
	const asked = 40 // the kernel's buffers hold fewer answers
	for range 45 {
		nc, err := net.Dial("tcp", strings.TrimPrefix(ts.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		if err := nc.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
			t.Fatal(err)
		}
		nc.SetDeadline(time.Now().Add(patience))
		if _, err := io.WriteString(nc, strings.Repeat(page, asked)); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, nc)
	}
	held := func() int {
		a.pending.mu.Lock()
		defer a.pending.mu.Unlock()
		return a.pending.total
	}
	await.True(t, "answers wait", func() bool { return held() > maxPendingEach/2 })
	for range 5 {
		r, err := ts.Client().Get(ts.URL + "/api/rooms/lobby/messages?limit=200")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || r.StatusCode != http.StatusOK || !bytes.Contains(body, []byte("a@b.c")) {
			t.Errorf("somebody who reads: %s %.200s, %v", r.Status, body, err)
		}
		if n := held(); n > maxPendingEach+maxListBytes+70<<10 {
			t.Errorf("%d bytes wait, at most %d", n, maxPendingEach)
		}
	}
	for _, nc := range conns {
		nc.Close()
	}
	await.True(t, "nothing is held", func() bool { return held() == 0 })
}
