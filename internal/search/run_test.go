package search

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/chat"
)

// run runs x until the returned function is called.
func run(t *testing.T, x *Index) func() {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- x.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func TestRunFollowsTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newMemLog()
		l.say("lobby", "Ada", "said before")
		x := newIndex(t, l, t.TempDir())
		if _, err := x.Search(t.Context(), ParseQuery("said"), l.Rooms()); chat.CodeOf(err) != chat.SearchUnavailable {
			t.Errorf("before Run: %v", err)
		}
		stop := run(t, x)
		time.Sleep(time.Second)
		wantFound(t, x, "said", chat.MessageRef{Room: "lobby", Seq: 1})
		for range 3 {
			l.say("attic", "Ada", "said after")
			touch(x, "attic")
		}
		if n, _ := x.Lag(); n != 3 {
			t.Errorf("%d behind, want 3", n)
		}
		time.Sleep(time.Second)
		wantFound(t, x, "said", chat.MessageRef{Room: "lobby", Seq: 1}, chat.MessageRef{Room: "attic", Seq: 1},
			chat.MessageRef{Room: "attic", Seq: 2}, chat.MessageRef{Room: "attic", Seq: 3})
		if n, age := x.Lag(); n != 0 || age != 0 {
			t.Errorf("%d behind for %v", n, age)
		}
		stop()
		if _, err := x.Search(t.Context(), ParseQuery("said"), l.Rooms()); chat.CodeOf(err) != chat.SearchUnavailable {
			t.Errorf("after Run: %v", err)
		}
	})
}

// While the log cannot be read or the disk is full, the search works with what is indexed, one line is logged, and
// afterwards everything is indexed.
func TestRunSurvivesAnOutage(t *testing.T) {
	for name, trouble := range map[string]func(t *testing.T, x *Index, l *memLog, on bool){
		"log": func(_ *testing.T, _ *Index, l *memLog, on bool) {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.failed = nil; on {
				l.failed = errLog
			}
		},
		"full disk": func(t *testing.T, x *Index, _ *memLog, on bool) {
			pages := "PRAGMA max_page_count = 1000000"
			if on {
				pages = "PRAGMA max_page_count = 1"
			}
			var n int
			must(t, x.database().writer.QueryRowContext(t.Context(), pages).Scan(&n))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				l := newMemLog()
				l.say("lobby", "Ada", "said before")
				x := New(l, Config{Dir: t.TempDir(), Logger: slog.New(slog.NewTextHandler(&log, nil))})
				stop := run(t, x)
				time.Sleep(time.Second)
				trouble(t, x, l, true)
				for range 500 {
					l.say("lobby", "Ada",
						"said during "+strings.Repeat("x", 30)+string(rune(0x4e00+len(l.Events("lobby")))))
				}
				touch(x, "lobby")
				time.Sleep(time.Minute)
				if name == "full disk" {
					wantFound(t, x, "before", chat.MessageRef{Room: "lobby", Seq: 1})
					wantFound(t, x, "during")
				}
				trouble(t, x, l, false)
				time.Sleep(time.Minute)
				if n := len(found(t, x, ParseQuery("during"), "lobby")); n != 500 {
					t.Errorf("%d found after the outage, want 500", n)
				}
				stop()
				if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
					t.Errorf("%d errors logged, want 1:\n%s", n, &log)
				}
				if strings.Contains(log.String(), "said") {
					t.Errorf("the log holds what people wrote:\n%s", &log)
				}
			})
		})
	}
}

// An index that cannot be used is made again without help.
func TestIndexIsMadeAnew(t *testing.T) {
	ruin := func(t *testing.T, dir string, at int64) {
		f, err := os.OpenFile(indexFile(dir), os.O_RDWR, 0)
		must(t, err)
		_, err = f.WriteAt(bytes.Repeat([]byte("ruin"), 5000), at)
		must(t, err)
		must(t, f.Close())
	}
	for name, tt := range map[string]struct {
		do    func(t *testing.T, x *Index, l *memLog)
		after int // messages found
	}{
		"deleted": {func(t *testing.T, x *Index, _ *memLog) { must(t, os.Remove(indexFile(x.dir))) }, 300},
		"epoch": {func(_ *testing.T, x *Index, l *memLog) {
			x.epoch = "second"
			l.Truncate("lobby", 250)
		}, 250},
		"shorter":   {func(_ *testing.T, _ *Index, l *memLog) { l.Truncate("lobby", 200) }, 200},
		"room gone": {func(_ *testing.T, _ *Index, l *memLog) { l.Truncate("lobby", 0) }, 0},
		"header":    {func(t *testing.T, x *Index, _ *memLog) { ruin(t, x.dir, 0) }, 300},
		"pages":     {func(t *testing.T, x *Index, _ *memLog) { ruin(t, x.dir, 4096) }, 300},
		"empty":     {func(t *testing.T, x *Index, _ *memLog) { must(t, os.Truncate(indexFile(x.dir), 0)) }, 300},
		"format": {func(t *testing.T, x *Index, _ *memLog) {
			db := pool(indexFile(x.dir), writerPragmas, 1)
			_, err := db.ExecContext(t.Context(), `UPDATE meta SET value = '0' WHERE key = 'format'`)
			must(t, err)
			must(t, db.Close())
		}, 300},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newMemLog()
				for range 300 {
					l.say("lobby", "Ada", "said")
				}
				dir := t.TempDir()
				x := newIndex(t, l, dir)
				follow(t, x, l)
				first := x.db.fileID
				x.close()
				tt.do(t, x, l)
				stop := run(t, x)
				defer stop()
				time.Sleep(time.Minute)
				if n := len(found(t, x, ParseQuery("said"), "lobby")); n != tt.after {
					t.Errorf("%d found, want %d", n, tt.after)
				}
				if x.database().fileID == first {
					t.Error("it is the same index")
				}
			})
		})
	}
}

// A file that breaks while it is in use is made again.
func TestBrokenIndexIsMadeAnewWhileInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newMemLog()
		l.say("lobby", "Ada", "said")
		x := newIndex(t, l, t.TempDir())
		stop := run(t, x)
		defer stop()
		time.Sleep(time.Second)
		_, err := x.database().writer.ExecContext(t.Context(), `UPDATE leaf SET bytes = x'ffffffff'`)
		must(t, err)
		_, err = x.database().writer.ExecContext(t.Context(), `UPDATE block SET places = x'ff'`)
		must(t, err)
		l.say("lobby", "Ada", "said again")
		touch(x, "lobby")
		time.Sleep(time.Minute)
		wantFound(t, x, "said", chat.MessageRef{Room: "lobby", Seq: 1}, chat.MessageRef{Room: "lobby", Seq: 2})
	})
}

// The same holds if a search finds that out.
func TestIndexThatASearchFindsBrokenIsMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newMemLog()
		l.say("lobby", "Ada", "said")
		x := newIndex(t, l, t.TempDir())
		stop := run(t, x)
		defer stop()
		time.Sleep(time.Second)
		_, err := x.database().writer.ExecContext(t.Context(), `UPDATE block SET places = x'ff'`)
		must(t, err)
		if _, err := x.Search(t.Context(), ParseQuery("said"), l.Rooms()); err == nil {
			t.Error("it is found all the same")
		}
		time.Sleep(time.Second)
		wantFound(t, x, "said", chat.MessageRef{Room: "lobby", Seq: 1})
	})
}

// A search finds nothing of rooms that it does not name, however many there are and whichever way the index selects
// them.
func TestSearchLooksInTheRoomsNamedAlone(t *testing.T) {
	l := newMemLog()
	var all []chat.RoomName
	for n := range 1100 {
		all = append(all, roomName(n))
		l.say(all[n], "Ada "+string(rune(0x4e00+n)), "said https://a.example")
	}
	x := newIndex(t, l, t.TempDir())
	follow(t, x, l)
	for _, rooms := range [][]chat.RoomName{all, nil, {"garden"}, all[:1], all[:8], all[:9], all[3:150], all[:1000]} {
		for _, query := range []string{"said", "has:link", "from:ada said", "after:2020"} {
			want := len(rooms)
			if slices.Equal(rooms, []chat.RoomName{"garden"}) {
				want = 0
			}
			if strings.HasPrefix(query, "from:") {
				want = len(slices.DeleteFunc(slices.Clone(rooms),
					func(r chat.RoomName) bool { return r < roomName(1100-mostAuthors) || r == "garden" }))
			}
			q := ParseQuery(query)
			q.Limit = mostHits
			got := found(t, x, q, rooms...)
			if len(got) != want {
				t.Errorf("%s in %d rooms: %d found, want %d", query, len(rooms), len(got), want)
			}
			for _, p := range got {
				if !slices.Contains(rooms, p.Room) {
					t.Errorf("%s in %d rooms found one in %s", query, len(rooms), p.Room)
				}
			}
		}
	}
}

// Documents are numbered in the order of time, in whichever order the rooms' logs are read.
func TestRoomsAreIndexedInTheOrderOfTime(t *testing.T) {
	l := newMemLog()
	rooms := []chat.RoomName{"lobby", "attic", "cellar"}
	for n := range 3000 {
		l.say(rooms[n*n%3], "Ada", "said")
	}
	x := newIndex(t, l, t.TempDir())
	follow(t, x, l)
	var times []time.Time
	for _, p := range found(t, x, ParseQuery("said"), rooms...) {
		times = append(times, l.current(p).At)
	}
	if len(times) != 3000 {
		t.Errorf("%d found", len(times))
	}
	for i := range times[1:] {
		if !times[i+1].Before(times[i]) {
			t.Fatalf("hit %d is not older than the one before", i+1)
		}
	}
}

// New messages neither move nor repeat the hits of a person who pages.
func TestPagesStayWhileOthersWrite(t *testing.T) {
	for _, order := range []Order{Newest, Relevance} {
		l := newMemLog()
		for n := range 2500 {
			l.say("lobby", "Ada", "said"+strings.Repeat(" said", n%5))
		}
		x := newIndex(t, l, t.TempDir())
		follow(t, x, l)
		q := ParseQuery("said")
		q.Order, q.Limit = order, 100
		seen := map[chat.Seq]bool{}
		for {
			r, err := x.Search(t.Context(), q, l.Rooms())
			must(t, err)
			for _, h := range r.Hits {
				if seen[h.Seq] || h.Seq > 2500 {
					t.Fatalf("by %s: %d comes again, or was said since", order, h.Seq)
				}
				seen[h.Seq] = true
			}
			if q.Cursor = r.Next; q.Cursor == "" {
				break
			}
			l.say("lobby", "Ada", "said since")
			follow(t, x, l)
		}
		if len(seen) != 2500 {
			t.Errorf("by %s: %d of 2500", order, len(seen))
		}
		q.Cursor = "AAAA"
		if _, err := x.Search(t.Context(), q, l.Rooms()); chat.CodeOf(err) != chat.BadRequest {
			t.Errorf("a cursor that is none: %v", err)
		}
	}
}

// Each node has an index of its own, which met the rooms in another order, and clients page through any of them.
func TestPagesMayComeFromTheIndexesOfSeveralNodes(t *testing.T) {
	for _, order := range []Order{Newest, Relevance} {
		l := newMemLog()
		rooms := []chat.RoomName{"lobby", "attic", "räume/字"}
		nodes := []*Index{newIndex(t, l, t.TempDir()), newIndex(t, l, t.TempDir()), newIndex(t, l, t.TempDir())}
		for n := range 2500 {
			l.say(rooms[n*n%3], "Ada", "said"+strings.Repeat(" said", n%5))
			if n%700 == 0 {
				follow(t, nodes[0], l)
			}
		}
		deleted := chat.MessageRef{Room: "lobby", Seq: 30}
		l.erase(deleted.Room, deleted.Seq)
		for _, x := range nodes { // the second one never meets the deleted text
			follow(t, x, l)
		}
		q := ParseQuery("said")
		q.Order, q.Limit = order, 70
		seen := map[chat.MessageRef]bool{}
		for page := 0; ; page++ {
			x := nodes[page*page%3]
			r, err := x.Search(t.Context(), q, rooms)
			must(t, err)
			for _, h := range r.Hits {
				at := chat.MessageRef{Room: h.Room, Seq: h.Seq}
				if seen[at] {
					t.Fatalf("by %s: %v comes again on page %d", order, at, page)
				}
				seen[at] = true
			}
			if q.Cursor = r.Next; q.Cursor == "" {
				break
			}
			// The message that the cursor names is deleted. By relevance, that moves a message into another window.
			if page == 2 && order == Newest {
				last := r.Hits[len(r.Hits)-1]
				l.erase(last.Room, last.Seq)
				for _, x := range nodes {
					follow(t, x, l)
				}
			}
			l.say("lobby", "Ada", "something else")
			follow(t, nodes[page%3], l)
		}
		if len(seen) != 2499 {
			t.Errorf("by %s: %d of 2499", order, len(seen))
		}
	}
}

// A cursor that was cut, or made up, is refused or leads to a page, but never to an internal error.
func TestCursorsThatNobodyMade(t *testing.T) {
	l := newMemLog()
	for range 300 {
		l.say("lobby", "Ada", "said")
	}
	x, other := newIndex(t, l, t.TempDir()), newIndex(t, l, t.TempDir())
	follow(t, x, l)
	follow(t, other, l)
	for _, order := range []Order{Newest, Relevance} {
		q := ParseQuery("said")
		q.Order = order
		r, err := other.Search(t.Context(), q, l.Rooms())
		must(t, err)
		whole := r.Next
		for n := 1; n <= len(whole); n++ {
			for _, changed := range []string{whole[:n], whole[:n-1] + "_" + whole[n:]} {
				q.Cursor = changed
				if _, err := x.Search(t.Context(), q, l.Rooms()); err != nil && chat.CodeOf(err) != chat.BadRequest {
					t.Errorf("%s: %v", changed, err)
				}
			}
		}
	}
}

func TestMoreRelevantHitsComeFirst(t *testing.T) {
	l := newMemLog()
	best := l.say("lobby", "Ada", "rose garden")
	l.say("lobby", "Ada",
		"the garden has a rose and many other things that are of no interest to anybody who comes here")
	l.say("lobby", "Ada", "garden rosebud")
	x := newIndex(t, l, t.TempDir())
	follow(t, x, l)
	q := ParseQuery("rose* garden")
	q.Order = Relevance
	if got := found(t, x, q, "lobby"); len(got) != 3 || got[0].Seq != best || got[2].Seq != 3 {
		t.Errorf("%v", got)
	}
}

// The default data folder is relative to the working directory.
func TestTheFolderMayBeNamedFromHere(t *testing.T) {
	t.Chdir(t.TempDir())
	must(t, os.Mkdir("data", 0o700))
	l := newMemLog()
	l.say("lobby", "Ada", "here")
	x := newIndex(t, l, "data")
	follow(t, x, l)
	wantFound(t, x, "here", chat.MessageRef{Room: "lobby", Seq: 1})
}
