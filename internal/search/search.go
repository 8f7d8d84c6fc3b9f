// Package search finds messages in all rooms by what they say: a full-text index
// in a SQLite file of its own beside the log's. It is a reader with a
// cursor in each room like any other: it follows the log, and costs whoever
// sends nothing. The file holds no text and can be deleted; it is made again.
// Start reading at Index.Run and Index.Search.
//
// It knows neither how the log is kept (a Source) nor who may read what: whoever
// searches says in which rooms.
//
// # What is in the index
//
// Texts are split into units (units.go): words by the letters and
// digits of Unicode, folded, without the diacritics that people leave out; and the single
// characters of scripts without spaces, of which each two neighbours are indexed together.
// For each token the index keeps only the numbers of the documents that have it. That
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
// # How it is kept
//
// The documents are in segments (segment.go), stretches of at most 32,768, each with
// lists of its own, so that a search begins with the newest segment and mostly ends
// there. New documents are a small segment, and small segments are merged. A segment's
// tokens are in leaves (leaf.go), pages of one length. What a document had in the index is
// found by reading its segment: nobody needs to know what it said, many changes of one
// segment share the work, and it does not grow with the index. No bytes of what was
// deleted stay in the file.
//
// # What that costs
//
// For messages of 70 bytes, one in sixteen of them Chinese, the file has 0.65
// of the texts' bytes, 0.09 of that for where documents stand. Of 80,000 events of which 18 %
// are edits and 9 % deletions, of messages of any age, one takes less than twice as long as of
// plain messages alone (BenchmarkIndexing). BenchmarkDeletion and BenchmarkSearch measure the
// rest, and BenchmarkLayout what FTS5 would take: it cannot take out a document without being
// told its text, and takes long for that.
package search

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
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
	// Deletions returns a room's events after seq that delete a message, oldest first,
	// at most limit: their seqs and targets.
	Deletions(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error)
	// Texts returns messages as they are now, each where its place is; one that was
	// deleted or never was is the zero Event.
	Texts(ctx context.Context, places []chat.MessageRef) ([]chat.Event, error)
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
	dir     string
	epoch   string
	logger  *slog.Logger
	indexed func(int, time.Duration)

	open sync.RWMutex // held to read while db is used, to write when it is opened or closed
	db   *database    // nil: not open

	// Owned by Run.
	errLogged     bool      // what it does failed, and that was logged
	readErr       error     // why a room could not be read
	walDirtySince time.Time // since when the write-ahead log may hold what was deleted; zero: it does not
	closedSince   time.Time // since when the file cannot be opened; zero: it can

	traffic traffic

	mu      sync.Mutex
	broken  error                      // what a search met in the file, which has to be made anew
	lags    map[chat.RoomName]*roomLag // of rooms that have events that are not indexed
	unknown time.Time                  // since when it is not known which those are; zero: it is
	wake    chan struct{}              // holds one value when there is something for Run to do
}

// New returns an index of source. It does nothing until Run.
func New(source Source, cfg Config) *Index {
	x := &Index{
		source:  faults{source},
		dir:     cfg.Dir,
		epoch:   cfg.Epoch,
		logger:  cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler)),
		indexed: cfg.Indexed,
		lags:    make(map[chat.RoomName]*roomLag),
		unknown: time.Now(),
		wake:    make(chan struct{}, 1),
	}
	if x.indexed == nil {
		x.indexed = func(int, time.Duration) {}
	}
	return x
}

// breakDown says that the file has to be made anew.
func (x *Index) breakDown(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.broken = err
	x.wakeRun()
}

// wakeRun wakes Run.
func (x *Index) wakeRun() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}
