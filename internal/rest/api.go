// Package rest answers the requests of REST, and describes them in an OpenAPI document and in a
// page for people. Start reading at API.Routes; each file has the operations on one subject.
//
// It knows no WebSockets and no event streams.
package rest

import (
	"context"
	"net/netip"
	"runtime"
	"time"

	"parley/internal/account"
	"parley/internal/chat"
	"parley/internal/httpdoor"
	"parley/internal/rates"
	"parley/internal/room"
)

// BodyTimeout is how long a client may take to send a request's body.
const BodyTimeout = 10 * time.Second

// Config says how REST behaves. A limit of 0 means no limit.
type Config struct {
	FrameSize      int     // bytes of a request's body
	SearchRate     float64 // searches per second of a network
	WithoutMetrics bool    // the metrics are at another address

	Find   func(context.Context, chat.Search) (chat.Found, error) // nil: there is no search
	Emoji  func() [][]string                                      // nil: there are none
	Health func(context.Context) error                            // returns an error while messages cannot be stored
	Ready  func(context.Context) error                            // returns an error if new clients should go elsewhere
	// NetworkURLs returns where other machines reach the server, the likeliest first; nil: it is not known.
	NetworkURLs func() []string

	Ledger *rates.Ledger // tells other nodes what is counted; nil: none
}

// An API answers the requests of REST.
type API struct {
	cfg         Config
	door        *httpdoor.Door
	hub         *room.Hub
	accounts    *account.Accounts
	searches    *rates.Rates[netip.Addr] // searches, by network
	pageQueue   fairQueue                // requests that wait for a page of history
	searchQueue fairQueue                // searches that wait
	pending     pendingAnswers           // answers that clients have not read yet
}

// New returns an API for the rooms of hub and the people of accounts.
func New(cfg Config, door *httpdoor.Door, hub *room.Hub, accounts *account.Accounts) *API {
	a := &API{
		cfg: cfg, door: door, hub: hub, accounts: accounts,
		searches: rates.New[netip.Addr](cfg.SearchRate, int(10*cfg.SearchRate)),
	}
	rates.ShareByAddress(cfg.Ledger, "searches", a.searches)
	half := max(1, runtime.GOMAXPROCS(0)/2) // the other processors are for everything else
	a.pageQueue.init(half, max(1, half/2))
	a.searchQueue.init(half+1, 1) // a slow one must not hold up the others
	return a
}
