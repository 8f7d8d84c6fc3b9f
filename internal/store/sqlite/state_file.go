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

// The epoch has to change when the log goes back in time, as clients hold cursors in it, and
// nothing may be written to a database that is not as the server left it. Two small files beside
// the database, the state files, record how the server left it. They are written by turns: after
// each transaction that stores events, and before and after SQLite writes to the database's own
// file. A state file records
//
//   - which event is the newest. A database without it is older than the state file.
//   - which file the database is, by inode and birth, and its last change (ctime).
//     A copy is another file; a copy written over the file changes its ctime,
//     which no program can set.
//   - the same of the other state file. So a folder that comes back as a whole, with
//     its state files, is noticed too: the newer one no longer knows the older one.
//
// State files are not synced while the server runs, so they cost a commit nothing. After a power
// cut they may lack the last changes, which the kernel had not written yet, and times may differ by
// as much: see slack.
//
// A snapshot of the whole file system or machine cannot be noticed from inside. Clients notice it
// by the times of events.
const (
	markA, markB = "parley.mark-a", "parley.mark-b"
	markSize     = 1024 // bytes; constant, so that writing never needs space on the disk
)

// slack is by how much times may differ that the server could not record exactly: after a restart
// of the machine, and if the process was killed while SQLite wrote to the database.
const slack = 2 * time.Minute

// stateFileInterval is how long one of the two files is written, before the other one is.
const stateFileInterval = 50 * time.Millisecond

// States in which a server can leave the database's file.
const (
	atRest   = "at rest"
	emptying = "emptying the write-ahead log" // the file changes meanwhile
	closed   = "closed"
)

// A stateFile says how the server left the folder.
type stateFile struct {
	Number   int64     `json:"number"` // of two, the greater is newer
	State    string    `json:"state"`
	Epoch    string    `json:"epoch"`
	Event    int64     `json:"event"`    // the id of the newest event; 0: none is known
	EventMS  int64     `json:"event_ms"` // its time
	Boot     string    `json:"boot"`     // see bootID
	Database fileState `json:"database"`
	Other    fileState `json:"other"` // the other state file
}

// append appends m as JSON. json.Marshal would take longer than the rest of what a state file costs
// a transaction. No string in m needs escaping.
func (m *stateFile) append(b []byte) []byte {
	for _, f := range []struct {
		key   string
		value int64
	}{{`{"number":`, m.Number}, {`,"event":`, m.Event}, {`,"event_ms":`, m.EventMS}} {
		b = strconv.AppendInt(append(b, f.key...), f.value, 10)
	}
	for _, f := range []struct{ key, value string }{
		{`,"state":"`, m.State}, {`","epoch":"`, m.Epoch}, {`","boot":"`, m.Boot},
	} {
		b = append(append(b, f.key...), f.value...)
	}
	b = m.Database.append(append(b, `","database":`...))
	b = m.Other.append(append(b, `,"other":`...))
	return append(b, '}')
}

// stateFiles are the two files while the folder is in use.
type stateFiles struct {
	dir   string
	files [2]*os.File // the first is the one that is written
	last  stateFile
	boot  string // see bootID
	text  []byte // contents of the last one; reused

	swapped time.Time
}

// readMark returns the contents and the state of a state file. The contents are nil if they cannot
// be decoded.
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

// leftBehind describes a folder before it is opened, by its state files.
type leftBehind struct {
	newest  stateFile
	foreign string // why the files are not as the server left them; "": they are
	anew    bool   // the database has just been made
}

// examine compares a folder's database and state files with the record of the newer one.
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

// openMarks opens the state files of a folder, or makes them. Numbers go on after last.
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
	if errA != nil || a == nil || errB == nil && b != nil && b.Number > a.Number { // the older one is written next
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

// note writes the next state file: as the last one, with change applied and the present states of
// the files.
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

// swap makes the other file the one that is written.
func (m *stateFiles) swap() { m.files[0], m.files[1] = m.files[1], m.files[0] }

// settle writes both state files and syncs them and the folder.
func (m *stateFiles) settle(database fileState, change func(*stateFile)) error {
	for range m.files {
		m.last.Other = fileState{} // the other file's turn
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

// newest records the newest event of the transaction in a state file. If several rooms have one any
// will do: with it the whole transaction is there.
func (w *writer) newest(m *stateFile) {
	if w.newestID != 0 {
		m.Event, m.EventMS = w.newestID, w.newestMS
	}
}
