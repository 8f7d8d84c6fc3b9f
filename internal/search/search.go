// Package search is the full-text index of all rooms' messages, in a SQLite file of its own beside the log's. It
// follows the log with a cursor in each room, and nothing waits for it. The file holds no text. It can be deleted; Run
// makes it again. Start reading at Index.Run and Index.Search.
//
// It does not know how the log is stored (a Source) or who may read what: the caller says in which rooms to search.
//
// # What is in the index
//
// Texts are split into units (units.go): words of letters and digits as Unicode defines them, folded and without the
// diacritics that people leave out; and the single characters of scripts without spaces, where each two neighbours are
// indexed as a pair. For each token the index stores the numbers of the documents that have it, and nothing about where
// in the text it stands. Whether tokens stand side by side, in a phrase or in a run of Chinese, is checked in the texts
// of the candidates. Those have to be read anyway: to mark what matches, and so that no text is shown that was edited
// or deleted since.
//
// A document is a message. Its number is its place in time among the messages of all rooms. So the newest hits are at
// the end of each list, before: and after: are bounds of that number, and a message's room, author and kinds of links
// are tokens like its words. By relevance, the newest thousand matches are compared with one another, then the thousand
// before: that is exact for a word in at most a thousand messages, and still fast for a word in every third message.
//
// # How it is stored
//
// Documents are in segments (segment.go) of at most 32,768, each with token lists of its own, so that a search begins
// with the newest segment and mostly ends there. New documents become a small segment, and small segments are merged. A
// segment's tokens are in leaves (leaf.go), which all have the length of a page. To remove a document, its segment is
// read: nothing has to remember what the document said, many changes of one segment share the work, and the work does
// not grow with the index. No bytes of deleted text stay in the file.
//
// # What that costs
//
// For messages of 70 bytes, one in sixteen of them Chinese, the file has 0.65 times the size of the texts; 0.09 of that
// is for the places of documents. With 18 % edits and 9 % deletions, of messages of any age, 80,000 events take less
// than twice as long as plain messages alone (BenchmarkIndexing). BenchmarkDeletion and BenchmarkSearch measure the
// rest. BenchmarkLayout shows what FTS5 would take: FTS5 cannot remove a document without being told its text, and is
// slow at it.
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
	// Heads returns the newest seq of every room.
	Heads(ctx context.Context) (map[chat.RoomName]chat.Seq, error)
	// After returns a room's events after seq as they are stored, oldest first, at most limit. A message has its first
	// text and an edit the text that it brought; both are empty once the message is deleted.
	After(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error)
	// Deletions returns a room's deletions after seq, oldest first, at most limit: their seqs and targets.
	Deletions(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error)
	// Texts returns messages with their newest texts, in the order of places. It returns the zero Event for a message
	// that is deleted or does not exist.
	Texts(ctx context.Context, places []chat.MessageRef) ([]chat.Event, error)
}

// Config says where an Index stores its file, and what it reports to.
type Config struct {
	Dir     string                               `kong:"-"` // the data folder, in which search.db is created
	Epoch   string                               `kong:"-"` // the log's; an index with another epoch is made again
	Logger  *slog.Logger                         `kong:"-"` // default: discard
	Indexed func(events int, took time.Duration) `kong:"-"` // called after each transaction
}

// An Index finds messages. Its methods may be called from several goroutines, before, during and after Run.
type Index struct {
	source  Source
	dir     string
	epoch   string
	logger  *slog.Logger
	indexed func(int, time.Duration)

	open sync.RWMutex // read-locked while db is used, locked while it is opened or closed
	db   *database    // nil: not open

	// Owned by Run.
	errLogged     bool      // the last catch-up failed, and that was logged
	readErr       error     // why a room of the log could not be read
	walDirtySince time.Time // since when the WAL may hold deleted text; zero: it does not
	closedSince   time.Time // since when the file cannot be opened; zero: it can

	traffic traffic

	mu          sync.Mutex
	broken      error                             // an error that a search met: the file has to be made again
	lags        map[chat.RoomName]*roomLag        // of rooms with events that are not indexed
	anywhere    bool                              // other processes may have stored events in any room
	missing     time.Time                         // since when that is so and not compared; zero: it is not so
	compareTook time.Duration                     // how long the last comparison took
	compareAt   time.Time                         // before then, the heads of all rooms are not compared again
	unknown     time.Time                         // since when the rooms that lag are not known; zero: they are
	elsewhere   map[chat.RoomName]storedElsewhere // what other processes have stored and look has not seen
	wake        chan struct{}                     // holds a value while Run has something to do
}

// New returns an index of source. It does nothing before Run.
func New(source Source, cfg Config) *Index {
	x := &Index{
		source:    faults{source},
		dir:       cfg.Dir,
		epoch:     cfg.Epoch,
		logger:    cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler)),
		indexed:   cfg.Indexed,
		lags:      make(map[chat.RoomName]*roomLag),
		elsewhere: make(map[chat.RoomName]storedElsewhere),
		unknown:   time.Now(),
		wake:      make(chan struct{}, 1),
	}
	if x.indexed == nil {
		x.indexed = func(int, time.Duration) {}
	}
	return x
}

// breakDown makes Run make the file again, because of err.
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
