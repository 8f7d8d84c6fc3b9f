package sqlite

import (
	"fmt"
	"slices"
	"testing"

	"parley/internal/chat"
)

// Those who are told are in the table as long as the message names them.
func TestMentionsAreKeptForWhomTheyTell(t *testing.T) {
	s, _ := start(t, t.TempDir())
	for i, name := range []string{"Grace", "Ben", "Eve"} {
		do(t, s, draft("lobby", chat.Person{ID: chat.PersonID(fmt.Sprint(name, i)), Name: name}, "hi", ""))
	}
	do(t, s, draft("lobby", ada, "hi", "")) // 4
	wantTold := func(seq chat.Seq, want ...string) {
		t.Helper()
		rows, err := s.readers.QueryContext(t.Context(),
			`SELECT name FROM mention JOIN person ON person.id = mention.person WHERE event & 0xfffffffff = $1 `+
				`ORDER BY name`, int64(seq))
		must(t, err)
		defer rows.Close()
		var got []string
		for rows.Next() {
			var name string
			must(t, rows.Scan(&name))
			got = append(got, name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("message %d tells %q, want %q", seq, got, want)
		}
	}
	do(t, s, draft("lobby", ada, "@Grace @Ada @Ben", "")) // 5
	wantTold(5, "Ben", "Grace")
	do(t, s, deed(ada, chat.Edit, 5, "@Eve @Ben")) // 6
	wantTold(5, "Ben", "Eve")
	wantTold(6)
	do(t, s, deed(ada, chat.Edit, 5, "nobody"), deed(ada, chat.Edit, 5, "@Eve")) // 7, 8
	wantTold(5, "Eve")
	if x := standings(t, s, 5)[0].Extra; x == nil || len(x.Mentions) != 1 || x.Mentions[0].Name != "Eve" {
		t.Errorf("%+v", x)
	}
	do(t, s, deed(ada, chat.Delete, 5, "")) // 9
	wantTold(5)

	here := chat.Draft{
		Room: "lobby", From: ada, Text: "@here @Eve",
		Extra: &chat.Attrs{Here: true, Present: []chat.PersonID{"Grace0", ada.ID, "nobody", "Eve2"}},
	}
	do(t, s, here, here, here) // 10, 11, 12
	if here.Extra.Mentions != nil {
		t.Error("the draft was changed")
	}
	wantTold(10, "Eve", "Grace")
	if x := standings(t, s, 10)[0].Extra; x == nil || !x.Here || len(x.Mentions) != 1 || x.Present != nil {
		t.Errorf("%+v", x)
	}
	do(t, s, deed(ada, chat.Delete, 11, ""), deed(ada, chat.Edit, 12, "@Ben"))
	wantTold(11)
	wantTold(12, "Ben")
	if x := standings(t, s, 12)[0].Extra; x == nil || x.Here {
		t.Errorf("%+v", x)
	}
}
