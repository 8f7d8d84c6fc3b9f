package chat

import "crypto/sha256"

// A SessionHash stands for a session where its token must not be known: it is what
// stores keep of the token.
type SessionHash [sha256.Size]byte

// HashSession returns the hash of a session's token.
func HashSession(token string) SessionHash { return sha256.Sum256([]byte(token)) }

// A PersonState is a person as they are stored now, with the hashes of their sessions.
type PersonState struct {
	Person
	Sessions []SessionHash // in no order
}
