package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// Load fills in the facts, with one statement for each. Within one process, several
// prepared statements cost less than one with a list of keys as JSON.
func (w *writer) Load(ctx context.Context, f *store.Facts) error {
	if f == nil {
		return nil
	}
	if err := w.loadMessages(ctx, f); err != nil {
		return err
	}
	for nonce, use := range f.Nonces {
		if err := w.loadNonce(ctx, nonce, use); err != nil {
			return fmt.Errorf("the first use of a nonce: %w", err)
		}
	}
	for room, facts := range f.Rooms {
		if err := w.loadRoom(ctx, room, facts); err != nil {
			return fmt.Errorf("room %d: %w", room.Key, err)
		}
	}
	for name := range f.Names {
		people, err := w.peopleNamed(ctx, name)
		if err != nil {
			return fmt.Errorf("people of a name: %w", err)
		}
		f.Names[name] = people
	}
	for id := range f.People {
		key, err := w.person(ctx, id)
		if err != nil {
			return fmt.Errorf("a person: %w", err)
		}
		f.People[id] = key
	}
	return nil
}

// loadMessages loads the messages, and then the first messages of their threads.
func (w *writer) loadMessages(ctx context.Context, f *store.Facts) error {
	roots := map[chat.MessageRef]*store.Message{}
	for at, m := range f.Messages {
		if err := w.loadMessage(ctx, at, m); err != nil {
			return fmt.Errorf("message %d of %s: %w", at.Seq, at.Room, err)
		}
		if root := (chat.MessageRef{Room: at.Room, Seq: m.Thread}); m.Thread != 0 && m.Needs&store.NeedThread != 0 &&
			f.Messages[root] == nil {
			roots[root] = &store.Message{}
		}
	}
	for at, m := range roots {
		if err := w.loadMessage(ctx, at, m); err != nil {
			return fmt.Errorf("message %d of %s: %w", at.Seq, at.Room, err)
		}
		f.Messages[at] = m
	}
	return nil
}

// messageText reads the facts about a message that are always needed: $1 is its id.
var messageText = `
	SELECT m.author, p.public, m.name, coalesce(m.kind, 'message'), coalesce(c.text, m.text),
		coalesce(` + seqSQL("m.target") + `, 0), coalesce(` + seqSQL("m.current") + `, 0), coalesce(m.extra, '')
	FROM event m JOIN person p ON p.id = m.author LEFT JOIN event c ON c.id = m.current
	WHERE m.id = $1`

func (w *writer) loadMessage(ctx context.Context, at chat.MessageRef, m *store.Message) error {
	if at.Seq > maxSeq {
		return nil
	}
	room, err := w.room(ctx, at.Room)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	id, extra := eventID(room.Key, at.Seq), ""
	err = w.scan(ctx, []any{&m.Author, &m.From.ID, &m.From.Name, &m.Kind, &m.Text, &m.Thread, &m.Current, &extra},
		messageText, id)
	if errors.Is(err, sql.ErrNoRows) { // the room ends before it, or a person has deleted the row by hand
		return nil
	}
	if err != nil {
		return err
	}
	m.Room = room.Key
	if m.Needs&store.NeedEdits != 0 {
		x, err := store.UnpackAttrs([]byte(extra))
		if err != nil {
			return err
		}
		m.Forward = x != nil && x.Forward != nil
		n, err := w.find(ctx, `SELECT count(*) FROM event WHERE target = $1 AND kind = 'edit'`, id)
		if err != nil {
			return err
		}
		m.Edits = int(n)
	}
	if m.Needs&store.NeedTexts != 0 {
		if err := w.loadTexts(ctx, id, m); err != nil {
			return err
		}
	}
	if m.Needs&store.NeedPin != 0 {
		pin, err := w.find(ctx, `SELECT event FROM pin WHERE target = $1`, id)
		if err != nil {
			return err
		}
		m.Pin = seqOf(pin)
	}
	if m.Needs&store.NeedEmoji != 0 {
		return w.loadReactions(ctx, id, m)
	}
	return nil
}

func (w *writer) loadTexts(ctx context.Context, id int64, m *store.Message) error {
	return w.each(ctx, `SELECT text FROM event WHERE id = $1 OR target = $1 AND kind = 'edit'`, []any{id},
		func(rows *sql.Rows) error {
			var text string
			err := rows.Scan(&text)
			m.Texts = append(m.Texts, text)
			return err
		})
}

// emojiText reads the different emoji on a message. It steps from each to the next, so the number
// of people does not matter.
const emojiText = `
	WITH RECURSIVE other(emoji) AS (
		SELECT min(emoji) FROM reaction WHERE target = $1
		UNION ALL
		SELECT (SELECT min(emoji) FROM reaction WHERE target = $1 AND emoji > other.emoji) FROM other
		WHERE other.emoji IS NOT NULL)
	SELECT emoji FROM other WHERE emoji IS NOT NULL`

func (w *writer) loadReactions(ctx context.Context, id int64, m *store.Message) error {
	m.Emoji = map[string]int{}
	err := w.each(ctx, emojiText, []any{id}, func(rows *sql.Rows) error {
		var emoji string
		err := rows.Scan(&emoji)
		m.Emoji[emoji] = 1
		return err
	})
	if err != nil {
		return err
	}
	for r := range m.Reacted {
		event, err := w.find(ctx, `SELECT event FROM reaction WHERE target = $1 AND emoji = $2 AND person = $3`, id,
			r.Emoji, r.Person)
		if err != nil {
			return err
		}
		m.Reacted[r] = seqOf(event)
		if m.Needs&store.NeedCounts == 0 || m.Emoji[r.Emoji] != 1 {
			continue
		}
		n, err := w.find(ctx, `
			SELECT count(*) FROM (SELECT 1 FROM reaction WHERE target = $1 AND emoji = $2 LIMIT $3)`,
			id, r.Emoji, len(m.Reacted)+1)
		if err != nil {
			return err
		}
		m.Emoji[r.Emoji] = int(n)
	}
	return nil
}

// loadNonce reads the first use of a nonce.
func (w *writer) loadNonce(ctx context.Context, n store.Nonce, use *store.FirstUse) error {
	var ms int64
	kept := packNonce(n.Nonce)
	err := w.scan(ctx, []any{&use.Seq, &ms, &use.Name, &use.Text, &use.Kind, &use.Target}, `
		SELECT seq, at_ms, name, text, coalesce(kind, 'message'), `+seqSQL("coalesce(target, 0)")+` FROM event
		WHERE nonce = $1 AND author = $2 AND room = $3`, kept, n.Author, n.Room)
	use.Event = err == nil
	if use.Kind == chat.React || use.Kind == chat.Unreact {
		use.Emoji = use.Text
	}
	if errors.Is(err, sql.ErrNoRows) && use.Answers {
		err = w.scan(ctx, []any{&use.Seq, &ms, &use.Kind, &use.Target, &use.Emoji}, `
			SELECT seq, at_ms, kind, `+seqSQL("target")+`, emoji FROM answer
			WHERE nonce = $1 AND author = $2 AND room = $3`, kept, n.Author, n.Room)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	use.At = time.UnixMilli(ms).UTC()
	return err
}

func (w *writer) loadRoom(ctx context.Context, room *store.Room, facts *store.RoomFacts) error {
	if facts.NeedPins {
		n, err := w.find(ctx, `SELECT count(*) FROM pin WHERE target BETWEEN $1 AND $2`, eventID(room.Key, 0),
			eventID(room.Key, maxSeq))
		if err != nil {
			return err
		}
		facts.Pins = int(n)
	}
	if facts.NeedTopic {
		return w.scan(ctx, []any{&facts.Topic}, `SELECT topic FROM room WHERE id = $1`, room.Key)
	}
	return nil
}

// peopleNamed returns the people with a room in their list who have a name. More than five are not
// found at all. Of a common name it looks at the newest 500 people.
func (w *writer) peopleNamed(ctx context.Context, name store.Name) (found []store.Named, err error) {
	err = w.each(ctx, `
		SELECT p.id, p.public, p.name
		FROM (SELECT id, public, name FROM person WHERE folded = $1 ORDER BY id DESC LIMIT 500) p
		JOIN member m ON m.person = p.id AND m.room = $2 LIMIT 6`,
		[]any{name.Folded, name.Room}, func(rows *sql.Rows) error {
			var p store.Named
			err := rows.Scan(&p.Key, &p.Person.ID, &p.Person.Name)
			found = append(found, p)
			return err
		})
	if len(found) > 5 {
		found = nil
	}
	return found, err
}

// person returns the rowid of a person, 0 if there is no such person.
func (w *writer) person(ctx context.Context, id chat.PersonID) (int64, error) {
	if a, known := w.people.get(id); known {
		return a.Key, nil
	}
	return w.find(ctx, `SELECT id FROM person WHERE public = $1`, string(id))
}
