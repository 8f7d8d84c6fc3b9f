package wire

import (
	"testing"
	"time"

	"parley/internal/chat"
)

func TestAppendTextLine(t *testing.T) {
	ada := chat.Person{ID: "a", Name: "Ada"}
	at := time.Date(2026, 11, 23, 23, 41, 5, 123e6, time.UTC)
	tests := map[string]struct {
		e    chat.Event
		zone *time.Location
		want string
	}{
		"message": {
			e:    chat.Event{Kind: chat.Message, Text: "Hello, **world**", HTML: "<p>"},
			want: "42 2026-11-23 23:41:05 Ada: Hello, **world**\n",
		},
		"in another zone": {
			e:    chat.Event{Kind: chat.Message, Text: "hi"},
			zone: time.FixedZone("", 2*60*60),
			want: "42 2026-11-24 01:41:05 Ada: hi\n",
		},
		"several lines": {
			e:    chat.Event{Kind: chat.Message, Text: "\na\r\nb\tc\u2028d\n"},
			want: "42 2026-11-23 23:41:05 Ada: a ⏎ b c ⏎ d\n",
		},
		"what a terminal would act on": {
			e:    chat.Event{Kind: chat.Message, Text: "\x1b[2Ja\u009b1m\u202eb\u200bc\a\ue000 \xff"},
			want: "42 2026-11-23 23:41:05 Ada: �[2Ja�1mbc�� �\n",
		},
		"an emoji of several": {
			e:    chat.Event{Kind: chat.Message, Text: "👩‍🚀"},
			want: "42 2026-11-23 23:41:05 Ada: 👩‍🚀\n",
		},
		"action": {
			e:    chat.Event{Kind: chat.Message, Text: "waves", Attrs: &chat.Attrs{Action: true}},
			want: "42 2026-11-23 23:41:05 * Ada waves\n",
		},
		"reply": {
			e:    chat.Event{Kind: chat.Reply, Target: 7, Text: "yes"},
			want: "42 2026-11-23 23:41:05 * Ada answered in the thread of 7: yes\n",
		},
		"edit": {
			e:    chat.Event{Kind: chat.Edit, Target: 7, Text: "new"},
			want: "42 2026-11-23 23:41:05 * Ada edited 7: new\n",
		},
		"delete": {
			e:    chat.Event{Kind: chat.Delete, Target: 7},
			want: "42 2026-11-23 23:41:05 * Ada deleted 7\n",
		},
		"react": {
			e:    chat.Event{Kind: chat.React, Target: 7, Text: "👍"},
			want: "42 2026-11-23 23:41:05 * Ada reacted to 7 with 👍\n",
		},
		"unreact": {
			e:    chat.Event{Kind: chat.Unreact, Target: 7, Text: "👍"},
			want: "42 2026-11-23 23:41:05 * Ada took back from 7 the reaction 👍\n",
		},
		"pin": {
			e:    chat.Event{Kind: chat.Pin, Target: 7},
			want: "42 2026-11-23 23:41:05 * Ada pinned 7\n",
		},
		"unpin": {
			e:    chat.Event{Kind: chat.Unpin, Target: 7},
			want: "42 2026-11-23 23:41:05 * Ada unpinned 7\n",
		},
		"topic": {
			e:    chat.Event{Kind: chat.Topic, Text: "ships"},
			want: "42 2026-11-23 23:41:05 * Ada set the topic: ships\n",
		},
		"no topic": {
			e:    chat.Event{Kind: chat.Topic},
			want: "42 2026-11-23 23:41:05 * Ada removed the topic\n",
		},
		"deleted message": {e: chat.Event{Kind: chat.Message}},
		"deleted edit":    {e: chat.Event{Kind: chat.Edit, Target: 7}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e, zone := tt.e, tt.zone
			if e.Seq, e.At, e.From = 42, at, ada; zone == nil {
				zone = time.UTC
			}
			if got := string(AppendTextLine(nil, e, zone)); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
	if got := AppendTextLine(nil, chat.Event{Kind: chat.Typing, From: ada}, time.UTC); len(got) != 0 {
		t.Errorf("typing: %q", got)
	}
	if got := string(AppendTextEnd(nil, "over\nand out")); got != "* Parley: over ⏎ and out\n" {
		t.Errorf("the end: %q", got)
	}
}
