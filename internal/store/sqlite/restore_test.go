//go:build unix

package sqlite

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"

	"parley/internal/chat"
)

// childFolder names the environment variable by which this program, run as a test
// by another process, uses a data folder until it is killed.
const childFolder = "PARLEY_TEST_STORE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		if err := beChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// beChild opens a folder, says its epoch, and posts as many messages to the lobby
// as each line of standard input says, which it answers with the newest seq. When
// that ends it closes the folder. For 0 messages it waits until the store is at rest.
func beChild(dir string) error {
	s, err := Open(context.Background(), Config{Dir: dir})
	if err != nil {
		return err
	}
	s.writer.emptyAfter = 12 // pages: so that a kill finds it in the middle of that, too
	ended := make(chan error, 1)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() { ended <- s.Run(ctx) }()
	fmt.Fprintln(os.Stdout, s.Epoch())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		var last chat.Commit
		for range n {
			done := make(chan chat.Commit)
			s.Append(draft("lobby", ada, strings.Repeat("words ", 40), ""), func(c chat.Commit) { done <- c })
			last = <-done
		}
		if last.Err != nil {
			return last.Err
		}
		if n == 0 {
			if err := <-s.start(func(context.Context, *writer) error { return nil }); err != nil {
				return err
			}
		}
		fmt.Fprintln(os.Stdout, last.Event.Seq)
	}
	stop()
	if err := <-ended; err != nil {
		return err
	}
	return s.Close()
}

// A process uses a folder.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Scanner
	epoch string
}

func inProcess(t *testing.T, dir string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), childFolder+"="+dir)
	p.cmd.Stderr = t.Output()
	in, err := p.cmd.StdinPipe()
	must(t, err)
	out, err := p.cmd.StdoutPipe()
	must(t, err)
	must(t, p.cmd.Start())
	t.Cleanup(func() { p.cmd.Process.Kill(); p.cmd.Wait() })
	p.in, p.out = in, bufio.NewScanner(out)
	p.epoch = p.line()
	return p
}

func (p *process) line() string {
	p.t.Helper()
	if !p.out.Scan() {
		p.t.Fatalf("the process has ended: %v", p.out.Err())
	}
	return p.out.Text()
}

func (p *process) post(n int) {
	p.t.Helper()
	_, err := fmt.Fprintln(p.in, n)
	must(p.t, err)
	p.line()
}

func (p *process) kill() {
	p.t.Helper()
	must(p.t, p.cmd.Process.Kill())
	p.cmd.Wait()
}

func (p *process) end() {
	p.t.Helper()
	must(p.t, p.in.Close())
	must(p.t, p.cmd.Wait())
}

// A way is one in which a copy of a folder is made, and written over it again.
type way struct {
	only      []string // the files that are copied; nil: all
	unlink    bool     // each file is replaced by another, as tar does
	keepTimes bool     // as cp -a, rsync -a and tar do
	skipSame  bool     // what has the same size and time is left as it is, as rsync does
	leaveRest bool     // what is not in the copy stays, as with all but rsync --delete
}

var ways = map[string]way{
	"cp -r":                    {leaveRest: true},
	"cp -a":                    {leaveRest: true, keepTimes: true},
	"tar -x":                   {leaveRest: true, keepTimes: true, unlink: true},
	"tar -x --overwrite":       {leaveRest: true, keepTimes: true},
	"rsync -a":                 {leaveRest: true, keepTimes: true, unlink: true, skipSame: true},
	"rsync -a --inplace":       {leaveRest: true, keepTimes: true, skipSame: true},
	"rsync -a --delete":        {keepTimes: true, unlink: true, skipSame: true},
	"rsync --inplace --delete": {keepTimes: true, skipSame: true},
	"cat database":             {only: []string{databaseName}, leaveRest: true},
	"cat database and log":     {only: []string{databaseName, databaseName + walSuffix}, leaveRest: true},
	"database moved in":        {only: []string{databaseName}, leaveRest: true, unlink: true},
	"rm -rf and cp -a":         {keepTimes: true, unlink: true},
}

func (w way) copy(t *testing.T, from, to string) {
	t.Helper()
	must(t, os.MkdirAll(to, 0o700))
	names := folderNames(t, from)
	for _, name := range names {
		if w.only != nil && !slices.Contains(w.only, name) {
			continue
		}
		source, target := filepath.Join(from, name), filepath.Join(to, name)
		is, err := os.Stat(source)
		must(t, err)
		was, err := os.Stat(target)
		if err == nil && w.skipSame && was.Size() == is.Size() && was.ModTime().Equal(is.ModTime()) {
			continue
		}
		if err == nil && w.unlink {
			must(t, os.Remove(target))
		}
		text, err := os.ReadFile(source)
		must(t, err)
		must(t, os.WriteFile(target, text, 0o600))
		if w.keepTimes {
			must(t, os.Chtimes(target, is.ModTime(), is.ModTime()))
		}
	}
	for _, name := range folderNames(t, to) {
		if !w.leaveRest && !slices.Contains(names, name) {
			must(t, os.Remove(filepath.Join(to, name)))
		}
	}
}

// However a copy of a folder comes back, whenever it was made and however the
// server has ended: clients are told that it is another log, nothing of the log is
// missing, and the next start keeps the epoch.
func TestCopyThatComesBackIsNoticed(t *testing.T) {
	for name, w := range ways {
		for _, live := range []bool{true, false} {
			for _, end := range []string{"kill", "end"} {
				t.Run(fmt.Sprintf("%s, copied live %v, %s", name, live, end), func(t *testing.T) {
					t.Parallel()
					top := t.TempDir()
					dir, backup := filepath.Join(top, "data"), filepath.Join(top, "copy")
					p := inProcess(t, dir)
					p.post(20)
					if live {
						p.post(0) // waits for the checkpoint after the last message: it writes to the database's file
						w.copy(t, dir, backup)
					} else {
						p.end()
						w.copy(t, dir, backup)
						p = inProcess(t, dir)
					}
					before := p.epoch
					p.post(15)
					if end == "kill" {
						p.kill()
					} else {
						p.end()
					}
					w.copy(t, backup, dir)

					s, err := Open(t.Context(), Config{Dir: dir})
					if err != nil {
						if live && strings.Contains(err.Error(), databaseName+" is damaged") {
							return // a copy of two moments: nothing is served of it
						}
						t.Fatal(err)
					}
					if s.Epoch() == before {
						t.Error("it was not noticed")
					}
					if head, _, err := s.Head(t.Context(), "lobby"); err != nil || head < 1 ||
						int(head) != len(page(t, s.After, "lobby", 0, 100)) {
						t.Errorf("head %d, %v", head, err)
					}
					must(t, s.Close())
					if again := epochOf(t, dir); again != s.Epoch() {
						t.Error("the epoch changed again")
					}
				})
			}
		}
	}
}

// What happens to every server is no restore.
func TestEpochStaysThroughKills(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	p := inProcess(t, dir)
	first := p.epoch
	for i := range 25 {
		fmt.Fprintln(p.in, 1000) // and not waiting for that
		for range i * 3 {        // but for what is stored by then
			if left, err := os.ReadDir(dir); err != nil || len(left) == 0 {
				t.Fatal(left, err)
			}
		}
		p.kill()
		if i%5 == 4 {
			must(t, os.Rename(dir, dir+"-moved"))
			dir += "-moved"
		}
		if p = inProcess(t, dir); p.epoch != first {
			t.Fatalf("another epoch after kill %d", i+1)
		}
	}
	p.end()
	if epochOf(t, dir) != first {
		t.Error("another epoch after a clean end")
	}
}

// Marks that a power cut has left behind by what was not written yet are good.
func TestMarksMayBeBehindAfterAPowerCut(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(newer *stateFile)
		same   bool
	}{
		"nothing": {func(*stateFile) {}, true},
		"times that were not written": {func(m *stateFile) {
			m.Boot, m.Database.Changed, m.Other.Changed = "before", m.Database.Changed-5e9, m.Other.Changed+5e9
		}, true},
		"the same without a restart":  {func(m *stateFile) { m.Database.Changed -= 5e9 }, false},
		"a mark's, without a restart": {func(m *stateFile) { m.Other.Changed -= 5e9 }, false},
		"an older time than can be": {
			func(m *stateFile) { m.Boot, m.Other.Changed = "before", m.Other.Changed-1e12 }, false,
		},
		"killed within a checkpoint": {
			func(m *stateFile) { m.State, m.Database.Changed = emptying, m.Database.Changed-5e9 }, true,
		},
		"another file": {
			func(m *stateFile) { m.Boot, m.Database.Inode = "before", m.Database.Inode+1 }, false,
		},
		"an event that is not there": {func(m *stateFile) { m.Event, m.EventMS = 1<<36|7, 1 }, false},
		"an event of another time":   {func(m *stateFile) { m.EventMS++ }, false},
		"another log's":              {func(m *stateFile) { m.Epoch = "another" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s, stop := start(t, dir)
			post(t, s, draft("lobby", ada, "hi", ""))
			stop()
			path := filepath.Join(dir, markA)
			newer, _, err := readMark(path)
			must(t, err)
			older, _, err := readMark(filepath.Join(dir, markB))
			must(t, err)
			if older.Number > newer.Number {
				path, newer = filepath.Join(dir, markB), older
			}
			tt.change(newer)
			text, err := json.Marshal(newer)
			must(t, err)
			must(t, os.WriteFile(path, text, 0o600))
			if same := epochOf(t, dir) == s.Epoch(); same != tt.same {
				t.Errorf("the epoch stayed the same: %v, want %v", same, tt.same)
			}
		})
	}
}

func TestMarkIsReadAsItWasWritten(t *testing.T) {
	want := stateFile{
		Number: 7, State: emptying, Epoch: "abc", Event: 1<<36 | 5, EventMS: 1700000000000, Boot: "b-1",
		Database: fileState{Inode: 1<<64 - 1, Device: 3, Born: 4, Changed: -5, Written: 6}, Other: fileState{Inode: 1},
	}
	path := filepath.Join(t.TempDir(), markA)
	must(t, os.WriteFile(path, want.append(nil), 0o600))
	got, _, err := readMark(path)
	if err != nil || *got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}

// After a panic SQLite still empties the write-ahead log as it closes. That is the
// server's own doing, and no reason for a new epoch.
func TestEpochStaysAfterAPanic(t *testing.T) {
	dir := t.TempDir()
	s, stop := start(t, dir)
	do(t, s, draft("lobby", ada, "hi", ""))
	epoch := s.Epoch()
	s.stopWriting(t.Context(), errPanicked)
	stop()
	if size(s.path+walSuffix) > 0 {
		t.Fatal("the write-ahead log was not emptied")
	}
	if again := epochOf(t, dir); again != epoch {
		t.Errorf("the epoch is %s, want %s", again, epoch)
	}
}

// A new or restored database is not used before its own file has an epoch. For what is
// beside a file without one is taken for another's, and set aside.
func TestDatabaseWithoutAnEpochIsNotUsed(t *testing.T) {
	d, dir := newDisk(t), t.TempDir()
	d.beforeSync = func() {
		// the epoch is in it: no page goes into the database
		if size(filepath.Join(dir, databaseName+walSuffix)) > 4096 {
			d.writeCode.Store(sqlite3.SQLITE_FULL)
		}
	}
	s, err := open(t.Context(), Config{Dir: dir}, d.name)
	d.beforeSync = nil
	d.writeCode.Store(0)
	if err == nil {
		t.Error("a database whose epoch cannot be stored is used")
		go s.Run(t.Context())
		do(t, s, draft("lobby", ada, "hi", ""))
		killed := t.TempDir()
		must(t, os.CopyFS(killed, os.DirFS(dir)))
		must(t, s.Close())
		s, _ = start(t, killed)
		if events := page(t, s.After, "lobby", 0, 10); len(events) != 1 {
			t.Errorf("of what was acknowledged %d events are left; the folder holds %v", len(events),
				folderNames(t, killed))
		}
		return
	}
	s, stop := start(t, dir)
	do(t, s, draft("lobby", ada, "hi", ""))
	stop()
	if again := epochOf(t, dir); again != s.Epoch() {
		t.Errorf("the epoch is %s, want %s", again, s.Epoch())
	}
}
