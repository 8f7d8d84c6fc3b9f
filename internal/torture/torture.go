// Package torture finds out whether a server keeps what it promises while it is
// killed, cut off, starved and confused: many people write numbered messages
// and read each other's, faults befall the server and the lines to it, and a
// checker proves from what was seen outside that nothing was lost, doubled,
// reordered or made up. Start reading at Check, then at Run.
//
// It knows the protocol as docs/protocol.md describes it, and nothing of how the
// server is made: it would do for any other that speaks it.
package torture
