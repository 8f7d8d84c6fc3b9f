package torture_test

import (
	"cmp"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"parley/internal/account"
	"parley/internal/room"
	"parley/internal/server"
	"parley/internal/store/sqlite"
	"parley/internal/torture"
	"parley/web"
)

// A breakage is one fault of a server.
type breakage string

const (
	none         breakage = ""
	ackEarly     breakage = "acknowledges before the commit"
	forgetNonces breakage = "forgets nonces"
	publishEarly breakage = "publishes before the commit"
	skipOnResume breakage = "skips an event on resume"
	swapEvents   breakage = "swaps two events"
	repeatParked breakage = "repeats an event to a reader that was parked"
	readOld      breakage = "reads from a copy that is behind"
	forgetEdits  breakage = "forgets an edit"
	showDeleted  breakage = "shows a deleted text on resume"
	doubleMarks  breakage = "doubles a reaction"
	forgetReads  breakage = "forgets how far somebody has read"
	keepEpoch    breakage = "keeps the epoch whatever the log is"
	beginAnew    breakage = "begins an empty log where the old one is damaged"
	forgetSame   breakage = "forgets the nonces of edits that change nothing"
)

// A subject is this program's server in this process. Its parts are correct; the fault is between
// them.
type subject struct {
	breaks  breakage
	dir     string
	node    *nodeOf // nil: it is alone, on a SQLite file in dir
	address string  // where it listens; default: a free port
	epoch   string  // of its first start
	log     *brokenLog
	stop    func() error
	commit  committed
}

// Store is what keeps a subject's log.
type Store interface {
	room.Log
	room.Archive
	account.People
	account.RoomLists
	account.Personal

	Epoch() string
	Healthy(ctx context.Context) error
	Run(ctx context.Context) error
	Close() error
}

func (s *subject) Files() (folder, database string) { return s.dir, filepath.Join(s.dir, "parley.db") }

func (s *subject) Start(ctx context.Context) (string, error) {
	s.stop = nil
	kept, err := s.open(ctx)
	if err != nil {
		return "", err
	}
	if s.epoch == "" || s.breaks != keepEpoch && s.breaks != trustPlaces {
		s.epoch = kept.Epoch()
	}
	s.log = newBrokenLog(kept, s.breaks, &s.commit)
	rooms, doorsOf := room.Config{}, server.Config{HeaderTimeout: 5 * time.Second}
	if s.node != nil {
		rooms.Followers, doorsOf.Find = []room.Follower{s.node.index.EventStored}, s.node.index.Find
	}
	hub := room.New(s.log, s.log, s.epoch, rooms)
	s.log.hub = hub
	stopNode := func() error { return nil }
	if s.node != nil {
		stopNode = s.node.connect(hub)
	}
	stores := account.Stores{People: s.log, Lists: s.log, Personal: s.log}
	doors, err := server.New(doorsOf, hub, stores, kept.Healthy, web.New())
	if err != nil {
		return "", err
	}
	ln, err := net.Listen("tcp", cmp.Or(s.address, "127.0.0.1:0"))
	if err != nil {
		return "", err
	}
	stopLog := inBackground(s.log.run)
	stopStore, stopHub := inBackground(kept.Run), inBackground(hub.Run)
	var front net.Listener = ln
	switch s.breaks {
	case swapEvents, repeatParked, noCursor, headsAsGets:
		front = brokenListener{ln, s.breaks}
	}
	stopServe := inBackground(func(ctx context.Context) error { return doors.Serve(ctx, front, nil) })
	s.stop = func() error {
		return errors.Join(stopServe(), stopHub(), stopNode(), stopStore(), stopLog(), kept.Close())
	}
	return "http://" + ln.Addr().String(), nil
}

func (s *subject) open(ctx context.Context) (Store, error) {
	if s.node != nil {
		return s.node.open(ctx)
	}
	kept, err := sqlite.Open(ctx, sqlite.Config{Dir: s.dir})
	if err != nil && s.breaks == beginAnew {
		if err := os.Remove(filepath.Join(s.dir, "parley.db")); err != nil {
			return nil, err
		}
		kept, err = sqlite.Open(ctx, sqlite.Config{Dir: s.dir})
	}
	return kept, err
}

// Kill ends the server so that uncommitted drafts are lost.
func (s *subject) Kill() error {
	if s.stop == nil { // it did not start
		return nil
	}
	s.log.crash()
	return s.stop()
}

func (s *subject) Stop() error { return s.stop() }

// inBackground runs f until stop is called; stop waits for it.
func inBackground(f func(context.Context) error) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	return func() error {
		cancel()
		return <-done
	}
}

// The checker must find each fault, by the right rule.
func TestEachBreakageIsFound(t *testing.T) {
	if os.Getenv("PARLEY_TORTURE") == "" {
		t.Skip("make torture-short and make torture run it")
	}
	tests := map[breakage]struct {
		faults []string
		want   []torture.Rule // depends on which client comes first
	}{
		none: {
			[]string{"kill", "cut", "stall", "tab", "restore", "corrupt", "streamcut", "setback", "heads"}, nil,
		},
		ackEarly:     {[]string{"kill"}, []torture.Rule{torture.Lost}},
		forgetNonces: {[]string{"tab", "cut"}, []torture.Rule{torture.Doubled}},
		publishEarly: {[]string{"kill"}, []torture.Rule{torture.Unstored, torture.Different, torture.Skipped}},
		skipOnResume: {[]string{"herd"}, []torture.Rule{torture.Skipped}},
		swapEvents:   {[]string{"delay"}, []torture.Rule{torture.Swapped}},
		repeatParked: {[]string{"slow", "delay"}, []torture.Rule{torture.Repeated}},
		readOld:      {[]string{"delay"}, []torture.Rule{torture.Stale}},
		forgetEdits:  {[]string{"delay"}, []torture.Rule{torture.Undone}},
		showDeleted:  {[]string{"cut", "herd"}, []torture.Rule{torture.Revived}},
		doubleMarks:  {[]string{"delay"}, []torture.Rule{torture.Marked}},
		forgetReads:  {[]string{"delay"}, []torture.Rule{torture.Unread}},
		noCursor:     {[]string{"streamcut"}, []torture.Rule{torture.Skipped}},
		headsAsGets:  {[]string{"heads"}, []torture.Rule{torture.Unanswered}},
		trustPlaces:  {[]string{"setback"}, []torture.Rule{torture.Blind}},
		keepEpoch:    {[]string{"restore"}, []torture.Rule{torture.Lost}},
		beginAnew:    {[]string{"corrupt"}, []torture.Rule{torture.Lost, torture.Forgotten}},
		forgetSame:   {[]string{"cut", "tab"}, []torture.Rule{torture.Doubled, torture.Moved}},
	}
	for breaks, tt := range tests {
		t.Run(cmp.Or(string(breaks), "none"), func(t *testing.T) {
			t.Parallel()
			if breaks == none {
				if _, err := tortured(t, breaks, tt.faults, 3); err != nil {
					t.Error(err)
				}
				return
			}
			// The fault may not show within four seconds.
			for seed := range uint64(4) {
				report, err := tortured(t, breaks, tt.faults, seed+3)
				broken, ok := errors.AsType[*torture.Broken](err)
				if ok &&
					slices.ContainsFunc(broken.Found,
						func(f torture.Finding) bool { return slices.Contains(tt.want, f.Rule) }) {
					t.Log(broken)
					return
				}
				t.Logf("found %v in %+v, want one of %v", err, report, tt.want)
			}
			t.Error("it was not found")
		})
	}
}

func tortured(t *testing.T, breaks breakage, faults []string, seed uint64) (torture.Report, error) {
	return torture.Run(t.Context(), torture.Config{
		For: 4 * time.Second, Round: 4 * time.Second, Seed: seed, Faults: faults, Rate: 400, Herd: 10,
		Subject: &subject{breaks: breaks, dir: t.TempDir()},
	})
}
