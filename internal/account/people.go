package account

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"parley/internal/chat"
)

// Bounds of the key that a guest may choose as their session. Knowing the key is
// being the guest.
const (
	minKey = 32
	maxKey = 128
)

// Person returns the person of a session. The error has code BadSession if the
// session is unknown.
func (a *Accounts) Person(ctx context.Context, session string) (chat.Person, error) {
	return a.stores.People.Person(ctx, session)
}

// Forget forgets a session that nothing live has. An unknown session is no error.
func (a *Accounts) Forget(ctx context.Context, session string) error {
	return a.stores.People.Forget(ctx, session)
}

// Guest returns the guest whose key it is, and then session is "". Without a key,
// or if the key is nobody's, it makes a new guest and returns their session.
func (a *Accounts) Guest(
	ctx context.Context, network netip.Addr, name, key string,
) (p chat.Person, session string, err error) {
	if key == "" {
		return a.newGuest(ctx, network, name, "")
	}
	if len(key) < minKey || len(key) > maxKey || strings.ContainsFunc(key, isNotPrintable) {
		return p, "", &chat.Error{
			Code: chat.BadRequest,
			Message: fmt.Sprintf("A guest_key is a secret of %d to %d printable ASCII characters; "+
				"make one at random and keep it.", minKey, maxKey),
		}
	}
	if p, err = a.Person(ctx, key); chat.CodeOf(err) != chat.BadSession {
		return p, "", err
	}
	return a.newGuest(ctx, network, name, key)
}

func isNotPrintable(c rune) bool { return c < 0x21 || c > 0x7e }

// newGuest makes a guest, whose session is key unless that is "". The number of
// new guests per network is limited, as each is stored forever and has a message
// rate of its own.
func (a *Accounts) newGuest(
	ctx context.Context, network netip.Addr, name, key string,
) (p chat.Person, session string, err error) {
	if wait := a.guests.Take(network); wait > 0 {
		return p, "", &chat.Error{
			Code:       chat.RateLimited,
			Message:    "Too many new guests have come from your address. It will be possible again in a moment.",
			RetryAfter: wait,
		}
	}
	if p, session, err = a.stores.People.NewGuest(ctx, name, key); err != nil {
		return p, "", fmt.Errorf("a new guest: %w", err)
	}
	return p, session, nil
}

// Rename gives a person another name, in normal form, and returns the person as
// they are then. It changes nothing if name is "" or theirs already, or if nonce
// was used for a rename before. All rooms and live connections of the person know
// the new name once Rename has returned.
func (a *Accounts) Rename(ctx context.Context, who chat.Who, name, nonce string) (chat.Person, error) {
	p := who.Person
	if name == "" {
		return p, chat.CheckName(p.Name) // a stored name may be older than a rule
	}
	if name == p.Name && nonce == "" {
		return p, nil
	}
	if wait, _ := a.renames.Take(p.ID, who.Network); wait > 0 {
		return p, &chat.Error{Code: chat.RateLimited, Message: "That is enough of new names for now.", RetryAfter: wait}
	}
	now, err := a.stores.People.Rename(ctx, p.ID, name, nonce)
	if err != nil {
		return p, fmt.Errorf("rename %s: %w", p.ID, err)
	}
	if now != p.Name {
		p.Name = now
		a.registry.rename(p) // first: a client that sees the new name in a room speaks under it
		a.hub.Rename(p)
		if a.others != nil {
			a.tellOthers(p.ID, "")
			a.states.add(p.ID, refresh{}) // another node may have renamed them just now
		}
	}
	return p, nil
}
