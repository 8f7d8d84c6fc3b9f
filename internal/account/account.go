// Package account manages people: guests, sessions, names, the live connections of
// each person, and the rooms of their lists. Start reading at Accounts.
//
// It knows no HTTP and no wire format: a door brings a session and a network, and
// encodes list updates. What is stored is behind People, RoomLists, Personal and
// PersonStates. Other nodes, if there are any, are behind Others.
package account

import (
	"cmp"
	"log/slog"
	"net/netip"
	"sync"

	"parley/internal/chat"
	"parley/internal/rates"
	"parley/internal/room"
)

// Config says how Accounts behave.
type Config struct {
	GuestRate     float64       // new guests per minute from one network, who may also all come at once; 0: no limit
	PersonalRate  float64       // commands per second on one person's own data; default 50
	PersonalBurst int           // such commands at once; default: as many as a list has rooms
	Ledger        *rates.Ledger // tells other nodes what is counted; nil: none
	Logger        *slog.Logger  // default: discard
}

// personalRate is the default of Config.PersonalRate.
const personalRate = 50

// How often a person may take another name, per second and at once. Everybody
// in the person's rooms is told of each.
const (
	renameRate  = 0.1
	renameBurst = 10
)

// Accounts manages the people of one server.
type Accounts struct {
	stores Stores
	hub    *room.Hub
	logger *slog.Logger

	others        Others    // nil: this node is alone
	states, lists refreshes // names with sessions, and lists, that other nodes may have changed
	ends          sync.WaitGroup
	registry      registry
	guests        *rates.Rates[netip.Addr] // new guests, by network
	renames       *rates.Shared[chat.PersonID, netip.Addr]
	commands      *rates.Shared[chat.PersonID, netip.Addr] // on a person's own data
}

// New returns Accounts of the people in stores. It tells hub of new names.
func New(cfg Config, stores Stores, hub *room.Hub) *Accounts {
	perAddress := hub.PeoplePerAddress()
	a := &Accounts{
		stores:  stores,
		hub:     hub,
		logger:  cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler)),
		guests:  rates.New[netip.Addr](cfg.GuestRate/60, int(cfg.GuestRate)),
		renames: rates.NewShared[chat.PersonID, netip.Addr](renameRate, renameBurst, perAddress),
		commands: rates.NewShared[chat.PersonID, netip.Addr](
			cmp.Or(cfg.PersonalRate, personalRate), cmp.Or(cfg.PersonalBurst, chat.MaxListed), perAddress),
	}
	a.states.init()
	a.lists.init()
	rates.ShareByAddress(cfg.Ledger, "guests", a.guests)
	rates.ShareBoth(cfg.Ledger, "renames", a.renames)
	rates.ShareBoth(cfg.Ledger, "personal", a.commands)
	return a
}

// Live returns how many people have a live connection, or a request that is being
// carried out.
func (a *Accounts) Live() int { return a.registry.people() }

// LimitPersonal counts one command on a person's own data: list, read marks,
// bookmarks and subscriptions. It returns an *chat.Error with code
// RateLimited if they come too fast.
func (a *Accounts) LimitPersonal(who chat.Who) error {
	if wait, _ := a.commands.Take(who.Person.ID, who.Network); wait > 0 {
		return &chat.Error{
			Code: chat.RateLimited, Message: "That was too fast. Try again in a moment.", RetryAfter: wait,
		}
	}
	return nil
}
