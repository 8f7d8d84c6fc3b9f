// Package storetest holds what every store has to do, whatever its database: Run tests
// it. Memory is a store for the tests of other packages.
//
// It knows no database. Start reading at Run.
package storetest

import (
	"context"
	"testing"
	"time"

	"parley/internal/chat"
)

// A Log is where events are stored and read in order.
type Log interface {
	Append(d chat.Draft, done func(chat.Commit))
	Head(ctx context.Context, room chat.RoomName) (chat.Seq, time.Time, error)
	At(ctx context.Context, room chat.RoomName, seq chat.Seq) (time.Time, error)
	After(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error)
}

// An Archive is where messages are read as they are now.
type Archive interface {
	Page(ctx context.Context, room chat.RoomName, q chat.PageQuery) (chat.Page, error)
	Versions(ctx context.Context, room chat.RoomName, seq chat.Seq) ([]chat.Event, error)
	Copies(ctx context.Context, limit int) ([]chat.Draft, error)
}

// A Source is what an index of texts reads.
type Source interface {
	Heads(ctx context.Context) (map[chat.RoomName]chat.Seq, error)
	Texts(ctx context.Context, at []chat.MessageRef) ([]chat.Event, error)
	Deletions(ctx context.Context, room chat.RoomName, seq chat.Seq, limit int) ([]chat.Event, error)
}

// People are who has a session.
type People interface {
	NewGuest(ctx context.Context, name, key string) (chat.Person, string, error)
	Person(ctx context.Context, session string) (chat.Person, error)
	Rename(ctx context.Context, id chat.PersonID, name, nonce string) (string, error)
	Forget(ctx context.Context, session string) error
}

// A Store is all that the tests need of a store.
type Store interface {
	Log
	Archive
	Source
	People
}

// A Subject is a store that is tested. Its committer runs until the test ends.
type Subject struct {
	Store
	Restart func() Store // ends the store and starts another one on the same data
}

func (s *Subject) restart() { s.Store = s.Restart() }

// Open returns an empty store.
type Open func(t testing.TB) *Subject

// Run tests the stores that open returns.
func Run(t *testing.T, open Open) {
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

var tests = map[string]func(*testing.T, Open){
	"AnswerToARetryIsTheFirstAnswer":            testAnswerToARetryIsTheFirstAnswer,
	"NonceOfSomethingElseIsRefused":             testNonceOfSomethingElseIsRefused,
	"AtIsWhenAnEventWasStored":                  testAtIsWhenAnEventWasStored,
	"PageEndsWhereItsTextsAreEnough":            testPageEndsWhereItsTextsAreEnough,
	"DeletionTellsWhatTheMessageSaid":           testDeletionTellsWhatTheMessageSaid,
	"WhatMayNotBeIsRefused":                     testWhatMayNotBeIsRefused,
	"TheNewestEditCounts":                       testTheNewestEditCounts,
	"MessageIsEditedOnlySoOften":                testMessageIsEditedOnlySoOften,
	"WhatIsSoAlreadyChangesNothing":             testWhatIsSoAlreadyChangesNothing,
	"RepeatedNonceOfAChangeGetsItsAnswer":       testRepeatedNonceOfAChangeGetsItsAnswer,
	"Reactions":                                 testReactions,
	"Pins":                                      testPins,
	"Threads":                                   testThreads,
	"ForwardsTopicsAndActions":                  testForwardsTopicsAndActions,
	"CopiesAreDeletedOnceAcrossRestarts":        testCopiesAreDeletedOnceAcrossRestarts,
	"NoCopyOutlivesADeletionAtTheSameMoment":    testNoCopyOutlivesADeletionAtTheSameMoment,
	"CopyOfWhatIsNotThereIsRefused":             testCopyOfWhatIsNotThereIsRefused,
	"MessageIsReadAsItWasCommitted":             testMessageIsReadAsItWasCommitted,
	"RoomsAreNumberedWithoutHolesWhileManyTalk": testRoomsAreNumberedWithoutHolesWhileManyTalk,
	"EverySendersMessagesKeepTheirOrder":        testEverySendersMessagesKeepTheirOrder,
	"RepeatedNonceGetsTheFirstAnswer":           testRepeatedNonceGetsTheFirstAnswer,
	"PageEdges":                                 testPageEdges,
	"WhoIsMentioned":                            testWhoIsMentioned,
	"ACrowdOfNamesakesIsNobody":                 testACrowdOfNamesakesIsNobody,
	"AMessageMentionsOnlySoMany":                testAMessageMentionsOnlySoMany,
	"HostileMentionsTakeFewLooks":               testHostileMentionsTakeFewLooks,
	"APageAndWhatFollowsItAreThePresent":        testAPageAndWhatFollowsItAreThePresent,
	"AnIndexIsToldAllThatItHasToKnow":           testAnIndexIsToldAllThatItHasToKnow,
}
