package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// A Code identifies an error for programs. docs/protocol.md says what to do about
// each.
type Code string

// The codes. A server may send others.
const (
	InvalidJSON        Code = "invalid_json"
	UnknownOp          Code = "unknown_op"
	HelloFirst         Code = "hello_first"
	BadRequest         Code = "bad_request"
	BadRoom            Code = "bad_room"
	BadName            Code = "bad_name"
	BadText            Code = "bad_text"
	BadNonce           Code = "bad_nonce"
	NonceUsed          Code = "nonce_used"
	BadSession         Code = "bad_session"
	TooLong            Code = "too_long"
	TooLarge           Code = "too_large"
	NotJoined          Code = "not_joined"
	AlreadyJoined      Code = "already_joined"
	TooManyRooms       Code = "too_many_rooms"
	TooManyConnections Code = "too_many_connections"
	RateLimited        Code = "rate_limited"
	ForbiddenOrigin    Code = "forbidden_origin"
	UnknownHost        Code = "unknown_host"
	NotFound           Code = "not_found"
	Gone               Code = "gone"
	NotYours           Code = "not_yours"
	TooMany            Code = "too_many"
	Behind             Code = "behind"
	SessionEnded       Code = "session_ended"
	Stalled            Code = "stalled"
	Unavailable        Code = "unavailable"
	SearchUnavailable  Code = "search_unavailable"
	Overloaded         Code = "overloaded"
	Stopping           Code = "stopping"
	Internal           Code = "internal"
)

// An Error is the server's refusal of a command or request.
type Error struct {
	Code       Code
	Message    string        // a sentence for people
	RetryAfter time.Duration // how long to wait before a retry; 0: waiting does not help
}

func (e *Error) Error() string { return fmt.Sprintf("%s (%s)", e.Message, e.Code) }

// isTemporary reports whether the same command may succeed later.
func isTemporary(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return true // from the network, not from the server
	}
	switch e.Code {
	case TooManyConnections, RateLimited, Stalled, Unavailable, Overloaded, Stopping, Internal, "":
		return true
	}
	return e.RetryAfter > 0
}

func retryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.RetryAfter
	}
	return 0
}

func codeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

// problem decodes the error of an HTTP answer (RFC 9457). An answer that is not
// Parley's, such as a proxy's, becomes an Error without a code.
func problem(resp *http.Response) error {
	var p struct {
		Title        string `json:"title"`
		Detail       string `json:"detail"`
		Code         Code   `json:"code"`
		RetryAfterMS int64  `json:"retry_after_ms"`
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil || json.Unmarshal(body, &p) != nil || p.Code == "" {
		p.Detail, p.Code = "The server answered "+resp.Status+".", ""
	}
	e := &Error{Code: p.Code, Message: p.Detail, RetryAfter: time.Duration(p.RetryAfterMS) * time.Millisecond}
	if e.Message == "" {
		e.Message = p.Title
	}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && e.RetryAfter == 0 {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}
