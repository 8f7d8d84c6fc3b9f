package wire

import (
	"encoding/json"
	"strings"
	"testing"

	"parley/internal/chat"
)

// A list update shows the beginning of a message as text, but a topic as it was set: whoever changes it needs its
// marks.
func TestListUpdatesHaveTextWithoutMarks(t *testing.T) {
	long := "**" + strings.Repeat("a", chat.MaxTopic-4) + "**"
	for name, tt := range map[string]struct {
		kind       chat.Kind
		text, want string
	}{
		"message": {chat.Message, "the **butler** ||did|| `it`\nso", "the butler ▒▒▒ it so"},
		"reply":   {chat.Reply, "||secret||", "▒▒▒"},
		"edit":    {chat.Edit, "犯人は||執事||です", "犯人は▒▒▒です"},
		"topic":   {chat.Topic, long, long},
	} {
		frame := ListUpdates{}.Append(nil, chat.Event{
			Room: "lobby", Seq: 2, Kind: tt.kind, Target: 1, From: chat.Person{ID: "a", Name: "Ada"}, Text: tt.text,
		})
		var got struct{ Text string }
		err := json.Unmarshal(frame[strings.IndexByte(string(frame), '{'):], &got)
		if err != nil || got.Text != tt.want {
			t.Errorf("%s: %q, want %q (%v)", name, got.Text, tt.want, err)
		}
	}
}
