package postgres

import (
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"parley/internal/chat"
	"parley/internal/store"
)

// Statements that make what is missing, and lock. All nodes do so in the same order, after the lock of
// awaited.go: rooms by name,
// people by id, rooms' rows by id, people's rows by id, and only then the rows of the other tables,
// which belong to a room or a person that is locked.
const (
	makeRooms = `
		INSERT INTO room (name, created_ms)
		SELECT d.name, $2 FROM unnest($1::text[]) d(name)
		WHERE NOT EXISTS (SELECT FROM room r WHERE r.name = d.name)
		ORDER BY d.name COLLATE "C" ON CONFLICT (name) DO NOTHING`
	makePeople = `
		INSERT INTO person (public, name, folded, created_ms)
		SELECT d.public, d.name, d.folded, $4 FROM unnest($1::text[], $2::text[], $3::text[]) d(public, name, folded)
		WHERE NOT EXISTS (SELECT FROM person p WHERE p.public = d.public)
		ORDER BY d.public COLLATE "C" ON CONFLICT (public) DO NOTHING`
	lockRooms      = `SELECT id, name, head FROM room WHERE name = ANY($1::text[]) ORDER BY id FOR UPDATE`
	lockKnownRooms = `SELECT id, name, head FROM room WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE`
	lockPeople     = `SELECT id FROM person WHERE public = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE`
	findPeople     = `
		SELECT u.key, p.id FROM unnest($1::text[]) WITH ORDINALITY u(public, key) JOIN person p ON p.public = u.public`
)

// A keyed is a statement with a table k, which has one row: the ids of the transaction's rooms and people
// in arrays, 0 for those that are missing. It finds them there by their keys. There are two texts: byNames
// looks them up, as $1 and $2, and byIDs is given them.
type keyed struct {
	byNames, byIDs string
	people         bool // it needs people; else only the rooms are given, and more begins with $2
}

const (
	roomIDs = `(SELECT array_agg(coalesce(r.id, 0) ORDER BY u.key)
		FROM unnest($1::text[]) WITH ORDINALITY u(name, key) LEFT JOIN room r ON r.name = u.name) AS rooms`
	personIDs = `(SELECT array_agg(coalesce(p.id, 0) ORDER BY u.key)
		FROM unnest($2::text[]) WITH ORDINALITY u(public, key) LEFT JOIN person p ON p.public = u.public) AS people`
)

func withRooms(text string) keyed {
	return keyed{
		byNames: `WITH k AS MATERIALIZED (SELECT ` + roomIDs + `)` + text,
		byIDs:   `WITH k AS MATERIALIZED (SELECT $1::bigint[] AS rooms)` + text,
	}
}

func withPeople(text string) keyed {
	return keyed{
		byNames: `WITH k AS MATERIALIZED (SELECT ` + roomIDs + `, ` + personIDs + `)` + text,
		byIDs:   `WITH k AS MATERIALIZED (SELECT $1::bigint[] AS rooms, $2::bigint[] AS people)` + text,
		people:  true,
	}
}

// statement returns the text to send, and its arguments with those that follow the keys.
func (t *transaction) statement(k keyed, more []any) (text string, args []any) {
	switch {
	case t.isKnown():
		text, args = k.byIDs, []any{t.roomIDs()}
		if k.people {
			args = append(args, t.personIDs())
		}
	default:
		text, args = k.byNames, []any{t.roomNames()}
		if k.people {
			args = append(args, t.personNames())
		}
	}
	return text, append(args, more...)
}

// makeLists adds rooms to people's lists. A retry does not, as its author may have left since. It uses
// no EXISTS, because a plan made for small tables would read all of them into memory each time.
var makeLists = withPeople(`
	INSERT INTO member (person, room)
	SELECT DISTINCT k.people[d.person], k.rooms[d.room]
	FROM k CROSS JOIN unnest($3::int[], $4::int[], $5::bytea[]) d(person, room, nonce)
	WHERE k.rooms[d.room] <> 0
		AND (SELECT m.room FROM member m WHERE m.person = k.people[d.person] AND m.room = k.rooms[d.room]) IS NULL
		AND (d.nonce IS NULL OR (
			SELECT e.room FROM event e
			WHERE e.nonce = d.nonce AND e.author = k.people[d.person] AND e.room = k.rooms[d.room]) IS NULL
			AND (SELECT a.room FROM answer a
			WHERE a.nonce = d.nonce AND a.author = k.people[d.person] AND a.room = k.rooms[d.room]) IS NULL)
	ORDER BY 1, 2 ON CONFLICT (person, room) DO NOTHING`)

// keepLists does the same for those who had the room in their list when they were last seen, and whose
// drafts are known to be new. Nearly all have it still; another node may have taken it out, if there can be
// another one.
const keepLists = `
	INSERT INTO member (person, room)
	SELECT d.person, d.room FROM unnest($1::bigint[], $2::bigint[]) d(person, room)
	WHERE (SELECT m.room FROM member m WHERE m.person = d.person AND m.room = d.room) IS NULL
	ORDER BY 1, 2 ON CONFLICT (person, room) DO NOTHING`

// queueKeys queues what makes and locks the rooms and people of the transaction.
func (w *writer) queueKeys() {
	t := &w.tx
	w.queueAwaitedLock()
	w.queueMissing()
	w.queueRooms()
	w.queueLocks()
	if !t.isKnown() && len(t.people) > 0 {
		w.find(func(rows pgx.Rows) error {
			var key, id int64
			err := rows.Scan(&key, &id)
			t.people[key-1].id = id
			return err
		}, findPeople, t.personNames())
	}
	if rooms := t.newRooms(); rooms != nil {
		w.queue(listAwaited, rooms)
	}
	w.queueLists()
}

// queueLocks queues what locks people.
func (w *writer) queueLocks() {
	if locked := w.peopleToLock(); len(locked) > 0 {
		w.queue(lockPeople, locked)
	}
}

func (w *writer) queueRooms() {
	t := &w.tx
	if len(t.rooms) == 0 {
		return
	}
	text, args := lockRooms, any(t.roomNames())
	if t.isKnown() {
		text, args = lockKnownRooms, t.roomIDs()
	}
	w.find(func(rows pgx.Rows) error {
		var id int64
		var name chat.RoomName
		var head chat.Seq
		err := rows.Scan(&id, &name, &head)
		r := t.room(name)
		r.id, r.Head, r.found = id, head, true
		return err
	}, text, args)
}

// queueMissing queues what makes rooms and people that may be missing.
func (w *writer) queueMissing() {
	t := &w.tx
	var ids, names, folded []string
	for _, p := range t.people {
		if p.made && p.id == 0 {
			ids = append(ids, string(p.ID))
			names = append(names, p.Name)
			folded = append(folded, chat.FoldName(p.Name))
		}
	}
	if rooms := t.newRooms(); rooms != nil {
		w.queue(makeRooms, rooms, t.ms)
	}
	if ids != nil {
		w.queue(makePeople, ids, names, folded, t.ms)
	}
}

// newRooms returns the names of the rooms that the transaction makes unless they are there; nil if there are none.
func (t *transaction) newRooms() (names []string) {
	for _, r := range t.rooms {
		if r.made && r.id == 0 {
			names = append(names, string(r.name))
		}
	}
	return names
}

// peopleToLock returns those whose own rows the transaction may write: read marks, lists, settings.
func (w *writer) peopleToLock() (ids []string) {
	chosen := map[chat.PersonID]struct{}{"": {}}
	add := func(id chat.PersonID) {
		if _, ok := chosen[id]; !ok {
			chosen[id] = struct{}{}
			ids = append(ids, string(id))
		}
	}
	for i := range w.own {
		add(chat.PersonID(w.own[i].who))
	}
	for _, l := range w.tx.lists {
		add(w.tx.people[l.person-1].ID)
	}
	return ids
}

func (w *writer) queueLists() {
	t := &w.tx
	if len(t.lists) == 0 {
		return
	}
	people, rooms := make([]int32, len(t.lists)), make([]int32, len(t.lists))
	nonces := make([][]byte, len(t.lists))
	for i, l := range t.lists {
		people[i], rooms[i], nonces[i] = int32(l.person), int32(l.room), packNonce(l.nonce)
	}
	text, args := t.statement(makeLists, []any{people, rooms, nonces})
	w.queue(text, args...)
}

// queueKept queues keepLists for rows whose drafts are new.
func (w *writer) queueKept(rows []store.Row) {
	if w.s.cfg.Alone {
		return
	}
	t := &w.tx
	kept := map[listing]struct{}{}
	var people, inRooms []int64
	for i := range rows {
		r := &rows[i]
		isRetry := r.Result.Repeated && r.Change == nil || errors.Is(r.Result.Err, store.ErrNonceUsed)
		l := listing{person: r.By.Key, room: r.Room.Key}
		if _, ok := kept[l]; ok || isRetry || !r.ListsRoom() {
			continue
		}
		if _, ok := w.seen.lists[t.listEntry(l)]; ok && t.rooms[l.room-1].id != 0 {
			kept[l] = struct{}{}
			people, inRooms = append(people, t.people[l.person-1].id), append(inRooms, t.rooms[l.room-1].id)
		}
	}
	if people != nil {
		w.queue(keepLists, people, inRooms)
	}
}

// seen is what the writer has seen in the database by its connection, as long as that lasts: the ids of
// rooms and people, which never change, and who had which room in their list.
type seen struct {
	rooms  map[chat.RoomName]int64
	people map[chat.PersonID]int64
	lists  map[listSeen]struct{}
}

type listSeen struct {
	person chat.PersonID
	room   chat.RoomName
}

// maxSeen is how much of each kind is remembered.
const maxSeen = 1 << 14

func (t *transaction) listEntry(l listing) listSeen {
	return listSeen{t.people[l.person-1].ID, t.rooms[l.room-1].name}
}

// forget empties what the writer has seen.
func (w *writer) forget() { w.seen = seen{} }

// settle remembers what the transaction that was committed has made.
func (w *writer) settle() {
	w.show()
	for _, r := range w.tx.rooms {
		if r.id != 0 {
			put(&w.seen.rooms, r.name, r.id)
		}
	}
	for _, p := range w.tx.people {
		if p.id != 0 {
			put(&w.seen.people, p.ID, p.id)
		}
	}
	for _, l := range w.tx.lists {
		put(&w.seen.lists, w.tx.listEntry(l), struct{}{})
	}
	if slices.ContainsFunc(w.own, func(o ownWrite) bool { return o.unlists }) {
		w.seen.lists = nil
	}
}

// put sets m[k], and empties the map before that if it is full.
func put[K comparable, V any](m *map[K]V, k K, v V) {
	if len(*m) >= maxSeen {
		*m = nil
	}
	set(m, k, v)
}

// checkKeys returns errVanished unless all that had to be made is there.
func (t *transaction) checkKeys() error {
	for _, r := range t.rooms {
		if !r.found && (r.made || r.id != 0) {
			return errVanished
		}
	}
	for _, p := range t.people {
		if p.made && p.id == 0 {
			return errVanished
		}
	}
	return nil
}

// errVanished means that the database has lost what it had, or that a person has deleted it by hand.
var errVanished = errors.New("a room or a person has vanished from the database")
