package sqlite

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"parley/internal/chat"
)

// mayMention reports whether text could name somebody. It is wrong in one
// direction only, and cheap, because most messages name nobody.
func mayMention(text string) bool {
	for i := strings.IndexByte(text, '@'); i >= 0; {
		if startsMention(text, i) {
			return true
		}
		next := strings.IndexByte(text[i+1:], '@')
		if next < 0 {
			return false
		}
		i += 1 + next
	}
	return false
}

// startsMention reports whether a name may follow the "@" at text[i]: it does not
// stand within a word, as in an address.
func startsMention(text string, i int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:i])
	after, _ := utf8.DecodeRuneInString(text[i+1:])
	return (i == 0 || !isWord(before)) && i+1 < len(text) && !unicode.IsSpace(after)
}

func isWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '_'
}

// named finds out whom r's text names, among the room's members, and says so in
// x. It returns the rowids of those who are to be told: the author is not, and
// with @here everybody is who was here.
func (c *committer) named(ctx context.Context, r *row, x *chat.Attrs) (people []int64, err error) {
	found, err := namedIn(r.draft.Text, func(name string) ([]mentionedPerson, error) { return c.peopleNamed(ctx, r.head.room, name) })
	if err != nil {
		return nil, err
	}
	x.Mentions = nil
	for _, m := range found {
		x.Mentions = append(x.Mentions, m.person)
		people = append(people, m.id)
	}
	for _, id := range x.Present {
		person := int64(0)
		if a, known := c.people.get(id); known {
			person = a.id
		} else {
			if person, err = c.find(ctx, `SELECT id FROM person WHERE public = $1`, string(id)); err != nil {
				return nil, err
			}
		}
		people = append(people, person)
	}
	slices.Sort(people)
	return slices.DeleteFunc(slices.Compact(people), func(p int64) bool { return p == r.author || p == 0 }), nil
}

// maxLooks is how many names of one message are looked for, of which most are
// nobody's: "@Ada is it" may name "Ada is it", "Ada is" or "Ada". Everybody's
// messages wait meanwhile.
const maxLooks = 2 * chat.MaxMentions

// namedIn returns whom text names, each once. look finds those who go by a folded
// name; it is asked for each name once, and not too often.
func namedIn(text string, look func(name string) ([]mentionedPerson, error)) (found []mentionedPerson, err error) {
	looked := map[string]bool{}
	for i, starts := 0, 0; i < len(text) && starts < maxLooks && len(found) < chat.MaxMentions; i++ {
		if text[i] != '@' || !startsMention(text, i) {
			continue
		}
		starts++
		for _, name := range namesAt(text[i+1:]) {
			name = chat.FoldName(name)
			if looked[name] { // it is known by now whether that is somebody
				break
			}
			if len(looked) == maxLooks {
				return found, nil
			}
			looked[name] = true
			people, err := look(name)
			if err != nil {
				return nil, err
			}
			if len(people) > 0 {
				found = append(found, people[:min(len(people), chat.MaxMentions-len(found))]...)
				break
			}
		}
	}
	return found, nil
}

// namesAt returns the names that s may begin with, the longest first: each ends
// where a word does, and none goes on into what is a mention of its own.
func namesAt(s string) (names []string) {
	runes := 0
	var last rune
	for i, r := range s {
		if i > 0 && !isWord(r) && !unicode.IsSpace(last) {
			names = append(names, s[:i])
		}
		if runes == chat.MaxName || r == '\n' || i > 0 && r == '@' && !isWord(last) {
			slices.Reverse(names)
			return names
		}
		last = r
		runes++
	}
	if s != "" {
		names = append(names, s)
	}
	slices.Reverse(names)
	return names
}

// mentionedPerson is a person with their rowid.
type mentionedPerson struct {
	id     int64
	person chat.Person
}

// peopleNamed returns the members of a room who go by a name, which may be
// several; a crowd of namesakes is nobody. Of those who are elsewhere, and of a
// common name that may be many, it looks at the newest.
func (c *committer) peopleNamed(ctx context.Context, room int64, folded string) ([]mentionedPerson, error) {
	stmt, err := c.prepare(ctx, `
		SELECT p.id, p.public, p.name
		FROM (SELECT id, public, name FROM person WHERE folded = $1 ORDER BY id DESC LIMIT 500) p
		JOIN member m ON m.person = p.id AND m.room = $2 LIMIT 6`)
	if err != nil {
		return nil, err
	}
	var found []mentionedPerson
	err = eachRow(ctx, stmt, []any{folded, room}, func(rows *sql.Rows) error {
		var s mentionedPerson
		err := rows.Scan(&s.id, &s.person.ID, &s.person.Name)
		found = append(found, s)
		return err
	})
	if len(found) > 5 {
		found = nil
	}
	return found, err
}

// mention notes that people are named by a message.
func (c *committer) mention(ctx context.Context, id int64, people []int64) error {
	for _, person := range people {
		if err := c.exec(ctx, `INSERT INTO mention (person, event) VALUES ($1, $2) ON CONFLICT DO NOTHING`, person, id); err != nil {
			return err
		}
	}
	return nil
}

// unmention notes that a message is for nobody any more.
func (c *committer) unmention(ctx context.Context, id int64) error {
	return c.exec(ctx, `DELETE FROM mention WHERE event = $1`, id)
}
