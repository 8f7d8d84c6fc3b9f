package postgres

import (
	"errors"

	"github.com/jackc/pgx/v5"

	"parley/internal/chat"
)

// Statements that make what is missing, and lock. All nodes do so in the same order: rooms by name,
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
	lockRooms  = `SELECT id, name, head FROM room WHERE name = ANY($1::text[]) ORDER BY id FOR UPDATE`
	lockPeople = `SELECT id FROM person WHERE public = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE`
	findPeople = `
		SELECT u.key, p.id FROM unnest($1::text[]) WITH ORDINALITY u(public, key) JOIN person p ON p.public = u.public`
)

// roomKeysSQL is a table k with one row: the ids of the rooms in $1, 0 for those that are missing.
// Statements find them there by the transaction's keys. keysSQL has those of the people in $2 too.
const (
	roomIDs = `(SELECT array_agg(coalesce(r.id, 0) ORDER BY u.key)
		FROM unnest($1::text[]) WITH ORDINALITY u(name, key) LEFT JOIN room r ON r.name = u.name) AS rooms`
	personIDs = `(SELECT array_agg(coalesce(p.id, 0) ORDER BY u.key)
		FROM unnest($2::text[]) WITH ORDINALITY u(public, key) LEFT JOIN person p ON p.public = u.public) AS people`

	roomKeysSQL = `WITH k AS MATERIALIZED (SELECT ` + roomIDs + `)`
	keysSQL     = `WITH k AS MATERIALIZED (SELECT ` + roomIDs + `, ` + personIDs + `)`
)

// makeLists adds rooms to people's lists. A retry does not, as its author may have left since. It uses
// no EXISTS, because a plan made for small tables would read all of them into memory each time.
const makeLists = keysSQL + `
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
	ORDER BY 1, 2 ON CONFLICT (person, room) DO NOTHING`

// queueKeys queues what makes and locks the rooms and people of the transaction.
func (w *writer) queueKeys() {
	t := &w.tx
	w.queueMissing()
	if len(t.rooms) > 0 {
		w.find(func(rows pgx.Rows) error {
			var id int64
			var name chat.RoomName
			var head chat.Seq
			err := rows.Scan(&id, &name, &head)
			r := t.room(name)
			r.id, r.Head = id, head
			return err
		}, lockRooms, t.roomNames())
	}
	if locked := w.peopleToLock(); len(locked) > 0 {
		w.queue(lockPeople, locked)
	}
	if len(t.people) > 0 {
		w.find(func(rows pgx.Rows) error {
			var key, id int64
			err := rows.Scan(&key, &id)
			t.people[key-1].id = id
			return err
		}, findPeople, t.personIDs())
	}
	w.queueLists()
}

// queueMissing queues what makes rooms and people that may be missing.
func (w *writer) queueMissing() {
	t := &w.tx
	var rooms, ids, names, folded []string
	for _, r := range t.rooms {
		if _, ok := w.seen.rooms[r.name]; r.made && !ok {
			rooms = append(rooms, string(r.name))
		}
	}
	for _, p := range t.people {
		if _, ok := w.seen.people[p.ID]; p.made && !ok {
			ids = append(ids, string(p.ID))
			names = append(names, p.Name)
			folded = append(folded, chat.FoldName(p.Name))
		}
	}
	if rooms != nil {
		w.queue(makeRooms, rooms, t.ms)
	}
	if ids != nil {
		w.queue(makePeople, ids, names, folded, t.ms)
	}
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
		if _, ok := w.seen.lists[w.tx.listEntry(l)]; !ok {
			add(w.tx.people[l.person-1].ID)
		}
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
	w.queue(makeLists, t.roomNames(), t.personIDs(), people, rooms, nonces)
}

// seen is what the writer has seen in the database. It saves statements that make what is there. What
// is wrong in it does no harm: rooms and people that have vanished are noticed, and entries of lists
// are made again.
type seen struct {
	rooms  map[chat.RoomName]struct{}
	people map[chat.PersonID]struct{}
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
			w.seen.rooms = put(w.seen.rooms, r.name)
		}
	}
	for _, p := range w.tx.people {
		if p.made && p.id != 0 {
			w.seen.people = put(w.seen.people, p.ID)
		}
	}
	for _, l := range w.tx.lists {
		w.seen.lists = put(w.seen.lists, w.tx.listEntry(l))
	}
}

// put adds an element to a set, and empties the set before that if it is full.
func put[K comparable](set map[K]struct{}, k K) map[K]struct{} {
	if set == nil || len(set) >= maxSeen {
		set = map[K]struct{}{}
	}
	set[k] = struct{}{}
	return set
}

// checkKeys returns errVanished unless all that had to be made is there.
func (t *transaction) checkKeys() error {
	for _, r := range t.rooms {
		if r.made && r.id == 0 {
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
