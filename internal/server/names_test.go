package server

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/internal/account"
	"parley/internal/chat"
	"parley/internal/httpdoor"
	"parley/internal/room"
)

// A text with U+0000 or half a surrogate pair is refused at every door.
func TestZeroAndHalfPairsAreRefusedAtEveryDoor(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	ada := ts.guest(t, "Ada")
	auth := []string{"Authorization", "Bearer " + ada.Session}
	at := "/api/rooms/lobby/messages"
	ts.ask(t, http.MethodPost, at, `{"text":"first"}`, auth...)
	for _, bad := range []string{`\u0000`, `\ud800`} {
		for name, r := range map[string][3]string{
			"name":       {http.MethodPost, "/api/session", `{"name":"A` + bad + `"}`},
			"message":    {http.MethodPost, at, `{"text":"a` + bad + `"}`},
			"nonce":      {http.MethodPost, at, `{"text":"a","nonce":"a` + bad + `"}`},
			"forward":    {http.MethodPost, at, `{"forward":{"room":"lob` + bad + `by","seq":1}}`},
			"edit":       {http.MethodPatch, at + "/1", `{"text":"a` + bad + `"}`},
			"topic":      {http.MethodPut, "/api/rooms/lobby/topic", `{"text":"a` + bad + `"}`},
			"notify":     {http.MethodPut, "/api/me/rooms/lobby", `{"notify":"all` + bad + `"}`},
			"new guest":  {http.MethodPost, at, `{"name":"A` + bad + `","text":"a"}`},
			"extraneous": {http.MethodPost, at, `{"text":"a` + bad + `","` + bad + `":1}`},
		} {
			headers := auth
			if name == "new guest" {
				headers = nil
			}
			if a := ts.ask(t, r[0], r[1], r[2], headers...); a.StatusCode/100 != 4 {
				t.Errorf("%s with %s: status %d: %s", name, bad, a.StatusCode, a.body)
			}
		}
		c := ts.device(t, ada.Session)
		c.ask(`"op":"join","room":"lobby"`)
		for _, command := range []string{
			`"op":"join","room":"a` + bad + `"`, `"op":"send","room":"lobby","text":"a` + bad + `"`,
			`"op":"send","room":"lobby","text":"a","nonce":"` + bad + `"`,
			`"op":"edit","room":"lobby","seq":1,"text":"a` + bad + `"`,
			`"op":"react","room":"lobby","seq":1,"emoji":"👍` + bad + `"`,
			`"op":"topic","room":"lobby","text":"a` + bad + `"`,
		} {
			if r := c.ask("%s", command); r.Op != "error" {
				t.Errorf("%s: %+v", command, r)
			}
		}
		l := ts.dial(t, "/chatroom/lobby")
		for _, line := range []string{
			`{"from":"A` + bad + `","message":"a"}`, `{"from":"Grace","message":"a` + bad + `"}`,
		} {
			l.send("%s", line)
			if r := l.hear(); r.Error == "" {
				t.Errorf("%s: %+v", line, r)
			}
		}
	}
	for _, path := range []string{
		"/api/search?q=a%00", "/api/search?q=a%ED%A0%80", "/api/rooms/a%00/messages", "/api/rooms/a%ED%A0%80/messages",
		at + "/1/reactions/a%00",
	} {
		method := http.MethodGet
		if path == at+"/1/reactions/a%00" {
			method = http.MethodPut
		}
		if a := ts.ask(t, method, path, "", auth...); a.StatusCode/100 != 4 &&
			a.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s: status %d: %s", path, a.StatusCode, a.body)
		}
	}
	if p := decode[pageBody](t, ts.ask(t, http.MethodGet, at, "")); len(p.Messages) != 1 {
		t.Errorf("%d messages", len(p.Messages))
	}
}

// A person took a name before there was a rule against it. They stay the same person,
// and their messages keep the name, but they have to choose another one.
func TestPersonWithAReservedNameMustChooseAnother(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	old := ts.guest(t, "Ada")
	auth := []string{"Authorization", "Bearer " + old.Session}
	at := "/api/rooms/lobby/messages"
	ts.ask(t, http.MethodPost, at, `{"text":"before"}`, auth...)
	if _, err := ts.store.Rename(t.Context(), old.Person.ID, "Admin", ""); err != nil {
		t.Fatal(err)
	}

	for _, r := range [][3]string{
		{http.MethodGet, "/api/session", ""},
		{http.MethodPost, at, `{"text":"as Admin"}`},
		{http.MethodPost, at, `{"text":"as Admin","name":"Grace"}`},
		{http.MethodPut, "/api/rooms/lobby/topic", `{"text":"x"}`},
		{http.MethodPost, "/api/session", `{"name":"System"}`},
	} {
		a := ts.ask(t, r[0], r[1], r[2], auth...)
		if p := decode[httpdoor.Problem](t, a); a.StatusCode != http.StatusBadRequest || p.Code != chat.BadName {
			t.Errorf("%s %s %s: %d %s", r[0], r[1], r[2], a.StatusCode, a.body)
		}
	}
	c := ts.dial(t, "/ws")
	if r := c.ask(`"op":"hello","session":%q`, old.Session); r.Code != string(chat.BadName) {
		t.Errorf("hello: %+v", r)
	}
	if r := c.ask(`"op":"hello","session":%q,"name":"Grace"`, old.Session); r.Op != "ok" ||
		r.Person.ID != old.Person.ID || r.Person.Name != "Grace" {
		t.Errorf("hello under another name: %+v", r)
	}

	if a := ts.ask(t, http.MethodPost, at, `{"text":"after"}`, auth...); a.StatusCode != http.StatusCreated {
		t.Errorf("under another name: %d %s", a.StatusCode, a.body)
	}
	p := decode[pageBody](t, ts.ask(t, http.MethodGet, at, ""))
	if len(p.Messages) != 2 || p.Messages[0].From.ID != p.Messages[1].From.ID || p.Messages[0].From.Name != "Ada" {
		t.Errorf("%+v", p.Messages)
	}
}

func TestOldTabSpeaksUnderTheNewName(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	old := ts.dial(t, "/ws")
	session := old.ask(`"op":"hello","name":"Grace"`).Session
	old.ask(`"op":"join","room":"a"`)
	tab := ts.dial(t, "/ws")
	tab.ask(`"op":"hello","session":%q,"name":"Hopper"`, session)
	if got := old.ask(`"op":"join","room":"b"`).Here; len(got) != 1 || got[0].Name != "Hopper" {
		t.Errorf("here are %v", got)
	}
	old.send(`{"op":"send","room":"a","text":"hi"}`)
	if got := string(old.event().From); !strings.Contains(got, "Hopper") {
		t.Errorf("said by %s", got)
	}
}

func TestConnectionInNoRoomSpeaksUnderTheNewName(t *testing.T) {
	ts := startServer(t, Config{}, room.Config{})
	grace := ts.guest(t, "Grace")
	old, reader := ts.come(t, grace.Session), ts.hello(t, "Ada")
	reader.ask(`"op":"join","room":"r"`)
	ts.ask(t, http.MethodPost, "/api/session", `{"name":"Hopper"}`, bearer(grace.Session)...)
	old.ask(`"op":"send","room":"r","text":"hi"`)
	if got := string(reader.event().From); !strings.Contains(got, "Hopper") {
		t.Errorf("said by %s", got)
	}
}

// A slowHead lets the room "slow" be read only once it is told to.
type slowHead struct {
	testStore
	asked, answer chan struct{}
}

func (l *slowHead) Head(ctx context.Context, name chat.RoomName) (chat.Seq, time.Time, error) {
	if name == "slow" {
		close(l.asked)
		<-l.answer
	}
	return l.testStore.Head(ctx, name)
}

// Who is renamed while they enter a room is there under the new name.
func TestMemberWhoIsRenamedOnTheWayInHasTheNewName(t *testing.T) {
	kept := openStore(t)
	log := &slowHead{testStore: kept, asked: make(chan struct{}), answer: make(chan struct{})}
	ts := serveLog(t, Config{}, room.Config{}, log, kept.Epoch(),
		account.Stores{People: kept, Lists: kept, Personal: kept}, kept.Healthy)
	t.Cleanup(func() {
		if err := errors.Join(ts.stop(), kept.Close()); err != nil {
			t.Error(err)
		}
	})
	ada := ts.guest(t, "Ada")
	page, grace := ts.device(t, ada.Session), ts.hello(t, "Grace")
	page.send(`{"op":"join","id":900,"room":"slow"}`)
	<-log.asked
	if a := ts.ask(t, http.MethodPost, "/api/session", `{"name":"Countess"}`,
		bearer(ada.Session)...); a.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	close(log.answer)
	for page.hear().ID != 900 {
	}
	page.ask(`"op":"ping"`) // the join has been carried out
	r := grace.ask(`"op":"join","room":"slow"`)
	for _, p := range r.Here {
		if p.ID == ada.Person.ID && p.Name != "Countess" {
			t.Errorf("in the room she is %s", p.Name)
		}
	}
	if len(r.Here) != 2 {
		t.Errorf("in the room are %v", r.Here)
	}
}
