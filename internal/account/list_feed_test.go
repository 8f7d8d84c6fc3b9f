package account

import (
	"context"
	"errors"
	"slices"
	"testing"

	"parley/internal/chat"
	"parley/internal/room"
)

// A device is a connection that has the list of its person open.
type device struct {
	Registration
	got     []string // what it was given, in order
	readers map[chat.RoomName]*room.Reader
	after   map[chat.RoomName]chat.Seq
	refuses bool // it joins no room
}

func (d *device) JoinRoom(_ context.Context, name chat.RoomName, after chat.Seq) (*room.Reader, error) {
	if d.refuses {
		return nil, errors.New("no more rooms")
	}
	d.readers[name], d.after[name] = &room.Reader{}, after
	return d.readers[name], nil
}

func (d *device) LeaveRoom(reader *room.Reader) {
	for name, r := range d.readers {
		if r == reader {
			delete(d.readers, name)
		}
	}
}

func (d *device) Update(u Update) {
	switch {
	case u.Entry != nil:
		d.got = append(d.got, "entry "+string(u.Entry.Room))
	case u.Read != nil:
		d.got = append(d.got, "read "+string(u.Read.Room))
	default:
		d.got = append(d.got, "removed "+string(u.Removed))
	}
}

// newDevice enters with a session.
func newDevice(t *testing.T, a *Accounts, session string) *device {
	t.Helper()
	d := &device{readers: map[chat.RoomName]*room.Reader{}, after: map[chat.RoomName]chat.Seq{}}
	if _, err := a.Enter(t.Context(), &d.Registration, session); err != nil {
		t.Fatal(err)
	}
	return d
}

// open opens the list.
func (d *device) open(t *testing.T, a *Accounts) error {
	t.Helper()
	return a.OpenList(t.Context(), &d.Registration, d, func([]chat.ListEntry) { d.got = append(d.got, "list") })
}

func (d *device) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(d.got, want) {
		t.Errorf("got %q, want %q", d.got, want)
	}
	d.got = nil
}

func TestEveryDeviceIsToldOfTheList(t *testing.T) {
	s := newFakeStore()
	a := s.start(Config{})
	p, session := guest(t, a, "Ada")
	s.rooms["lobby"], s.rooms["garden"] = 7, 3
	a.AddToList(t.Context(), p.ID, "lobby", true)
	phone, desk, silent := newDevice(t, a, session), newDevice(t, a, session), newDevice(t, a, session)
	for _, d := range []*device{phone, desk} {
		if err := d.open(t, a); err != nil {
			t.Fatal(err)
		}
		d.want(t, "list")
		if len(d.readers) != 1 || d.after["lobby"] != 7 {
			t.Errorf("it reads %v", d.after)
		}
	}
	if err := phone.open(t, a); chat.CodeOf(err) != chat.BadRequest {
		t.Errorf("opened twice: %v", err)
	}

	a.AddToList(t.Context(), p.ID, "garden", true)
	a.AddToList(t.Context(), p.ID, "garden", true) // it is there already
	a.AddToListAfterWrite(t.Context(), p.ID, "garden")
	a.AddToList(t.Context(), p.ID, "not-there", true)
	done := func(chat.ListEntry, error) {}
	a.MarkRead(p.ID, chat.MessageRef{Room: "lobby", Seq: 2}, false, "", &phone.Registration, done)
	a.MarkRead(p.ID, chat.MessageRef{Room: "nowhere", Seq: 2}, false, "", nil, done)
	if _, err := a.SetListEntry(t.Context(), p.ID, "lobby", chat.ListEntryChange{Muted: new(true)}); err != nil {
		t.Error(err)
	}
	e, err := a.SetListEntry(t.Context(), p.ID, "lobby", chat.ListEntryChange{Listed: new(false)})
	if err != nil || e.Room != "lobby" {
		t.Errorf("%+v, %v", e, err)
	}
	phone.want(t, "entry garden", "entry not-there", "entry lobby", "removed lobby")
	desk.want(t, "entry garden", "entry not-there", "read lobby", "entry lobby", "removed lobby")
	silent.want(t)
	for _, d := range []*device{phone, desk} {
		if len(d.readers) != 2 || d.after["garden"] != 3 || d.after["not-there"] != 0 || d.LacksRoom("garden") ||
			!d.LacksRoom("lobby") {
			t.Errorf("it reads %v", d.readers)
		}
		a.Remove(&d.Registration)
		if len(d.readers) != 0 {
			t.Errorf("after its end it reads %v", d.readers)
		}
	}
	a.AddToList(t.Context(), p.ID, "lobby", true)
	desk.want(t)
}

// A room that nobody has written to is watched like any other, by whatever way it came into the list, and no more
// when it makes room for another one.
func TestAwaitedRoomsAreWatched(t *testing.T) {
	s := newFakeStore()
	a := s.start(Config{})
	p, session := guest(t, a, "Ada")
	d := newDevice(t, a, session)
	if err := d.open(t, a); err != nil {
		t.Fatal(err)
	}
	a.AddToList(t.Context(), p.ID, "entered", true)
	a.AddToList(t.Context(), p.ID, "only-read", false)
	e, err := a.SetListEntry(t.Context(), p.ID, "set", chat.ListEntryChange{Muted: new(true)})
	if err != nil || e.Room != "set" || !e.Muted {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := a.SetListEntry(t.Context(), p.ID, "never", chat.ListEntryChange{Listed: new(false)}); err == nil {
		t.Error("a room that was not in the list has left it")
	}
	d.want(t, "list", "entry entered", "entry set", "entry set")
	s.leaves = "entered"
	a.AddToList(t.Context(), p.ID, "one-more", true)
	d.want(t, "removed entered", "entry one-more")
	if len(d.readers) != 2 || d.LacksRoom("set") || d.LacksRoom("one-more") {
		t.Errorf("it reads %v", d.readers)
	}
}

func TestUpdatesDuringTheListComeAfterIt(t *testing.T) {
	s := newFakeStore()
	a := s.start(Config{})
	p, session := guest(t, a, "Ada")
	s.rooms["lobby"] = 7
	a.AddToList(t.Context(), p.ID, "lobby", true)
	d := newDevice(t, a, session)
	s.listsRead = func() {
		a.MarkRead(p.ID, chat.MessageRef{Room: "lobby", Seq: 2}, false, "", nil, func(chat.ListEntry, error) {})
		d.want(t)
	}
	if err := d.open(t, a); err != nil {
		t.Fatal(err)
	}
	d.want(t, "list", "read lobby")
}

func TestListThatCannotBeReadMayBeOpenedAgain(t *testing.T) {
	s := newFakeStore()
	a := s.start(Config{})
	p, session := guest(t, a, "Ada")
	s.rooms["lobby"] = 7
	d := newDevice(t, a, session)
	s.broken = true
	if err := d.open(t, a); !errors.Is(err, errDisk) {
		t.Errorf("err %v", err)
	}
	a.AddToList(t.Context(), p.ID, "lobby", true)
	d.want(t) // no list, no update
	s.broken = false
	if err := d.open(t, a); err != nil {
		t.Error(err)
	}
	d.want(t, "list")
}

func TestDeviceThatJoinsNoRoomHasItsListRefused(t *testing.T) {
	s := newFakeStore()
	a := s.start(Config{})
	p, session := guest(t, a, "Ada")
	s.rooms["lobby"] = 7
	a.AddToList(t.Context(), p.ID, "lobby", true)
	d := newDevice(t, a, session)
	d.refuses = true
	if err := d.open(t, a); err == nil {
		t.Error("no error, though some updates will not come")
	}
	d.want(t, "list")
}

func TestPersonalCommandsComeAtARate(t *testing.T) {
	a := newFakeStore().start(Config{PersonalRate: 0.01, PersonalBurst: 3})
	for i := range 4 {
		err := a.LimitPersonal(chat.Who{Person: chat.Person{ID: "ada"}, Network: nowhere})
		if limited := chat.CodeOf(err) == chat.RateLimited; limited != (i == 3) {
			t.Errorf("command %d: %v", i, err)
		}
	}
	if err := a.LimitPersonal(chat.Who{Person: chat.Person{ID: "grace"}, Network: nowhere}); err != nil {
		t.Errorf("another person: %v", err)
	}
}
