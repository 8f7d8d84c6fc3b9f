package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/account"
	"parley/internal/await"
	"parley/internal/chat"
	"parley/internal/cluster"
	"parley/internal/cluster/clustertest"
	"parley/internal/rates"
	"parley/internal/room"
	"parley/internal/store/postgres"
	"parley/internal/store/postgres/pgtest"
)

// startNodes starts servers on one PostgreSQL database, which hear each other, until the test ends.
func startNodes(t *testing.T, cfg Config, network *clustertest.Network, n int) (nodes []*testServer) {
	t.Helper()
	url := pgtest.Database(t, makeTables)
	var all []*cluster.Node
	for i := range n {
		log, err := postgres.Open(t.Context(), postgres.Config{URL: url, Readers: 4})
		if err != nil {
			t.Fatal(err)
		}
		node := cluster.New(network.Bus(), cluster.Config{
			Name: fmt.Sprint("node", i), Others: func(context.Context) (int, error) { return n - 1, nil },
		})
		cfg.Ledger = &rates.Ledger{}
		runs := []func(context.Context) error{node.Run, cluster.ConnectLimits(node, cfg.Ledger)}
		stores := account.Stores{People: log, Lists: log, Personal: log, States: log}
		ts := serveLog(t, cfg, room.Config{}, log, log.Epoch(), stores, log.Healthy, func(s *Server) {
			cluster.ConnectPeople(node, s.Accounts())
			cluster.ConnectRooms(node, s.hub, cluster.RoomsConfig{
				Heads:   log.HeadsOf,
				Stored:  func(chat.RoomName, chat.Seq, time.Time, bool) {},
				Deleted: func([]string) {},
				Missed:  func() {},
			})
			runs = append(runs, s.Accounts().Run)
		})
		for _, run := range runs {
			stop := inBackground(run)
			t.Cleanup(func() {
				if err := stop(); err != nil {
					t.Error(err)
				}
			})
		}
		t.Cleanup(func() {
			if err := errors.Join(ts.stop(), log.Close()); err != nil {
				t.Error(err)
			}
		})
		all, nodes = append(all, node), append(nodes, ts)
	}
	await.True(t, "each node knows the others", func() bool {
		return !slices.ContainsFunc(all, func(node *cluster.Node) bool { return len(node.Peers()) < n-1 })
	})
	return nodes
}

func TestSignOutOnOneNodeEndsTheSessionOnAll(t *testing.T) {
	nodes := startNodes(t, Config{}, clustertest.New(1), 2)
	here, there := nodes[0], nodes[1]
	ada, grace := here.guest(t, "Ada"), here.guest(t, "Grace")
	page, other := there.come(t, ada.Session), there.come(t, grace.Session)
	stream := there.listen(t, "/api/rooms/lobby/events", bearer(ada.Session)...)
	lines := there.dial(t, "/chatroom/lobby", cookie(there, ada.Session)...)
	lines.send(`{"from":"Ada","message":"hi"}`)
	lines.hear()
	if a := here.ask(t, http.MethodDelete, "/api/session", "",
		bearer(ada.Session)...); a.StatusCode != http.StatusNoContent {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	page.wantGoodbye(4001, "session_ended")
	lines.wantGoodbye(4001, "session_ended")
	var last map[string]string
	for e := stream.next(); e != nil; e = stream.next() {
		last = e
	}
	if last["event"] != "ended" || !strings.Contains(last["data"], `"code":"session_ended"`) {
		t.Errorf("the stream's last event is %v", last)
	}
	again := there.dial(t, "/ws")
	if r := again.ask(`"op":"hello","session":%q`, ada.Session); r.Code != "bad_session" {
		t.Errorf("whoever comes back: %+v", r)
	}
	a := there.ask(t, http.MethodPost, "/api/rooms/lobby/messages", `{"text":"too late"}`, bearer(ada.Session)...)
	if a.StatusCode != http.StatusUnauthorized {
		t.Errorf("a message: %d %s", a.StatusCode, a.body)
	}
	if r := other.ask(`"op":"ping"`); r.Op != "ok" {
		t.Errorf("another session: %+v", r)
	}
}

func TestDevicesOnTwoNodesKeepOneList(t *testing.T) {
	nodes := startNodes(t, Config{}, clustertest.New(1), 2)
	here, there := nodes[0], nodes[1]
	ada := here.guest(t, "Ada")
	post := func(ts *testServer, name string) {
		t.Helper()
		a := ts.ask(t, http.MethodPost, "/api/rooms/"+name+"/messages", `{"text":"a message"}`, bearer(ada.Session)...)
		if a.StatusCode != http.StatusCreated {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
	}
	post(here, "lobby")
	phone, desk := here.device(t, ada.Session), there.device(t, ada.Session)
	for _, c := range []*talker{phone, desk} {
		c.ask(`"op":"watch"`)
	}
	phone.ask(`"op":"read","room":"lobby","seq":1`)
	desk.hearLine(`{"op":"read","room":"lobby","seq":1,"unread":0,"mentions":0}`)
	desk.ask(`"op":"set","room":"lobby","muted":true`)
	phone.hearLine(`{"op":"entry","room":"lobby","topic":"","seq":1,"at":"…","last":{"from":{"id":"…","name":"Ada"},` +
		`"text":"a message"},"read":1,"unread":0,"mentions":0,"notify":"all","muted":true,"favourite":false}`)
	post(there, "garden") // a script writes where no connection of the person has been
	for _, c := range []*talker{phone, desk} {
		c.hearLine(`{"op":"entry","room":"garden","topic":"","seq":1,"at":"…",` +
			`"last":{"from":{"id":"…","name":"Ada"},"text":"a message"},` +
			`"read":0,"unread":0,"mentions":0,"notify":"all","muted":false,"favourite":false}`)
	}
	phone.ask(`"op":"set","room":"lobby","listed":false`)
	desk.hearLine(`{"op":"entry","room":"lobby","listed":false}`)
	if a := there.ask(t, http.MethodPost, "/api/session", `{"name":"Countess"}`,
		bearer(ada.Session)...); a.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	await.True(t, "the new name is known on the other node", func() bool {
		r := phone.ask(`"op":"join","room":"hall"`)
		phone.ask(`"op":"leave","room":"hall"`)
		return len(r.Here) == 1 && r.Here[0].Name == "Countess"
	})
}

// A person is known by their new name wherever somebody sees them.
func TestNewNameIsSeenOnOtherNodes(t *testing.T) {
	nodes := startNodes(t, Config{}, clustertest.New(1), 2)
	here, there := nodes[0], nodes[1]
	ada := here.guest(t, "Ada")
	grace := there.hello(t, "Grace")
	grace.ask(`"op":"join","room":"hall"`)
	page := here.come(t, ada.Session)
	page.ask(`"op":"join","room":"hall"`)
	grace.hearLine(`{"op":"presence","room":"hall","joined":{"id":"…","name":"Ada"},"count":2}`)
	if a := there.ask(t, http.MethodPost, "/api/session", `{"name":"Countess"}`,
		bearer(ada.Session)...); a.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	grace.hearLine(`{"op":"presence","room":"hall","joined":{"id":"…","name":"Countess"},"count":2}`)
	await.True(t, "what she writes is under the new name", func() bool {
		page.ask(`"op":"send","room":"hall","text":"hi"`)
		var log logBody
		a := here.ask(t, http.MethodGet, "/api/rooms/hall/log", "", bearer(ada.Session)...)
		log = decode[logBody](t, a)
		return strings.Contains(string(log.Events[len(log.Events)-1]), `"name":"Countess"`)
	})
}

// Who is refused on one node is refused on all.
func TestGuestRateHoldsForAllNodes(t *testing.T) {
	nodes := startNodes(t, Config{GuestRate: 3}, clustertest.New(1), 2)
	for range 3 {
		nodes[0].guest(t, "Ada")
	}
	await.True(t, "the other node makes no guest either", func() bool {
		a := nodes[1].ask(t, http.MethodPost, "/api/session", `{"name":"Eve"}`)
		return a.StatusCode == http.StatusTooManyRequests && strings.Contains(a.body, "rate_limited")
	})
}
