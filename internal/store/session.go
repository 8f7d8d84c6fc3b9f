package store

import (
	"crypto/rand"
	"encoding/base64"
	"strings"
	"time"

	"parley/internal/chat"
)

// SeenEvery is how often the time of a session's last use is written at most.
const SeenEvery = 24 * time.Hour

// NewGuest returns a person with a name and a new id, and the token of their session: key unless that is empty, else a
// new secret.
func NewGuest(name, key string) (p chat.Person, token string) {
	p = chat.Person{ID: chat.PersonID(strings.ToLower(rand.Text())), Name: name}
	if key != "" {
		return p, key
	}
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	return p, base64.RawURLEncoding.EncodeToString(secret)
}

// TokenHash returns what is stored of a session's token.
func TokenHash(token string) []byte {
	hash := chat.HashSession(token)
	return hash[:]
}

// Refusals of what is about people and their room lists.
var (
	ErrUnknownSession = &chat.Error{
		Code:    chat.BadSession,
		Message: "This session is unknown. Give a name to be a new guest.",
	}
	ErrNobody = &chat.Error{
		Code:    chat.BadSession,
		Message: "There is no such person. Give a name to be a new guest.",
	}
	ErrNotListed = &chat.Error{Code: chat.NotFound, Message: "This room is not in your list."}
)
