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

// PersonStates are people as they are now, and their sessions.
type PersonStates interface {
	PersonStates(ctx context.Context, ids []chat.PersonID) ([]chat.PersonState, error)
}

// RoomLists are the rooms of each person.
type RoomLists interface {
	RoomList(ctx context.Context, who chat.PersonID) ([]chat.ListEntry, error)
	ListEntry(ctx context.Context, who chat.PersonID, room chat.RoomName) (chat.ListEntry, error)
	SetListEntry(ctx context.Context, who chat.PersonID, room chat.RoomName, change chat.ListEntryChange) error
	AddToList(who chat.PersonID, room chat.RoomName, enters bool, done func(dropped []chat.RoomName, err error))
}

// Personal is what each person has read, saved and subscribed to.
type Personal interface {
	MarkRead(who chat.PersonID, at chat.MessageRef, exact bool, nonce string, done func(chat.ListEntry, error))
	SetPersonal(
		ctx context.Context, who chat.PersonID, as chat.PersonalRefKind, at chat.MessageRef, on bool, nonce string,
	) error
	PersonalRefs(
		ctx context.Context, who chat.PersonID, as chat.PersonalRefKind, before time.Time, limit int,
	) ([]chat.PersonalRef, error)
	IsSubscribed(ctx context.Context, who chat.PersonID, at chat.MessageRef) (bool, error)
}

// A Store is all that the tests need of every store.
type Store interface {
	Log
	Archive
	Source
	People
}

// A Database is a store that keeps room lists, bookmarks and subscriptions too.
type Database interface {
	Store
	PersonStates
	RoomLists
	Personal
	Healthy(ctx context.Context) error // nil when a transaction of its own has been stored
}

// A Subject is a store that is tested. Its committer runs until the test ends.
type Subject struct {
	Store
	Restart func() Store // ends the store and starts another one on the same data
}

func (s *Subject) restart() { s.Store = s.Restart() }

// A DatabaseSubject is a Database that is tested. Its committer runs until the test ends.
type DatabaseSubject struct {
	Database
	Restart func() Database          // ends the store and starts another one on the same data
	Lose    func(at chat.MessageRef) // deletes an event's row, as somebody could by hand
	SetSeen func(time.Time)          // when all sessions were last seen
	Seen    func() time.Time         // when the one session was last seen
}

func (s *DatabaseSubject) restart() { s.Database = s.Restart() }

// Open returns an empty store.
type Open func(t testing.TB) *Subject

// OpenDatabase returns an empty database.
type OpenDatabase func(t testing.TB) *DatabaseSubject

// RunDatabase tests the databases that open returns, as stores and beyond that.
func RunDatabase(t *testing.T, open OpenDatabase) {
	Run(t, func(t testing.TB) *Subject {
		s := open(t)
		return &Subject{Store: s.Database, Restart: func() Store { return s.Restart() }}
	})
	for name, test := range databaseTests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

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
	"PagesAreOfWhatWasSaid":                     testPagesAreOfWhatWasSaid,
	"PageSinceATime":                            testPageSinceATime,
	"SeqBeyondARoomFindsNothingElsewhere":       testSeqBeyondARoomFindsNothingElsewhere,
	"ManyFirstPagesAtOnceAreAnswered":           testManyFirstPagesAtOnceAreAnswered,
	"ReadEndsWithItsContext":                    testReadEndsWithItsContext,
	"AChangeInARoomThatNobodyWroteToMakesNone":  testAChangeInARoomThatNobodyWroteToMakesNone,
	"GuestComesBackWithTheirSession":            testGuestComesBackWithTheirSession,
	"UnknownPeople":                             testUnknownPeople,
	"ABatchIsStoredLikeItsDraftsOneByOne":       testABatchIsStoredLikeItsDraftsOneByOne,
}

var databaseTests = map[string]func(*testing.T, OpenDatabase){
	"UnreadIsCountedFromTheReadMark":            testUnreadIsCountedFromTheReadMark,
	"OnlyTheNewestEventsAreCounted":             testOnlyTheNewestEventsAreCounted,
	"AnEntryIsTheRoomAsItIsToItsPerson":         testAnEntryIsTheRoomAsItIsToItsPerson,
	"ARoomListHasALimit":                        testARoomListHasALimit,
	"EveryoneHasTheirOwnRoomList":               testEveryoneHasTheirOwnRoomList,
	"MentionsAreKeptForWhomTheyTell":            testMentionsAreKeptForWhomTheyTell,
	"WhatIsOnesOwnIsDoneOnceForANonce":          testWhatIsOnesOwnIsDoneOnceForANonce,
	"NonceOfOnesOwnIsNotReused":                 testNonceOfOnesOwnIsNotReused,
	"BookmarksAndSubscriptions":                 testBookmarksAndSubscriptions,
	"SessionIsMarkedAsSeenOnceADay":             testSessionIsMarkedAsSeenOnceADay,
	"WaitingForACommitEndsWithItsContext":       testWaitingForACommitEndsWithItsContext,
	"AGuestMadeTwiceIsOne":                      testAGuestMadeTwiceIsOne,
	"ALostEventIsNotPassedOver":                 testALostEventIsNotPassedOver,
	"AHeadStaysWhenItsEventIsRemoved":           testAHeadStaysWhenItsEventIsRemoved,
	"DeletionErases":                            testDeletionErases,
	"CopiesAreDeletedWithTheirSource":           testCopiesAreDeletedWithTheirSource,
	"WritesOfManyPeopleAtOnceAllSucceed":        testWritesOfManyPeopleAtOnceAllSucceed,
	"PeopleAreReadWithTheirSessions":            testPeopleAreReadWithTheirSessions,
	"WhoAwaitsARoomIsToldOfItsFirstMessage":     testWhoAwaitsARoomIsToldOfItsFirstMessage,
	"AnAwaitedRoomIsAnEntry":                    testAnAwaitedRoomIsAnEntry,
	"AwaitedRoomsHaveALimit":                    testAwaitedRoomsHaveALimit,
	"NoneIsOverlookedWhoEntersWhileARoomIsMade": testNoneIsOverlookedWhoEntersWhileARoomIsMade,
}
