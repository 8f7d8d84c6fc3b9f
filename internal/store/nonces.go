package store

import (
	"crypto/rand"
	"encoding/binary"
	"time"
)

// ownPrefix begins the server's own nonces, and no sender's.
const ownPrefix = 0

// IsOwnNonce reports whether a nonce is the server's own.
func IsOwnNonce(nonce string) bool { return nonce != "" && nonce[0] == ownPrefix }

// ownNonces are the server's own nonces: after the prefix the time when the first was
// made plus a counter, so that neighbours in time are neighbours in an index, and eight
// random bytes of this process.
type ownNonces struct {
	random [8]byte
	next   uint64
}

// give gives each draft that has no nonce one.
func (o *ownNonces) give(items []item) {
	if o.next == 0 {
		rand.Read(o.random[:]) // never fails
		o.next = uint64(time.Now().UnixNano())
	}
	for i := range items {
		it := &items[i]
		if it.write != nil || it.refused != nil || it.draft.Nonce != "" {
			continue
		}
		o.next++
		nonce := make([]byte, 0, 17)
		nonce = append(nonce, ownPrefix)
		nonce = binary.BigEndian.AppendUint64(nonce, o.next)
		it.draft.Nonce = string(append(nonce, o.random[:]...))
	}
}
