package chat

import "net/netip"

// A Who says who asks for something: the person, if the client has said who it is, and the network that it comes from.
type Who struct {
	Person  Person     // the zero Person: not known
	Network netip.Addr // for the limits per address
}

// IsKnown reports whether the person is known.
func (w Who) IsKnown() bool { return w.Person.ID != "" }

// Who returns who sends the draft.
func (d *Draft) Who() Who { return Who{Person: d.From, Network: d.Network} }
