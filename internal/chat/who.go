package chat

import "net/netip"

// Who asks for something: a person, or a client that has not said who it is, and the network that it comes from.
type Who struct {
	Person  Person     // the zero Person: not known
	Network netip.Addr // for the limits per address
}

// IsKnown reports whether it is known which person asks.
func (w Who) IsKnown() bool { return w.Person.ID != "" }

// Who returns who sends a draft.
func (d *Draft) Who() Who { return Who{Person: d.From, Network: d.Network} }
