package server

import (
	"context"
	"sync"

	"parley/internal/account"
	"parley/internal/chat"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// A memory is a log and account.People without a disk, for tests that need faults, or a
// log that no client could write. Room lists are empty.
type memory struct {
	*storetest.Memory
	account.RoomLists // nil
	account.Personal  // nil

	mu      sync.Mutex
	refusal error // the result of every draft; nil: it is stored
}

func newMemory() *memory { return &memory{Memory: storetest.NewMemory(store.Config{})} }

// stores returns m as the stores of people, room lists and personal data.
func (m *memory) stores() account.Stores { return account.Stores{People: m, Lists: m, Personal: m} }

// Append refuses the draft on the log's goroutine, if there is a refusal.
func (m *memory) Append(d chat.Draft, done func(chat.Commit)) {
	m.mu.Lock()
	err := m.refusal
	m.mu.Unlock()
	if err == nil {
		m.Memory.Append(d, done)
		return
	}
	nothing := func(context.Context) error { return nil }
	m.Do(nothing, func(error) { done(chat.Commit{Err: err}) })
}

// refuse makes err the result of every draft from now on; nil ends that.
func (m *memory) refuse(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refusal = err
}

func (m *memory) AddToList(chat.PersonID, chat.RoomName, bool, func([]chat.RoomName, error)) {}
