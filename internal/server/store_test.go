package server

import (
	"context"
	"os"
	"testing"

	"parley/internal/account"
	"parley/internal/room"
	"parley/internal/store/postgres"
	"parley/internal/store/postgres/pgtest"
	"parley/internal/store/sqlite"
)

// onPostgres makes started servers keep their log in PostgreSQL. PARLEY_TEST_STORE=postgres sets it for all tests;
// besides that only tests that do not run in parallel may set it.
var onPostgres = os.Getenv("PARLEY_TEST_STORE") == "postgres"

// A testStore is a store in either database.
type testStore interface {
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

// openStore returns a new store. The test is skipped if it is to be in PostgreSQL and there is none.
func openStore(t testing.TB) testStore {
	t.Helper()
	var (
		s   testStore
		err error
	)
	if onPostgres {
		s, err = postgres.Open(t.Context(), postgres.Config{URL: pgtest.Database(t, makeTables)})
	} else {
		s, err = sqlite.Open(t.Context(), sqlite.Config{Dir: t.TempDir()})
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// makeTables makes the tables of a PostgreSQL database.
func makeTables(ctx context.Context, url string) error {
	s, err := postgres.Open(ctx, postgres.Config{URL: url})
	if err != nil {
		return err
	}
	return s.Close()
}

// TestOnPostgres runs tests of each door once more, on PostgreSQL. PARLEY_TEST_STORE=postgres runs all tests so.
func TestOnPostgres(t *testing.T) {
	onPostgres = true
	defer func() { onPostgres = os.Getenv("PARLEY_TEST_STORE") == "postgres" }()
	for name, test := range map[string]func(*testing.T){
		"two people talk":         TestTwoPeopleTalk,
		"commands":                TestCommandsAreAnswered,
		"sessions and cookies":    TestSamePersonComesBackBySessionOrCookie,
		"resuming":                TestResumeWhileOthersTalkAtFullSpeed,
		"resuming across changes": TestResumingAcrossChanges,
		"behind":                  TestBehindAndWhatComesAfter,
		"stopping":                TestStopAnswersWhatWasAcceptedAndSaysGoodbye,
		"changes":                 TestChangesOnWSAreAnsweredAndHeard,
		"lists of rooms":          TestTwoDevicesKeepOneListOfRooms,
		"five lines":              TestFiveLineProtocol,
	} {
		t.Run(name, test)
	}
}
