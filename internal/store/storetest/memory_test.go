package storetest_test

import (
	"context"
	"testing"

	"parley/internal/store"
	"parley/internal/store/storetest"
)

func TestMemoryIsAStore(t *testing.T) {
	storetest.Run(t, func(t testing.TB) *storetest.Subject {
		m := storetest.NewMemory(store.Config{})
		go m.Run(context.Background())
		t.Cleanup(func() { m.Close() })
		return &storetest.Subject{Store: m, Restart: func() storetest.Store {
			m.Close()
			m.Restart(store.Config{})
			go m.Run(context.Background())
			return m
		}}
	})
}
