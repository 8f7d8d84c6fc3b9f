package store

import (
	"context"
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
func (c *committer) named(ctx context.Context, r *row, x *chat.Extra) (people []int64, err error) {
	x.Mentions = nil
	looked := map[string]bool{}
	text := r.draft.Text
	for i := 0; i < len(text) && len(x.Mentions) < chat.MaxMentions && len(looked) < 4*chat.MaxMentions; i++ {
		if text[i] != '@' || !startsMention(text, i) {
			continue
		}
		for _, name := range namesAt(text[i+1:]) {
			folded := chat.FoldName(name)
			if looked[folded] {
				break // it is known by now whether that is somebody
			}
			looked[folded] = true
			found, err := c.membersCalled(ctx, r.head.room, folded)
			if err != nil {
				return nil, err
			}
			if len(found) == 0 {
				continue
			}
			for _, m := range found {
				x.Mentions = append(x.Mentions, m.person)
				people = append(people, m.id)
			}
			break
		}
	}
	for _, id := range x.Present {
		person, err := c.find(ctx, `SELECT id FROM person WHERE public = $1`, string(id))
		if err != nil {
			return nil, err
		}
		people = append(people, person)
	}
	slices.Sort(people)
	return slices.DeleteFunc(slices.Compact(people), func(p int64) bool { return p == r.author || p == 0 }), nil
}

// namesAt returns the names that s may begin with, the longest first: each ends
// where a word does.
func namesAt(s string) (names []string) {
	runes := 0
	var last rune
	for i, r := range s {
		if i > 0 && !isWord(r) && (isWord(last) || !unicode.IsSpace(last)) {
			names = append(names, s[:i])
		}
		if last = r; runes == chat.MaxName || r == '\n' {
			slices.Reverse(names)
			return names
		}
		runes++
	}
	if s != "" {
		names = append(names, s)
	}
	slices.Reverse(names)
	return names
}

// somebody is a person with their rowid.
type somebody struct {
	id     int64
	person chat.Person
}

// membersCalled returns the members of a room who go by a name, which may be
// several; a crowd of namesakes is nobody.
func (c *committer) membersCalled(ctx context.Context, room int64, folded string) ([]somebody, error) {
	stmt, err := c.prepare(ctx, `
		SELECT p.id, p.public, p.name FROM person p JOIN member m ON m.person = p.id AND m.room = $2
		WHERE p.folded = $1 LIMIT 6`)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(ctx, folded, room)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []somebody
	for rows.Next() {
		var s somebody
		if err := rows.Scan(&s.id, &s.person.ID, &s.person.Name); err != nil {
			return nil, err
		}
		found = append(found, s)
	}
	if len(found) > 5 {
		found = nil
	}
	return found, rows.Err()
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

// unmention notes that a message names people no more.
func (c *committer) unmention(ctx context.Context, id int64, people []chat.Person) error {
	for _, p := range people {
		if err := c.exec(ctx, `DELETE FROM mention WHERE person = (SELECT id FROM person WHERE public = $1) AND event = $2`, string(p.ID), id); err != nil {
			return err
		}
	}
	return nil
}
