package sqlite

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"parley/internal/files"
)

// The epoch has to change whenever the log that clients hold cursors in goes back
// in time, and nothing may be written to a database that is not as the server left
// it. Two small files beside the database, the marks, tell. They are written by
// turns: after each transaction that stores events, and before and after SQLite
// writes to the database's own file. A mark says
//
//   - which event is the newest. A database without it is older than the mark.
//   - which file the database is, by its inode and its birth, and when the file
//     was changed last (ctime). A copy is another file, and a copy that is written
//     over the file changes that time, which no program can set.
//   - the same of the other mark. So a folder that comes back as a whole, with
//     its marks, is known too: the newer mark does not know the older any more.
//
// Nothing of it is synced while the server runs, so it costs no commit anything.
// After a power cut the marks may be behind by what the kernel had not written
// yet, and the times by as much: see slack.
//
// What cannot be seen from inside is a snapshot of the whole file system, or of
// the machine, that is brought back. Clients notice that by the times of events.
const (
	markA, markB = "parley.mark-a", "parley.mark-b"
	markSize     = 1024 // bytes: always the same, so that writing one never needs room on the disk
)

// slack is how far times may be apart that nobody could write down exactly: after
// a restart of the machine, and where the process was killed while SQLite wrote
// to the database.
const slack = 2 * time.Minute

// stateFileInterval is how long one of the marks is written at most while the other one stays
// as it is.
const stateFileInterval = 50 * time.Millisecond

// The states in which a server can leave the database's file.
const (
	atRest   = "at rest"
	emptying = "emptying the write-ahead log" // the file changes meanwhile
	closed   = "closed"
)

// A stateFile says in which state the server left the folder.
type stateFile struct {
	Number   int64     `json:"number"` // of two marks the one with the greater number is newer
	State    string    `json:"state"`
	Epoch    string    `json:"epoch"`
	Event    int64     `json:"event"`    // the id of the newest event; 0: none is known
	EventMS  int64     `json:"event_ms"` // its time
	Boot     string    `json:"boot"`     // see bootID
	Database fileState `json:"database"`
	Other    fileState `json:"other"` // the other mark
}

// append appends m as JSON. It is written here because json.Marshal takes longer than
// all else that a mark costs a transaction. No string in it needs escaping.
func (m *stateFile) append(b []byte) []byte {
	for _, f := range []struct {
		key   string
		value int64
	}{{`{"number":`, m.Number}, {`,"event":`, m.Event}, {`,"event_ms":`, m.EventMS}} {
		b = strconv.AppendInt(append(b, f.key...), f.value, 10)
	}
	for _, f := range []struct{ key, value string }{{`,"state":"`, m.State}, {`","epoch":"`, m.Epoch}, {`","boot":"`, m.Boot}} {
		b = append(append(b, f.key...), f.value...)
	}
	b = m.Database.append(append(b, `","database":`...))
	b = m.Other.append(append(b, `,"other":`...))
	return append(b, '}')
}

// stateFiles are the two files while the folder is in use.
type stateFiles struct {
	dir   string
	files [2]*os.File // the first one is written
	last  stateFile
	boot  string // see bootID
	text  []byte // of the last mark, kept for its memory

	swapped time.Time
}

// readMark returns the mark in a file, and the state of that file. The mark is nil
// if the file cannot be read as one.
func readMark(path string) (*stateFile, fileState, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fileState{}, err
	}
	state, err := stateOf(path)
	var m stateFile
	if json.Unmarshal(text, &m) != nil {
		return nil, state, err
	}
	return &m, state, err
}

// leftBehind is what the marks tell of a folder before anything in it is opened.
type leftBehind struct {
	newest  stateFile
	foreign string // why the files are not as the server left them; "" if they are
	anew    bool   // the database was made just now
}

// examine compares a folder's database and marks with what the newer mark says of
// them.
func examine(dir string) (left leftBehind, err error) {
	a, stateA, errA := readMark(filepath.Join(dir, markA))
	b, stateB, errB := readMark(filepath.Join(dir, markB))
	switch {
	case errors.Is(errA, fs.ErrNotExist) && errors.Is(errB, fs.ErrNotExist):
		return leftBehind{foreign: "it has no marks"}, nil
	case errA != nil && !errors.Is(errA, fs.ErrNotExist):
		return left, errA
	case errB != nil && !errors.Is(errB, fs.ErrNotExist):
		return left, errB
	case a == nil || b == nil:
		return leftBehind{foreign: "one of its marks is missing or unreadable"}, nil
	}
	if b.Number > a.Number {
		a, stateA, stateB = b, stateB, stateA
	}
	left.newest = *a // stateA is the newer one's, stateB the older one's
	database, err := stateOf(filepath.Join(dir, databaseName))
	if err != nil {
		return left, err
	}
	rebooted := a.Boot == "" || a.Boot != bootID()
	latest := stateA.Changed + int64(slack)
	switch was := a.Database; {
	case !database.sameFile(was):
		left.foreign = databaseName + " is another file"
	case database.Changed == was.Changed:
	case (rebooted || a.State == emptying) && database.Changed <= latest:
	default:
		left.foreign = databaseName + " was changed by another program"
	}
	if left.foreign != "" {
		return left, nil
	}
	switch apart := stateB.Changed - a.Other.Changed; {
	case !stateB.sameFile(a.Other):
		left.foreign = "a mark is another file"
	case apart == 0:
	case rebooted && max(apart, -apart) <= int64(slack):
	default:
		left.foreign = "a mark was changed by another program"
	}
	return left, nil
}

// openMarks opens the marks of a folder, which are made if they are missing.
// Marks are written from then on after last.
func openMarks(dir string, last stateFile) (*stateFiles, error) {
	m := &stateFiles{dir: dir, last: last, boot: bootID()}
	for i, name := range []string{markA, markB} {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, errors.Join(err, m.close())
		}
		m.files[i] = f
	}
	a, _, errA := readMark(filepath.Join(dir, markA))
	b, _, errB := readMark(filepath.Join(dir, markB))
	if errA != nil || a == nil || errB == nil && b != nil && b.Number > a.Number { // the next turn is that of the older one
		m.swap()
	}
	m.last.Other = fileState{}
	for _, is := range []*stateFile{a, b} {
		if is != nil {
			m.last.Number = max(m.last.Number, is.Number)
		}
	}
	return m, nil
}

// note writes the next mark: as the last one, but for what change changes and for
// the states of the files.
func (m *stateFiles) note(database fileState, change func(*stateFile)) error {
	next, now := m.last, time.Now()
	change(&next)
	next.Number++
	next.Boot, next.Database = m.boot, database
	var err error
	if next.Other == (fileState{}) || now.Sub(m.swapped) >= stateFileInterval {
		m.swap()
		m.swapped = now
		if next.Other, err = stateOf(m.files[1].Name()); err != nil {
			return err
		}
	}
	text := next.append(m.text[:0])
	if len(text) >= markSize {
		return fmt.Errorf("a mark of %d bytes", len(text))
	}
	for len(text) < markSize-1 {
		text = append(text, ' ')
	}
	m.text = append(text, '\n')
	if _, err := m.files[0].WriteAt(m.text, 0); err != nil {
		return err
	}
	m.last = next
	return nil
}

// swap has the other file be the next one that is written.
func (m *stateFiles) swap() { m.files[0], m.files[1] = m.files[1], m.files[0] }

// settle has both marks say the same, and the disk hold them and their names.
func (m *stateFiles) settle(database fileState, change func(*stateFile)) error {
	for range m.files {
		m.last.Other = fileState{} // so that it is the other file's turn
		if err := m.note(database, change); err != nil {
			return err
		}
	}
	return errors.Join(m.files[0].Sync(), m.files[1].Sync(), files.SyncFolder(m.dir))
}

func (m *stateFiles) close() error {
	var errs []error
	for _, f := range m.files {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// newest puts the newest event of the transaction into a mark. Of several
// rooms it is any one: with it all of the transaction is there, or nothing.
func (c *committer) newest(m *stateFile) {
	if c.newestID != 0 {
		m.Event, m.EventMS = c.newestID, c.newestMS
	}
}
