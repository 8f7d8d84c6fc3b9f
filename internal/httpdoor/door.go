// Package httpdoor is what the HTTP doors share: who makes a request (address, session, cookie), for
// which host it is, from which page it comes, which room it may look at, and how errors are
// answered. Start reading at New.
//
// It knows neither REST nor WebSockets.
package httpdoor

import (
	"cmp"
	"log/slog"
	"net/netip"

	"parley/internal/account"
	"parley/internal/chat"
	"parley/internal/rates"
	"parley/internal/room"
)

// Config says whom a Door lets in.
type Config struct {
	AllowOrigin  []string       // origins whose pages may use the server, in addition to its own
	AllowHost    []string       // names by which requests may ask for the server
	OwnNames     []string       // likewise: what the machine is called
	Domain       []string       // likewise: the names of certificates
	TrustedProxy []netip.Prefix // proxies that are believed
	RoomRate     float64        // new rooms per minute that a network may look at; 0: no limit

	Certified func(host string) bool // reports whether the TLS certificate is valid for a name
	Counted   func(chat.Code)        // is called for each error that a client is told
	Ledger    *rates.Ledger          // tells other nodes what is counted; nil: none
	Logger    *slog.Logger           // default: discard
}

// Check returns an error, which says what to write instead, if the values of a flag are not valid.
func (c *Config) Check() error {
	_, _, err := c.parse()
	return err
}

// parse returns the listed origins and the names of the server.
func (c *Config) parse() (origins, *hosts, error) {
	list, err := parseOrigins(c.AllowOrigin)
	if err != nil {
		return nil, nil, err
	}
	names, err := newHosts(c, list)
	return list, names, err
}

// A Door is what the HTTP doors share.
type Door struct {
	cfg      Config
	hub      *room.Hub
	accounts *account.Accounts
	logger   *slog.Logger
	origins  origins
	hosts    *hosts
	probes   probes
}

// New returns a Door to the rooms of hub and the people of accounts.
func New(cfg Config, hub *room.Hub, accounts *account.Accounts) (*Door, error) {
	list, names, err := cfg.parse()
	if err != nil {
		return nil, err
	}
	d := &Door{
		cfg: cfg, hub: hub, accounts: accounts, logger: cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler)),
		origins: list, hosts: names,
	}
	d.probes.init(cfg.RoomRate)
	rates.ShareByAddress(cfg.Ledger, "rooms", d.probes.rate)
	return d, nil
}
