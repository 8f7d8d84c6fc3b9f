package store

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/internal/chat"
)

func TestAnIndexIsToldAllThatItHasToKnow(t *testing.T) {
	var touched []chat.RoomName
	s, _ := startOn(t, Config{Dir: t.TempDir(), Touched: func(room chat.RoomName) { touched = append(touched, room) }}, "")
	post(t, s, draft("lobby", ada, "one", ""), draft("garden", grace, "green", ""), draft("lobby", grace, "two", ""))
	edit := chat.Draft{Room: "lobby", From: ada, Kind: chat.Edit, Target: 1, Text: "uno"}
	reply := chat.Draft{Room: "lobby", From: ada, Kind: chat.Reply, Target: 2, Text: "in the thread"}
	post(t, s, edit, reply, chat.Draft{Room: "lobby", From: ada, Kind: chat.React, Target: 2, Text: "👍"})
	post(t, s, chat.Draft{Room: "lobby", From: grace, Kind: chat.Delete, Target: 2})

	slices.Sort(touched)
	if got := slices.Compact(touched); !slices.Equal(got, []chat.RoomName{"garden", "lobby"}) {
		t.Errorf("touched were %v", got)
	}
	heads, err := s.Heads(t.Context())
	if want := map[chat.RoomName]chat.Seq{"lobby": 6, "garden": 1}; err != nil || !maps.Equal(heads, want) {
		t.Errorf("heads %v, %v, want %v", heads, err, want)
	}
	texts, err := s.Texts(t.Context(), []chat.Place{
		{Room: "lobby", Seq: 4}, {Room: "nowhere", Seq: 1}, {Room: "garden", Seq: 1}, {Room: "lobby", Seq: 2}, {Room: "lobby", Seq: 1}, {Room: "lobby", Seq: 3}, {Room: "lobby", Seq: 99},
	})
	var got []string
	for _, e := range texts {
		got = append(got, string(e.Room)+" "+string(e.Kind)+" "+e.From.Name+" "+e.Text)
	}
	want := []string{"lobby reply Ada in the thread", "   ", "garden message Grace green", "   ", "lobby message Ada uno", "   ", "   "}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("texts: %v (-want +got):\n%s", err, diff)
	}

	said, err := s.Erased(t.Context(), chat.Place{Room: "lobby", Seq: 2})
	if err != nil || !maps.Equal(said, map[chat.Seq]string{2: "two"}) {
		t.Errorf("erased: %v, %v", said, err)
	}
	for range 2 {
		if err := s.DropErased(t.Context(), chat.Place{Room: "lobby", Seq: 2}); err != nil {
			t.Fatal(err)
		}
	}
	if said, err := s.Erased(t.Context(), chat.Place{Room: "lobby", Seq: 2}); err != nil || len(said) != 0 {
		t.Errorf("after it was dropped: %v, %v", said, err)
	}
}
