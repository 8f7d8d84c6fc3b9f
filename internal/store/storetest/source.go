package storetest

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/internal/chat"
)

func testAnIndexIsToldAllThatItHasToKnow(t *testing.T, open Open) {
	s := open(t)
	Post(t, s, Draft("lobby", Ada, "one", ""), Draft("garden", Grace, "green", ""), Draft("lobby", Grace, "two", ""))
	edit := chat.Draft{Room: "lobby", From: Ada, Kind: chat.Edit, Target: 1, Text: "uno"}
	reply := chat.Draft{Room: "lobby", From: Ada, Kind: chat.Reply, Target: 2, Text: "in the thread"}
	Post(t, s, edit, reply, chat.Draft{Room: "lobby", From: Ada, Kind: chat.React, Target: 2, Text: "👍"})
	Post(t, s, chat.Draft{Room: "lobby", From: Grace, Kind: chat.Delete, Target: 2})

	heads, err := s.Heads(t.Context())
	if want := map[chat.RoomName]chat.Seq{"lobby": 6, "garden": 1}; err != nil || !maps.Equal(heads, want) {
		t.Errorf("heads %v, %v, want %v", heads, err, want)
	}
	if shared, ok := s.Store.(interface { // a store that several nodes can share
		HeadsOf(ctx context.Context, rooms []chat.RoomName) (map[chat.RoomName]chat.Seq, error)
	}); ok {
		heads, err = shared.HeadsOf(t.Context(), []chat.RoomName{"lobby", "nowhere"})
		if want := map[chat.RoomName]chat.Seq{"lobby": 6}; err != nil || !maps.Equal(heads, want) {
			t.Errorf("heads of two rooms %v, %v, want %v", heads, err, want)
		}
		if heads, err = shared.HeadsOf(t.Context(), nil); err != nil || len(heads) != 0 {
			t.Errorf("heads of no rooms %v, %v", heads, err)
		}
	}
	texts, err := s.Texts(t.Context(), []chat.MessageRef{
		{Room: "lobby", Seq: 4},
		{Room: "nowhere", Seq: 1},
		{Room: "garden", Seq: 1},
		{Room: "lobby", Seq: 2},
		{Room: "lobby", Seq: 1},
		{Room: "lobby", Seq: 3},
		{Room: "lobby", Seq: 99},
	})
	var got []string
	for _, e := range texts {
		got = append(got, string(e.Room)+" "+string(e.Kind)+" "+e.From.Name+" "+e.Text)
	}
	want := []string{
		"lobby reply Ada in the thread", "   ", "garden message Grace green", "   ", "lobby message Ada uno", "   ",
		"   ",
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("texts: %v (-want +got):\n%s", err, diff)
	}

	Post(t, s, chat.Draft{Room: "lobby", From: Ada, Kind: chat.Delete, Target: 1})
	for name, tt := range map[string]struct {
		room  chat.RoomName
		after chat.Seq
		limit int
		want  []chat.Seq
	}{
		"all":          {"lobby", 0, 10, []chat.Seq{6, 7}},
		"one":          {"lobby", 0, 1, []chat.Seq{6}},
		"after one":    {"lobby", 6, 10, []chat.Seq{7}},
		"after all":    {"lobby", 7, 10, nil},
		"another room": {"garden", 0, 10, nil},
		"no room":      {"nowhere", 0, 10, nil},
	} {
		var got []chat.Seq
		deletions, err := s.Deletions(t.Context(), tt.room, tt.after, tt.limit)
		for _, d := range deletions {
			if got = append(got, d.Seq); d.Target != 8-d.Seq || d.Kind != chat.Delete {
				t.Errorf("%s: %+v", name, d)
			}
		}
		if !slices.Equal(got, tt.want) || err != nil {
			t.Errorf("%s: %v, %v, want %v", name, got, err, tt.want)
		}
	}
}
