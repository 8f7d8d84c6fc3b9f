// Package search finds messages in all rooms by what they say: a full-text index
// in SQLite's FTS5, in a file of its own beside the log's. It is a reader with a
// cursor in each room like any other: it follows the log, and costs whoever
// sends nothing. The file holds no text and can be deleted; it is made again.
// Start reading at Index.Run and Index.Search.
//
// It knows neither how the log is kept (a Source) nor who may read what: whoever
// searches says in which rooms.
//
// # What is in the index
//
// The words are told apart here (units.go), not by FTS5: words by the letters and
// digits of Unicode, folded, without the diacritics that people leave out; of scripts
// without spaces each two neighbours. The FTS5 table is contentless and keeps for
// each of these only the numbers of the documents that hold it (detail=none). That
// they stand beside one another, in a phrase or in a run of Chinese, is seen in the
// texts of the candidates, which have to be read anyway: to mark what matches, and
// so that nobody is shown what was edited or deleted since.
//
// A document is a message; its number is its place in time among those of all rooms. So
// the newest hits are at the end of each list, before: and after: are bounds, and
// which room, author and kind of link it has are tokens like the words. By relevance,
// the newest thousand that match are compared with one another, then the thousand
// before: exact for a word in no more messages, and as fast for one in every third.
//
// # What that costs
//
// For a million messages of 70 bytes, one in sixteen of them Chinese, the file has 0.49
// of the texts' bytes, 0.10 of that for where documents stand; it takes half a minute
// to make, with the pauses that leave the machine to others. What the first page
// takes, in milliseconds at the 95th percentile on two cores (BenchmarkSearch):
//
//	                                    newest  relevance
//	a rare word                            1.2        1.1
//	a medium one                           0.7         13
//	one in every third message             0.6         10
//	a phrase of two frequent words         9.3         14
//	a beginning of three letters           4.8         15
//	a beginning of two letters              44         46
//	one Chinese character                   11         29
//	a medium word in 200 rooms             1.7         21
//
// BenchmarkLayout compares. With positions in FTS5, so that it finds phrases itself, the
// lists of 200,000 messages take twice as much (0.78 of the texts instead of 0.40), more than a log should pay
// for a phrase to take a millisecond less. FTS5's own unicode61 (0.61) finds no
// Chinese, and its trigrams beside that (3.1; 1.2 without positions) find no word of two
// characters, which most Chinese ones are.
package search

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/chat"
)

// A Source is the log that is indexed.
type Source interface {
	// Heads returns all rooms with their newest seqs.
	Heads(ctx context.Context) (map[chat.RoomName]chat.Seq, error)
	// After returns a room's events after seq as the log has them, oldest first, at
	// most limit. A message's text is what it said at first, an edit's what it said
	// from then on; those of a deleted message are empty.
	After(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error)
	// Texts returns messages as they are now, each where its place is; one that was
	// deleted or never was is the zero Event.
	Texts(ctx context.Context, places []chat.Place) ([]chat.Event, error)
}

// An Eraser keeps what deleted messages said until the index has let go of it.
type Eraser interface {
	// Erased returns what a deleted message and its edits said, by the seqs of these,
	// and nothing once that is forgotten.
	Erased(ctx context.Context, message chat.Place) (map[chat.Seq]string, error)
	// DropErased drops it for good. To drop something again is no error.
	DropErased(ctx context.Context, message chat.Place) error
}

// Config says where an Index keeps its file and whom it tells.
type Config struct {
	Dir     string                               `kong:"-"` // the data folder; search.db is made in it
	Epoch   string                               `kong:"-"` // the log's; with another one the index is made anew
	Logger  *slog.Logger                         `kong:"-"` // default: discard
	Indexed func(events int, took time.Duration) `kong:"-"` // called after each transaction
}

// An Index finds messages. Its methods may be called from several goroutines, and
// before, while and after Run runs.
type Index struct {
	source  Source
	eraser  Eraser
	dir     string
	epoch   string
	logger  *slog.Logger
	indexed func(int, time.Duration)

	open     sync.RWMutex // held to read while db is used, to write when it is opened or closed
	db       *database    // nil: not open
	behind   atomic.Int64 // events that are known and not indexed
	troubled bool         // owned by Run: what it does failed, and that was logged
	untidy   int          // owned by Run: events since the lists were written anew

	mu      sync.Mutex
	broken  error                  // what a search met in the file, which has to be made anew
	touched map[chat.RoomName]bool // have events that are not indexed
	wake    chan struct{}          // holds one value when there is something for Run to do
}

// New returns an index of source. It does nothing until Run.
func New(source Source, eraser Eraser, cfg Config) *Index {
	x := &Index{
		source:  source,
		eraser:  eraser,
		dir:     cfg.Dir,
		epoch:   cfg.Epoch,
		logger:  cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler)),
		indexed: cfg.Indexed,
		touched: make(map[chat.RoomName]bool),
		wake:    make(chan struct{}, 1),
	}
	if x.indexed == nil {
		x.indexed = func(int, time.Duration) {}
	}
	return x
}

// Touched says that a room has a new event. It never blocks, and may be called
// for each event: many are one until the index gets to them.
func (x *Index) Touched(room chat.RoomName) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.touched[room] {
		return
	}
	x.touched[room] = true
	x.rouse()
}

// breakDown says that the file has to be made anew.
func (x *Index) breakDown(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.broken = err
	x.rouse()
}

// rouse wakes Run.
func (x *Index) rouse() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// Behind returns how many events are known to be in the log and not in the index:
// while an index is made, how far that has got.
func (x *Index) Behind() int64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.behind.Load() + int64(len(x.touched))
}
