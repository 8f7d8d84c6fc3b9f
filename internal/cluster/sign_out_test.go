package cluster_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/account"
	"parley/internal/chat"
	"parley/internal/cluster"
	"parley/internal/cluster/clustertest"
	"parley/internal/room"
	"parley/internal/store/storetest"
)

// sessions are the people of a store in memory, each with one session.
type sessions struct {
	account.People // nil

	mu sync.Mutex
	of map[string]chat.Person
}

func (s *sessions) Person(_ context.Context, session string) (chat.Person, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.of[session]; ok {
		return p, nil
	}
	return chat.Person{}, &chat.Error{Code: chat.BadSession}
}

func (s *sessions) Forget(_ context.Context, session string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, session)
	return nil
}

func (s *sessions) PersonStates(_ context.Context, ids []chat.PersonID) (found []chat.PersonState, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, session := range slices.Sorted(maps.Keys(s.of)) {
		if p := s.of[session]; slices.Contains(ids, p.ID) {
			hashes := []chat.SessionHash{chat.HashSession(session)}
			found = append(found, chat.PersonState{Person: p, Sessions: hashes})
		}
	}
	return found, nil
}

// An ender is a connection that notes when its session has ended.
type ender struct {
	account.Registration
	at time.Time
}

func (e *ender) SessionEnded() { e.at = time.Now() }

// However the bus fails, a session that ends on one node is out on the other within ten seconds.
func TestSessionIsOutInTimeHoweverTheBusFails(t *testing.T) {
	type buses = [2]*clustertest.Bus
	tests := map[string]struct {
		fail func(network *clustertest.Network, of buses)
		most time.Duration
	}{
		"it does not": {func(*clustertest.Network, buses) {}, 0},
		"this message is lost": {func(n *clustertest.Network, _ buses) {
			n.SetFaults(clustertest.Faults{Drop: 1, Only: clustertest.NoBeat})
		}, time.Second},
		"everything is lost": {func(n *clustertest.Network, _ buses) {
			n.SetFaults(clustertest.Faults{Drop: 1})
		}, 10 * time.Second},
		"it is lost in one direction": {func(n *clustertest.Network, of buses) {
			n.Wall(of[0], of[1])
		}, 10 * time.Second},
		"the node loses its bus":  {func(_ *clustertest.Network, of buses) { of[1].SetCut(true) }, 10 * time.Second},
		"the other node loses it": {func(_ *clustertest.Network, of buses) { of[0].SetCut(true) }, 10 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for offset := time.Duration(0); offset < 6*time.Second; offset += 700 * time.Millisecond {
				synctest.Test(t, func(t *testing.T) {
					network := clustertest.New(1)
					store := &sessions{of: map[string]chat.Person{"secret": {ID: "ada", Name: "Ada"}}}
					var of buses
					var accounts [2]*account.Accounts
					for i := range of {
						of[i] = network.Bus()
						node := cluster.New(of[i], cluster.Config{
							Others: func(context.Context) (int, error) { return 1, nil },
						})
						accounts[i] = account.New(account.Config{}, account.Stores{People: store, States: store},
							room.New(nil, nil, "", room.Config{}))
						cluster.ConnectPeople(node, accounts[i])
						t.Cleanup(inBackground(t, node.Run))
						t.Cleanup(inBackground(t, accounts[i].Run))
					}
					c := &ender{}
					c.Owner = c
					_, err := accounts[1].Enter(t.Context(), &c.Registration, "secret")
					storetest.Must(t, err)
					wait(5*time.Second + offset)
					tt.fail(network, of)
					wait(offset)
					began := time.Now()
					storetest.Must(t, accounts[0].EndSession(t.Context(), "secret"))
					wait(time.Minute)
					if took := c.at.Sub(began); c.at.IsZero() || took > tt.most {
						t.Errorf("%v after the fault it took %v (ended %v), want at most %v", offset, took,
							!c.at.IsZero(), tt.most)
					}
				})
			}
		})
	}
}
