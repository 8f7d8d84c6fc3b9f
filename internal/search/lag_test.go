package search

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/chat"
)

// whole searches rooms for a word, and returns the number of hits, Complete and Until.
func whole(t *testing.T, x *Index, word string, rooms ...chat.RoomName) (hits int, complete bool, until time.Time) {
	t.Helper()
	r, err := x.Search(t.Context(), ParseQuery(word), rooms)
	must(t, err)
	return len(r.Hits), r.Complete, r.Until
}

func TestResultsSayHowFarTheIndexIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newMemLog()
		l.say("lobby", "Ada", "said")
		x := newIndex(t, l, t.TempDir())
		if n, age := x.Lag(); n != 0 || age != 0 {
			t.Errorf("before the start: %d behind for %v", n, age)
		}
		time.Sleep(time.Minute)
		if _, age := x.Lag(); age != time.Minute {
			t.Errorf("nobody knows how far it is behind, and it says since %v ago", age)
		}
		follow(t, x, l)
		if n, complete, until := whole(t, x, "said", "lobby", "attic"); n != 1 || !complete || !until.IsZero() {
			t.Errorf("up to date: %d hits, complete: %v, until %v", n, complete, until)
		}
		begin := time.Now()
		for n, room := range []chat.RoomName{"attic", "lobby", "lobby"} {
			l.say(room, "Ada", "said")
			touchAt(x, room, chat.Message, begin.Add(time.Duration(n)*time.Second))
		}
		for name, tt := range map[string]struct {
			rooms    []chat.RoomName
			complete bool
			until    time.Duration // after begin
		}{
			"one":                {[]chat.RoomName{"attic"}, false, 0},
			"another":            {[]chat.RoomName{"lobby"}, false, time.Second},
			"both":               {[]chat.RoomName{"lobby", "attic"}, false, 0},
			"none of them":       {[]chat.RoomName{"cellar"}, true, 0},
			"none at all":        {nil, true, 0},
			"beside one that is": {[]chat.RoomName{"cellar", "lobby"}, false, time.Second},
		} {
			_, complete, until := whole(t, x, "said", tt.rooms...)
			if complete != tt.complete || !complete && !until.Equal(begin.Add(tt.until)) {
				t.Errorf("%s: complete: %v, until %v", name, complete, until)
			}
		}
		time.Sleep(time.Hour)
		if n, age := x.Lag(); n != 3 || age != time.Hour {
			t.Errorf("%d behind for %v, want 3 for an hour", n, age)
		}
		must(t, x.catchUp(t.Context()))
		if n, complete, _ := whole(t, x, "said", "lobby", "attic"); n != 4 || !complete {
			t.Errorf("in the end: %d hits, complete: %v", n, complete)
		}
		if n, age := x.Lag(); n != 0 || age != 0 {
			t.Errorf("in the end: %d behind for %v", n, age)
		}
	})
}

// While a long log is indexed, a result says up to which time it is complete, and it is.
func TestResultsSayHowFarTheIndexIsWhileItIsMade(t *testing.T) {
	const messages = 3*maxBatch + 10
	l := newMemLog()
	rooms := []chat.RoomName{"lobby", "attic"}
	for n := range messages {
		l.say(rooms[n%2], "Ada", "said")
	}
	var x *Index
	checks := 0
	x = New(l, Config{Dir: t.TempDir(), Indexed: func(events int, _ time.Duration) { // not yet told of
		r, err := x.Search(t.Context(), ParseQuery("said"), rooms)
		must(t, err)
		if checks++; r.Complete {
			t.Error("it says that it is complete")
		}
		n := 0
		for _, room := range rooms {
			for _, e := range l.Events(room) {
				if e.At.Before(r.Until) {
					n++
				}
			}
		}
		q := ParseQuery("said")
		q.Limit = mostHits
		if got := len(found(t, x, q, rooms...)); got < n || checks > 1 && n == 0 {
			t.Errorf("%d found, and %d were said before %v", got, n, r.Until)
		}
	}})
	t.Cleanup(x.close)
	must(t, x.catchUp(t.Context()))
	if n, complete, _ := whole(t, x, "said", rooms...); n != defaultHits || !complete || checks < 3 {
		t.Errorf("%d hits, complete: %v, after %d transactions", n, complete, checks)
	}
}

// corrupt returns the error of a file that is not a database.
func corrupt(t *testing.T) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	must(t, os.WriteFile(path, bytes.Repeat([]byte("no database "), 1000), 0o600))
	db := pool(path, nil, 1)
	defer db.Close()
	_, err := db.ExecContext(t.Context(), `SELECT * FROM sqlite_schema`)
	if !isBroken(err) {
		t.Fatal(err)
	}
	return err
}

// If a room of the log cannot be read, the other rooms are still indexed, and results for that room say what they lack.
func TestAFaultOfTheLogDoesNotHarmTheIndex(t *testing.T) {
	for name, fault := range map[string]error{"corrupt": corrupt(t), "another": errors.New("the disk is on fire")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				l := newMemLog()
				for range maxPage + 10 {
					l.say("attic", "Ada", "said")
				}
				l.say("lobby", "Ada", "said")
				x := New(l, Config{Dir: t.TempDir(), Logger: slog.New(slog.NewTextHandler(&log, nil))})
				stop := run(t, x)
				defer stop()
				time.Sleep(time.Second)
				made := x.database().fileID
				tear := func(err error) {
					l.mu.Lock()
					defer l.mu.Unlock()
					l.torn["attic"] = err
				}
				tear(fault)
				last := l.now
				l.say("attic", "Ada", "said later")
				l.say("lobby", "Ada", "said later")
				for _, room := range []chat.RoomName{"attic", "lobby"} {
					touchAt(x, room, chat.Message, last.Add(time.Second))
				}
				time.Sleep(time.Hour)
				if n, complete, _ := whole(t, x, "later", "lobby"); n != 1 || !complete {
					t.Errorf("the room that can be read: %d, %v", n, complete)
				}
				if n, complete, until := whole(t, x, "later", "lobby", "attic"); n != 1 || complete ||
					!until.Equal(last.Add(time.Second)) {
					t.Errorf("both: %d, %v, %v", n, complete, until)
				}
				if n := len(found(t, x, ParseQuery("said"), "attic")); n != maxPage+10 {
					t.Errorf("%d found of what was indexed before", n)
				}
				l.say("lobby", "Ada", "said later")
				touch(x, "lobby")
				time.Sleep(time.Second) // and not only when the other is tried again
				if n, complete, _ := whole(t, x, "later", "lobby"); n != 2 || !complete {
					t.Errorf("what was said since: %d, %v", n, complete)
				}
				tear(nil)
				time.Sleep(time.Minute)
				if n, complete, _ := whole(t, x, "later", "lobby", "attic"); n != 3 || !complete {
					t.Errorf("once it can be read: %d, %v", n, complete)
				}
				if x.database().fileID != made {
					t.Error("the index was made anew")
				}
				if n := strings.Count(log.String(), "level=ERROR"); n != 1 ||
					!strings.Contains(log.String(), "follows again") {
					t.Errorf("%d errors logged, want 1:\n%s", n, &log)
				}
			})
		})
	}
}

// The same holds if a search meets the error.
func TestASearchThatCannotReadTheLogDoesNotHarmTheIndex(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newMemLog()
		l.say("lobby", "Ada", "said")
		x := newIndex(t, l, t.TempDir())
		stop := run(t, x)
		defer stop()
		time.Sleep(time.Second)
		made := x.database().fileID
		l.mu.Lock()
		l.failed = corrupt(t)
		l.mu.Unlock()
		if _, err := x.Search(t.Context(), ParseQuery("said"), []chat.RoomName{"lobby"}); err == nil {
			t.Error("it is found all the same")
		}
		time.Sleep(time.Minute)
		l.mu.Lock()
		l.failed = nil
		l.mu.Unlock()
		wantFound(t, x, "said", chat.MessageRef{Room: "lobby", Seq: 1})
		if x.database().fileID != made {
			t.Error("the index was made anew")
		}
	})
}

// Whatever is in the place of the index's file, the index is made as soon as that is possible. Until then searches and
// the log say so, and nothing else is affected.
func TestIndexIsRebuiltWhateverItsFileHolds(t *testing.T) {
	for name, tt := range map[string]struct {
		put   func(t *testing.T, path string)
		clear func(t *testing.T, path string) // nil: the index does so itself
	}{
		"an empty folder":   {put: func(t *testing.T, path string) { must(t, os.Mkdir(path, 0o700)) }},
		"a link to nowhere": {put: func(t *testing.T, path string) { must(t, os.Symlink(path+".nowhere", path)) }},
		"another program's": {put: func(t *testing.T, path string) {
			must(t, os.WriteFile(path, []byte("a novel "), 0o600))
		}},
		"an empty file": {put: func(t *testing.T, path string) { must(t, os.WriteFile(path, nil, 0o600)) }},
		"nobody may read it": {put: func(t *testing.T, path string) {
			must(t, os.WriteFile(path, nil, 0))
		}},
		"another database": {put: func(t *testing.T, path string) {
			must(t, os.WriteFile(path, nil, 0o600))
			db := pool(path, nil, 1)
			_, err := db.ExecContext(t.Context(), `CREATE TABLE meta (key, value); CREATE TABLE room (name)`)
			must(t, errors.Join(err, db.Close()))
		}},
		"a log of nothing": {put: func(t *testing.T, path string) {
			must(t, os.WriteFile(path+"-wal", []byte("no log"), 0o600))
		}},
		"a full folder": {
			put:   func(t *testing.T, path string) { must(t, os.MkdirAll(filepath.Join(path, "mine"), 0o700)) },
			clear: func(t *testing.T, path string) { must(t, os.RemoveAll(path)) },
		},
		"a full folder for its log": {
			put:   func(t *testing.T, path string) { must(t, os.MkdirAll(filepath.Join(path+"-wal", "mine"), 0o700)) },
			clear: func(t *testing.T, path string) { must(t, os.RemoveAll(path+"-wal")) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				l := newMemLog()
				l.say("lobby", "Ada", "said")
				dir := t.TempDir()
				tt.put(t, indexFile(dir))
				x := New(l, Config{Dir: dir, Logger: slog.New(slog.NewTextHandler(&log, nil))})
				stop := run(t, x)
				defer stop()
				time.Sleep(time.Minute + time.Second)
				synctest.Wait() // the log is the index's until then
				if tt.clear != nil {
					_, err := x.Search(t.Context(), ParseQuery("said"), l.Rooms())
					if chat.CodeOf(err) != chat.SearchUnavailable {
						t.Errorf("searching: %v", err)
					}
					if n := strings.Count(log.String(), "level=ERROR"); n != 1 ||
						!strings.Contains(log.String(), fileName) {
						t.Errorf("%d errors logged, want 1 that names the file:\n%s", n, &log)
					}
					if n, age := x.Lag(); n != 0 || age < time.Minute {
						t.Errorf("%d behind for %v, want a minute", n, age)
					}
					tt.clear(t, indexFile(dir))
					time.Sleep(retryEvery + time.Second)
				}
				wantFound(t, x, "said", chat.MessageRef{Room: "lobby", Seq: 1})
			})
		})
	}
}

// An index that is removed or replaced while it is used is made again.
func TestIndexThatIsTakenAwayIsMadeAnew(t *testing.T) {
	for name, take := range map[string]func(t *testing.T, path string){
		"removed":  func(t *testing.T, path string) { must(t, os.Remove(path)) },
		"replaced": func(t *testing.T, path string) { must(t, os.Remove(path)); must(t, os.Mkdir(path, 0o700)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newMemLog()
				l.say("lobby", "Ada", "said")
				dir := t.TempDir()
				x := newIndex(t, l, dir)
				stop := run(t, x)
				defer stop()
				time.Sleep(time.Second)
				take(t, indexFile(dir))
				l.say("lobby", "Ada", "said")
				touch(x, "lobby")
				time.Sleep(time.Minute)
				wantFound(t, x, "said", chat.MessageRef{Room: "lobby", Seq: 1}, chat.MessageRef{Room: "lobby", Seq: 2})
				if info, err := os.Stat(indexFile(dir)); err != nil || info.IsDir() {
					t.Errorf("%v, %v", info, err)
				}
			})
		})
	}
}

// A search in one room finds nothing of others, whatever the text names.
func TestInNarrowsTheRoomsOfASearch(t *testing.T) {
	l := newMemLog()
	for _, room := range []chat.RoomName{"lobby", "attic", "attic-2"} {
		l.say(room, "Ada", "said in "+string(room))
	}
	x := newIndex(t, l, t.TempDir())
	follow(t, x, l)
	for _, tt := range []struct {
		typed      string
		only, list []chat.RoomName // found where that is the one room, and where it is one's list
	}{
		{"said", []chat.RoomName{"lobby"}, []chat.RoomName{"lobby"}},
		{"in:attic said", nil, []chat.RoomName{"attic"}},
		{"said in:attic", nil, []chat.RoomName{"attic"}},
		{"in:attic", nil, []chat.RoomName{"attic"}},
		{"IN:attic said", nil, []chat.RoomName{"attic"}},
		{"In:#ATTIC said", nil, []chat.RoomName{"attic"}},
		{`in:"attic" said`, nil, []chat.RoomName{"attic"}},
		{`in:“attic” said`, nil, []chat.RoomName{"attic"}},
		{`in:«#Attic» said`, nil, []chat.RoomName{"attic"}},
		{`in:"attic said`, []chat.RoomName{"lobby"}[:0], nil}, // a name with a space is none
		{"in:attic in:attic-2 said", nil, []chat.RoomName{"attic", "attic-2"}},
		{"in:lobby in:attic said", []chat.RoomName{"lobby"}, []chat.RoomName{"attic", "lobby"}},
		{"in:LOBBY said", []chat.RoomName{"lobby"}, []chat.RoomName{"lobby"}},
		{"from:ada in:attic", nil, []chat.RoomName{"attic"}},
		{"after:2020 in:attic", nil, []chat.RoomName{"attic"}},
		{"-in:attic said", nil, nil}, // no filter, and so words
		{"in: attic said", nil, nil},
		{"in:nowhere said", nil, nil},
	} {
		for _, only := range []bool{true, false} {
			want := tt.list
			if only {
				want = tt.only
			}
			found, err := x.Find(t.Context(), chat.Search{Text: tt.typed, Rooms: []chat.RoomName{"lobby"}, Only: only})
			must(t, err)
			var got []chat.RoomName
			for _, h := range found.Hits {
				got = append(got, h.Room)
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%q, only in the lobby: %v: found in %q, want %q", tt.typed, only, got, want)
			}
		}
	}
}
