package postgres

import (
	"cmp"
	"maps"
	"slices"

	"parley/internal/chat"
)

// Statements for changes. Those about many messages get them as arrays: $1 rooms, $2 seqs.
const (
	places = `unnest($1::bigint[], $2::bigint[]) d(room, seq)`

	setCurrent = `
		UPDATE event e SET current = d.current
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) d(room, seq, current)
		WHERE e.room = d.room AND e.seq = d.seq`
	dropMessages = `
		UPDATE event e SET text = '', extra = NULL, current = d.current
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) d(room, seq, current)
		WHERE e.room = d.room AND e.seq = d.seq`
	dropEdits = `
		UPDATE event e SET text = '', extra = NULL FROM ` + places + `
		WHERE e.room = d.room AND e.target = d.seq AND e.kind = 'edit'`
	noteVacuum = `INSERT INTO vacuum_due (room, seq) SELECT d.room, d.seq FROM ` + places

	// A DELETE joined with the arrays could read the whole table if its plan was made when that was
	// small. OFFSET 0 keeps the planner from turning the join around.
	dropReactions = `
		DELETE FROM reaction WHERE ctid = ANY (ARRAY (SELECT x.ctid FROM ` + places + ` CROSS JOIN LATERAL (
			SELECT ctid FROM reaction WHERE room = d.room AND target = d.seq OFFSET 0) x))`
	dropPins = `
		DELETE FROM pin WHERE ctid = ANY (ARRAY (SELECT x.ctid FROM ` + places + ` CROSS JOIN LATERAL (
			SELECT ctid FROM pin WHERE room = d.room AND target = d.seq OFFSET 0) x))`
	dropMentions = `
		DELETE FROM mention WHERE ctid = ANY (ARRAY (SELECT x.ctid FROM ` + places + ` CROSS JOIN LATERAL (
			SELECT ctid FROM mention WHERE room = d.room AND seq = d.seq OFFSET 0) x))`
	dropForwards = `
		DELETE FROM forward WHERE ctid = ANY (ARRAY (SELECT x.ctid FROM ` + places + ` CROSS JOIN LATERAL (
			SELECT ctid FROM forward WHERE room = d.room AND seq = d.seq OFFSET 0) x))`

	// A message that is deleted makes its copies due. A copy that is deleted is one no more, and
	// copies of its source are due no more if it was the last.
	copiesDue = `
		INSERT INTO copies_due (room, seq) SELECT d.room, d.seq FROM ` + places + `
		WHERE (SELECT f.seq FROM forward f WHERE f.source_room = d.room AND f.source_seq = d.seq LIMIT 1) IS NOT NULL
		ON CONFLICT DO NOTHING`
	copiesDone = `
		DELETE FROM copies_due WHERE ctid = ANY (ARRAY (
			SELECT c.ctid FROM ` + places + `
			CROSS JOIN LATERAL (
				SELECT source_room, source_seq FROM forward WHERE room = d.room AND seq = d.seq OFFSET 0) f
			CROSS JOIN LATERAL (
				SELECT ctid FROM copies_due WHERE room = f.source_room AND seq = f.source_seq OFFSET 0) c
			WHERE (SELECT o.seq FROM forward o WHERE o.source_room = f.source_room AND o.source_seq = f.source_seq
				AND (o.room, o.seq) NOT IN (SELECT x.room, x.seq FROM unnest($1::bigint[], $2::bigint[]) x(room, seq))
				LIMIT 1) IS NULL))`

	insertForwards = `
		INSERT INTO forward (room, seq, source_room, source_seq)
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])`
	insertMentions = `
		INSERT INTO mention (room, seq, person) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])
		ON CONFLICT DO NOTHING`
	insertSubscriptions = `
		INSERT INTO subscription (room, target, person) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])
		ON CONFLICT DO NOTHING`
	insertPins = `
		INSERT INTO pin (room, target, seq) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])
		ON CONFLICT (room, target) DO UPDATE SET seq = excluded.seq`
	insertReactions = `
		INSERT INTO reaction (room, target, emoji, person, seq)
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[])
		ON CONFLICT (room, target, emoji, person) DO UPDATE SET seq = excluded.seq`
	takeBack = `
		DELETE FROM reaction r
		USING unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[]) d(room, target, emoji, person)
		WHERE r.room = d.room AND r.target = d.target AND r.emoji = d.emoji AND r.person = d.person`
	setTopics = `
		UPDATE room SET topic = d.topic FROM unnest($1::bigint[], $2::text[]) d(id, topic) WHERE room.id = d.id`
)

// queueChanges queues the changes. The order of the statements matters only within a table.
func (w *writer) queueChanges(b *changes) {
	b.dropDeleted()
	w.queueForwards(b)
	w.queueDeletions(b)
	if rooms, seqs, current := columns(b.current); rooms != nil {
		w.queue(setCurrent, rooms, seqs, current)
	}
	w.queueMentions(b)
	w.queueReactions(b)
	w.queuePins(b)
	if b.subscribe != nil {
		var rooms, seqs, people []int64
		for s := range b.subscribe {
			rooms, seqs, people = append(rooms, s.room), append(seqs, int64(s.seq)), append(people, s.person)
		}
		w.queue(insertSubscriptions, rooms, seqs, people)
	}
	if b.topics != nil {
		ids := slices.Sorted(maps.Keys(b.topics))
		topics := make([]string, len(ids))
		for i, id := range ids {
			topics[i] = b.topics[id]
		}
		w.queue(setTopics, ids, topics)
	}
}

func (w *writer) queueForwards(b *changes) {
	var rooms, seqs, sourceRooms, sources []int64
	for at, source := range b.forwards {
		rooms, seqs = append(rooms, at.room), append(seqs, int64(at.seq))
		sourceRooms, sources = append(sourceRooms, source.room), append(sources, int64(source.seq))
	}
	if rooms != nil {
		w.queue(insertForwards, rooms, seqs, sourceRooms, sources)
	}
}

// queueDeletions queues the statements that delete the texts of all versions of messages, and their
// reactions, mentions and pins.
func (w *writer) queueDeletions(b *changes) {
	rooms, seqs, by := columns(b.deleted)
	if rooms == nil {
		return
	}
	w.queue(dropMessages, rooms, seqs, by)
	for _, text := range []string{
		dropEdits, dropReactions, dropPins, dropMentions, copiesDue, copiesDone, dropForwards,
	} {
		w.queue(text, rooms, seqs)
	}
	w.queue(noteVacuum, rooms, by)
}

// queueMentions queues the mentions of messages. After an edit they replace those of the version before.
func (w *writer) queueMentions(b *changes) {
	rooms, seqs, people := columns(b.mentions)
	if rooms == nil {
		return
	}
	if b.current != nil {
		w.queue(dropMentions, rooms, seqs)
	}
	var inRooms, inSeqs, each []int64
	for i, ids := range people {
		for _, id := range ids {
			inRooms, inSeqs, each = append(inRooms, rooms[i]), append(inSeqs, seqs[i]), append(each, id)
		}
	}
	if each != nil {
		w.queue(insertMentions, inRooms, inSeqs, each)
	}
}

func (w *writer) queueReactions(b *changes) {
	var on, off reactionColumns
	for _, r := range slices.SortedFunc(maps.Keys(b.reactions), reaction.compare) {
		if seq := b.reactions[r]; seq != 0 {
			on.add(r)
			on.events = append(on.events, int64(seq))
		} else {
			off.add(r)
		}
	}
	if off.rooms != nil {
		w.queue(takeBack, off.rooms, off.seqs, off.emoji, off.people)
	}
	if on.rooms != nil {
		w.queue(insertReactions, on.rooms, on.seqs, on.emoji, on.people, on.events)
	}
}

type reactionColumns struct {
	rooms, seqs, people, events []int64
	emoji                       []string
}

func (c *reactionColumns) add(r reaction) {
	c.rooms, c.seqs = append(c.rooms, r.room), append(c.seqs, int64(r.seq))
	c.emoji, c.people = append(c.emoji, r.emoji), append(c.people, r.person)
}

func (r reaction) compare(o reaction) int {
	return cmp.Or(
		r.messageRef.compare(o.messageRef), cmp.Compare(r.emoji, o.emoji), cmp.Compare(r.person, o.person))
}

func (w *writer) queuePins(b *changes) {
	on, off := map[messageRef]chat.Seq{}, map[messageRef]chat.Seq{}
	for at, seq := range b.pins {
		if seq != 0 {
			on[at] = seq
		} else {
			off[at] = 0
		}
	}
	if rooms, seqs, _ := columns(off); rooms != nil {
		w.queue(dropPins, rooms, seqs)
	}
	if rooms, seqs, events := columns(on); rooms != nil {
		w.queue(insertPins, rooms, seqs, events)
	}
}

// columns returns the messages in a map, in order, and their values.
func columns[V any](m map[messageRef]V) (rooms, seqs []int64, values []V) {
	for _, at := range slices.SortedFunc(maps.Keys(m), messageRef.compare) {
		rooms, seqs, values = append(rooms, at.room), append(seqs, int64(at.seq)), append(values, m[at])
	}
	return rooms, seqs, values
}
