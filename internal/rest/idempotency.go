package rest

import (
	"strings"

	"parley/internal/chat"
)

// IdempotencyKey, in the input of an operation, is the nonce of a request without a
// body.
type IdempotencyKey struct {
	Key string `header:"Idempotency-Key" doc:"A nonce: at most 64 printable ASCII characters, best a UUIDv7. The same request again with the same key by the same person gets the first answer, and nothing is done."`
}

// nonce returns the key, without quotes if it is the string of a structured field
// (RFC 9651 §3.3.3).
func (o *IdempotencyKey) nonce() string {
	if inner, ok := strings.CutPrefix(o.Key, `"`); ok && strings.HasSuffix(inner, `"`) {
		return strings.TrimSuffix(inner, `"`)
	}
	return o.Key
}

// orBody returns the nonce of a request, from the header or the body. If both have
// one and they differ, the error has code BadNonce.
func (o *IdempotencyKey) orBody(body string) (string, error) {
	switch nonce := o.nonce(); {
	case nonce == "":
		return body, nil
	case body != "" && body != nonce:
		return "", &chat.Error{
			Code:    chat.BadNonce,
			Message: "The header Idempotency-Key and the body's nonce are not the same; send one of them.",
		}
	default:
		return nonce, nil
	}
}
