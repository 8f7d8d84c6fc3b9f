package postgres

import (
	"github.com/jackc/pgx/v5"

	"parley/internal/chat"
	"parley/internal/store"
)

// messageText reads messages that drafts are about, by their rooms and seqs.
const messageColumns = `
	m.author, p.public, m.name, coalesce(m.kind, 'message'), coalesce(c.text, m.text), coalesce(m.target, 0),
	coalesce(m.current, 0)`

var messageText = withRooms(`
	SELECT d.i, ` + messageColumns + `,
		CASE WHEN d.edits THEN m.extra END,
		CASE WHEN d.edits THEN (SELECT count(*) FROM event e
			WHERE e.room = m.room AND e.target = m.seq AND e.kind = 'edit') ELSE 0 END,
		CASE WHEN d.pin THEN coalesce((SELECT pin.seq FROM pin WHERE pin.room = m.room AND pin.target = m.seq), 0)
			ELSE 0 END
	FROM k CROSS JOIN unnest($2::int[], $3::bigint[], $4::bool[], $5::bool[])
		WITH ORDINALITY d(room, seq, edits, pin, i)
	JOIN event m ON m.room = k.rooms[d.room] AND m.seq = d.seq JOIN person p ON p.id = m.author
	LEFT JOIN event c ON c.room = m.room AND c.seq = m.current`)

// rootText reads the first messages of the threads that messages are in.
var rootText = withRooms(`
	SELECT d.i, m.seq, ` + messageColumns + `
	FROM k CROSS JOIN unnest($2::int[], $3::bigint[]) WITH ORDINALITY d(room, seq, i)
	JOIN event a ON a.room = k.rooms[d.room] AND a.seq = d.seq JOIN event m ON m.room = a.room AND m.seq = a.target
	JOIN person p ON p.id = m.author LEFT JOIN event c ON c.room = m.room AND c.seq = m.current`)

var saidText = withRooms(`
	SELECT d.i, u.text FROM k CROSS JOIN unnest($2::int[], $3::bigint[]) WITH ORDINALITY d(room, seq, i)
	CROSS JOIN LATERAL (
		SELECT e.text FROM event e WHERE e.room = k.rooms[d.room] AND e.seq = d.seq
		UNION ALL
		SELECT e.text FROM event e WHERE e.room = k.rooms[d.room] AND e.target = d.seq AND e.kind = 'edit') u`)

// emojiText reads the different emoji on messages. It steps from each to the next, so the number of
// people does not matter.
var emojiText = withRooms(`
	SELECT d.i, u.emoji FROM k CROSS JOIN unnest($2::int[], $3::bigint[]) WITH ORDINALITY d(room, seq, i)
	CROSS JOIN LATERAL (
		WITH RECURSIVE other(emoji) AS (
			(SELECT r.emoji FROM reaction r
				WHERE r.room = k.rooms[d.room] AND r.target = d.seq ORDER BY r.emoji LIMIT 1)
			UNION ALL
			SELECT (SELECT r.emoji FROM reaction r
				WHERE r.room = k.rooms[d.room] AND r.target = d.seq AND r.emoji > other.emoji ORDER BY r.emoji LIMIT 1)
			FROM other WHERE other.emoji IS NOT NULL)
		SELECT emoji FROM other WHERE emoji IS NOT NULL) u`)

// reactedText reads reactions of people, and how many people have put the same, up to a limit.
var reactedText = withPeople(`
	SELECT d.i, r.seq, (SELECT count(*) FROM (SELECT FROM reaction x
		WHERE x.room = r.room AND x.target = r.target AND x.emoji = r.emoji LIMIT d.most) y)
	FROM k CROSS JOIN unnest($3::int[], $4::bigint[], $5::text[], $6::int[], $7::int[])
		WITH ORDINALITY d(room, seq, emoji, person, most, i)
	JOIN reaction r ON r.room = k.rooms[d.room] AND r.target = d.seq AND r.emoji = d.emoji
		AND r.person = k.people[d.person]`)

// messageArgs are the arrays of the questions about messages.
type messageArgs struct {
	asked       []*store.Message
	refs        []chat.MessageRef
	rooms       []int32
	seqs        []int64
	edits, pins []bool
}

func (a *messageArgs) add(t *transaction, at chat.MessageRef, m *store.Message) {
	a.asked, a.refs = append(a.asked, m), append(a.refs, at)
	a.rooms, a.seqs = append(a.rooms, int32(t.room(at.Room).Room.Key)), append(a.seqs, int64(at.Seq))
	a.edits = append(a.edits, m.Needs&store.NeedEdits != 0)
	a.pins = append(a.pins, m.Needs&store.NeedPin != 0)
}

// askMessages asks for the messages and, by their needs, for more of them.
func (w *writer) askMessages(f *store.Facts) (all []question) {
	if len(f.Messages) == 0 {
		return nil
	}
	t := &w.tx
	var every, threads, texts, emoji messageArgs
	for at, m := range f.Messages {
		every.add(t, at, m)
		if m.Needs&store.NeedThread != 0 {
			threads.add(t, at, m)
		}
		if m.Needs&store.NeedTexts != 0 {
			texts.add(t, at, m)
		}
		if m.Needs&store.NeedEmoji != 0 {
			m.Emoji = map[string]int{}
			emoji.add(t, at, m)
		}
	}
	all = append(all, question{
		messageText,
		[]any{every.rooms, every.seqs, every.edits, every.pins},
		func(rows pgx.Rows) error { return t.scanMessage(rows, &every) },
	})
	if threads.asked != nil {
		all = append(all, question{rootText, []any{threads.rooms, threads.seqs}, func(rows pgx.Rows) error {
			return t.scanRoot(rows, &threads, f)
		}})
	}
	if texts.asked != nil {
		all = append(all, question{saidText, []any{texts.rooms, texts.seqs}, func(rows pgx.Rows) error {
			var i int64
			var text string
			err := rows.Scan(&i, &text)
			m := texts.asked[i-1]
			m.Texts = append(m.Texts, text)
			return err
		}})
	}
	if emoji.asked != nil {
		all = append(all, question{emojiText, []any{emoji.rooms, emoji.seqs}, func(rows pgx.Rows) error {
			var i int64
			var one string
			err := rows.Scan(&i, &one)
			emoji.asked[i-1].Emoji[one] = 1
			return err
		}}, t.askReacted(&emoji))
	}
	return all
}

func (t *transaction) scanMessage(rows pgx.Rows, a *messageArgs) error {
	var i, author int64
	var extra []byte
	var m store.Message
	err := rows.Scan(&i, &author, &m.From.ID, &m.From.Name, &m.Kind, &m.Text, &m.Thread, &m.Current, &extra, &m.Edits,
		&m.Pin)
	if err != nil {
		return err
	}
	x, err := store.UnpackAttrs(extra)
	is := a.asked[i-1]
	is.Room, is.Author = int64(a.rooms[i-1]), t.known(m.From, author)
	is.From, is.Kind, is.Text, is.Thread, is.Current = m.From, m.Kind, m.Text, m.Thread, m.Current
	is.Forward, is.Edits, is.Pin = x != nil && x.Forward != nil, m.Edits, m.Pin
	return err
}

// scanRoot adds the first message of a thread to the facts, unless it is there.
func (t *transaction) scanRoot(rows pgx.Rows, a *messageArgs, f *store.Facts) error {
	var i, author int64
	var seq chat.Seq
	m := &store.Message{}
	err := rows.Scan(&i, &seq, &author, &m.From.ID, &m.From.Name, &m.Kind, &m.Text, &m.Thread, &m.Current)
	m.Room, m.Author = int64(a.rooms[i-1]), t.known(m.From, author)
	if at := (chat.MessageRef{Room: a.refs[i-1].Room, Seq: seq}); f.Messages[at] == nil {
		f.Messages[at] = m
	}
	return err
}

func (t *transaction) askReacted(a *messageArgs) question {
	type asked struct {
		m *store.Message
		r store.Reacted
	}
	var all []asked
	var rooms, people, most []int32
	var seqs []int64
	var emoji []string
	for i, m := range a.asked {
		for r := range m.Reacted {
			all = append(all, asked{m, r})
			rooms, seqs = append(rooms, a.rooms[i]), append(seqs, a.seqs[i])
			emoji, people = append(emoji, r.Emoji), append(people, int32(r.Person))
			most = append(most, int32(len(m.Reacted)+1))
		}
	}
	return question{reactedText, []any{rooms, seqs, emoji, people, most}, func(rows pgx.Rows) error {
		var i int64
		var seq chat.Seq
		var n int
		err := rows.Scan(&i, &seq, &n)
		q := all[i-1]
		q.m.Reacted[q.r] = seq
		q.m.Emoji[q.r.Emoji] = n
		return err
	}}
}
