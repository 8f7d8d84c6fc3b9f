package server

import (
	"fmt"
	"net/http"
	"testing"

	"parley/internal/chat"
	"parley/internal/cluster/clustertest"
	"parley/internal/room"
)

// ways are how a person gets into a room that nobody has written to yet. Whatever was done, in the end the person is
// told of its first message, or is not. here is the server where it is done; later the person is on another one, if
// there are several.
var ways = map[string]struct {
	enter func(t *testing.T, here *testServer, session, name string)
	told  bool
}{
	"by a page that is open for a moment": {func(t *testing.T, here *testServer, session, name string) {
		page := here.device(t, session)
		page.ask(`"op":"watch"`)
		page.ask(`"op":"join","room":%q`, name)
		page.nc.Close()
	}, true},
	"by a connection without a list": {func(t *testing.T, here *testServer, session, name string) {
		here.device(t, session).ask(`"op":"join","room":%q`, name)
	}, true},
	"and left at once": {func(t *testing.T, here *testServer, session, name string) {
		page := here.device(t, session)
		page.ask(`"op":"join","room":%q`, name)
		page.ask(`"op":"leave","room":%q`, name)
	}, true},
	"left and entered again": {func(t *testing.T, here *testServer, session, name string) {
		page := here.device(t, session)
		for range 2 {
			page.ask(`"op":"join","room":%q`, name)
			page.ask(`"op":"leave","room":%q`, name)
		}
	}, true},
	"over REST": {func(t *testing.T, here *testServer, session, name string) {
		here.wantStatus(t, http.StatusOK, http.MethodPut, "/api/me/rooms/"+name, `{}`, session)
	}, true},
	"by a read mark": {func(t *testing.T, here *testServer, session, name string) {
		here.device(t, session).ask(`"op":"read","room":%q,"seq":0`, name)
	}, true},
	"hidden from the list": {func(t *testing.T, here *testServer, session, name string) {
		page := here.device(t, session)
		page.ask(`"op":"join","room":%q`, name)
		page.ask(`"op":"leave","room":%q`, name)
		page.ask(`"op":"set","room":%q,"listed":false`, name)
	}, false},
	"hidden from the list over REST": {func(t *testing.T, here *testServer, session, name string) {
		here.device(t, session).ask(`"op":"join","room":%q`, name)
		here.wantStatus(t, http.StatusNoContent, http.MethodDelete, "/api/me/rooms/"+name, ``, session)
	}, false},
	"hidden and entered again": {func(t *testing.T, here *testServer, session, name string) {
		page := here.device(t, session)
		page.ask(`"op":"join","room":%q`, name)
		page.ask(`"op":"leave","room":%q`, name)
		page.ask(`"op":"set","room":%q,"listed":false`, name)
		page.ask(`"op":"join","room":%q`, name)
	}, true},
	"only looked at": {func(t *testing.T, here *testServer, session, name string) {
		here.wantStatus(t, http.StatusOK, http.MethodGet, "/api/rooms/"+name, ``, session)
		here.wantStatus(t, http.StatusOK, http.MethodGet, "/api/rooms/"+name+"/messages", ``, session)
	}, false},
}

func (ts *testServer) wantStatus(t *testing.T, want int, method, path, body, session string) {
	t.Helper()
	if a := ts.ask(t, method, path, body, bearer(session)...); a.StatusCode != want {
		t.Errorf("%s %s: %d %s", method, path, a.StatusCode, a.body)
	}
}

func TestWhoEntersARoomIsToldOfItsFirstMessage(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	testFirstMessage(t, ts, ts)
}

// The room is entered on one node, first written to on another one, where the person has a connection too.
func TestWhoEntersARoomOnOneNodeIsToldOfItsFirstMessageOnAnother(t *testing.T) {
	nodes := startNodes(t, Config{}, clustertest.New(1), 2)
	testFirstMessage(t, nodes[0], nodes[1])
}

func testFirstMessage(t *testing.T, here, there *testServer) {
	const anybody = `"from":{"id":"…","name":"Grace"},"text":"@Ada come"`
	n := 0
	for way, tt := range ways {
		n++
		name := fmt.Sprintf("new-%d", n)
		t.Run(way, func(t *testing.T) {
			ada, grace := here.guest(t, "Ada"), there.guest(t, "Grace")
			open := map[string]*talker{"here": here.device(t, ada.Session), "there": there.device(t, ada.Session)}
			for _, c := range open {
				c.send(`{"op":"watch","id":900}`)
				c.hearLine(`{"op":"ok","id":900,"rooms":[]}`)
			}
			tt.enter(t, here, ada.Session, name)
			awaits := fmt.Sprintf(`{"op":"entry","room":%q,"topic":"","seq":0,"at":"…","read":0,"unread":0,`+
				`"mentions":0,"notify":"all","muted":false,"favourite":false}`, name)
			if tt.told {
				for _, c := range open {
					c.hearLine(awaits)
				}
			}
			there.wantStatus(t, http.StatusCreated, http.MethodPost, "/api/rooms/"+name+"/messages",
				`{"text":"@Ada come"}`, grace.Session)
			want := fmt.Sprintf(`{"room":%q,"topic":"","seq":1,"at":"…","last":{`+anybody+`},"read":0,"unread":1,`+
				`"mentions":1,"notify":"all","muted":false,"favourite":false}`, name)
			if !tt.told {
				want = ""
			} else {
				for _, c := range open { // what is open is told at once, with the mention
					c.hearLine(fmt.Sprintf(`{"op":"news","room":%q,"seq":1,"at":"…","kind":"message",`+anybody+
						`,"mentions":[%q]}`, name, string(ada.Person.ID)))
				}
			}
			for where, ts := range map[string]*testServer{"here": here, "there": there} {
				late := ts.device(t, ada.Session)
				late.send(`{"op":"watch","id":900}`)
				late.hearLine(`{"op":"ok","id":900,"rooms":[` + want + `]}`)
				a := ts.ask(t, http.MethodGet, "/api/me/rooms", ``, bearer(ada.Session)...)
				if !like(t, `{"epoch":"…","rooms":[`+want+`]}`, []byte(a.body)) {
					t.Errorf("%s REST has %s, want %s", where, a.body, want)
				}
			}
		})
	}
}

// A person who is connected is told which awaited room leaves the list for another one.
func TestAwaitedRoomThatLeavesTheListIsTold(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	ada := ts.guest(t, "Ada")
	desk, page := ts.device(t, ada.Session), ts.device(t, ada.Session)
	for n := range chat.MaxAwaited {
		name := fmt.Sprintf("new-%d", n)
		page.ask(`"op":"join","room":%q`, name)
		page.ask(`"op":"leave","room":%q`, name)
	}
	desk.ask(`"op":"watch"`)
	page.ask(`"op":"join","room":"one-more"`)
	desk.hearLine(`{"op":"entry","room":"…","listed":false}`)
	list := decode[struct {
		Rooms []struct{ Room string }
	}](t, ts.ask(t, http.MethodGet, "/api/me/rooms", ``, bearer(ada.Session)...))
	if len(list.Rooms) != chat.MaxAwaited {
		t.Errorf("%d rooms", len(list.Rooms))
	}
}
