package access_test

import (
	"fmt"
	"testing"

	"parley/internal/access"
	"parley/internal/chat"
)

var ada = chat.Who{Person: chat.Person{ID: "ada", Name: "Ada"}}

var kinds = map[chat.Kind]access.Action{
	chat.Message: access.Send, chat.Reply: access.Send, chat.Edit: access.Edit, chat.Delete: access.Delete,
	chat.React: access.React, chat.Unreact: access.Unreact, chat.Pin: access.Pin, chat.Unpin: access.Unpin,
	chat.Topic: access.SetTopic,
}

func TestUnknownPersonMayOnlyRead(t *testing.T) {
	for a := access.Read; a <= access.Bookmark; a++ {
		want := chat.BadSession
		if a == access.Read || a == access.Search {
			want = ""
		}
		if got := chat.CodeOf(access.May(chat.Who{}, a, "lobby")); got != want {
			t.Errorf("action %d: code %q, want %q", a, got, want)
		}
		if err := access.May(ada, a, "lobby"); err != nil {
			t.Errorf("action %d of a known person: %v", a, err)
		}
	}
}

func TestEveryStoredKindHasItsAction(t *testing.T) {
	for kind, want := range kinds {
		if got := access.ActionOf(kind); got != want {
			t.Errorf("%s is action %d, want %d", kind, got, want)
		}
	}
}

// Each action with a message in each state: first by its author, then by another person.
func TestChangesOfAMessage(t *testing.T) {
	const ok, no, gone, foreign = chat.Code(""), chat.NotFound, chat.Gone, chat.NotYours
	states := []access.Facts{
		{}, // no such message
		{Exists: true},
		{Exists: true, IsForward: true},
		{Exists: true, IsDeleted: true},
	}
	for a, want := range map[access.Action][4][2]chat.Code{
		access.Answer:   {{no, no}, {ok, ok}, {ok, ok}, {ok, ok}},
		access.Forward:  {{no, no}, {ok, ok}, {ok, ok}, {gone, gone}},
		access.Edit:     {{no, no}, {ok, foreign}, {foreign, foreign}, {gone, gone}},
		access.Delete:   {{no, no}, {ok, foreign}, {ok, foreign}, {ok, foreign}},
		access.React:    {{no, no}, {ok, ok}, {ok, ok}, {gone, gone}},
		access.Unreact:  {{no, no}, {ok, ok}, {ok, ok}, {gone, gone}},
		access.Pin:      {{no, no}, {ok, ok}, {ok, ok}, {gone, gone}},
		access.Unpin:    {{no, no}, {ok, ok}, {ok, ok}, {ok, ok}},
		access.Bookmark: {{no, no}, {ok, ok}, {ok, ok}, {ok, ok}},
	} {
		for i, f := range states {
			for j, isAuthor := range []bool{true, false} {
				f.IsAuthor = isAuthor
				if got := chat.CodeOf(access.MayChange(a, f)); got != want[i][j] {
					t.Errorf("action %d with %+v: code %q, want %q", a, f, got, want[i][j])
				}
			}
		}
	}
}

func TestLimitsHoldForChangesWithAnEffect(t *testing.T) {
	there := access.Facts{Exists: true, IsAuthor: true}
	for a, limit := range map[access.Action]struct {
		most  int
		count func(*access.Facts) *int
	}{
		access.Edit:     {chat.MaxEdits, func(f *access.Facts) *int { return &f.Edits }},
		access.React:    {chat.MaxEmoji, func(f *access.Facts) *int { return &f.OtherEmoji }},
		access.Pin:      {chat.MaxPins, func(f *access.Facts) *int { return &f.Pins }},
		access.Bookmark: {chat.MaxBookmarks, func(f *access.Facts) *int { return &f.Bookmarks }},
	} {
		t.Run(fmt.Sprint(a), func(t *testing.T) {
			f := there
			*limit.count(&f) = limit.most - 1
			if err := access.MayChange(a, f); err != nil {
				t.Errorf("one below the limit: %v", err)
			}
			*limit.count(&f) = limit.most
			if err := access.MayChange(a, f); chat.CodeOf(err) != chat.TooMany {
				t.Errorf("at the limit: %v", err)
			}
			f.IsDone = true
			if err := access.MayChange(a, f); err != nil {
				t.Errorf("at the limit, without an effect: %v", err)
			}
		})
	}
}
