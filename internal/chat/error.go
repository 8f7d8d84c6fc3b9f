package chat

import (
	"errors"
	"time"
)

// A Code says in one word what went wrong, and so what a client should do. docs/protocol.md has the list.
type Code string

// The codes. Each door has a table from them to its own words (HTTP statuses, WebSocket close codes). Codes lists them
// all.
const (
	InvalidJSON        Code = "invalid_json"         // not one JSON object of the right types
	UnknownOp          Code = "unknown_op"           // no such command
	HelloFirst         Code = "hello_first"          // a command before hello
	BadRequest         Code = "bad_request"          // a field or parameter has an invalid value
	BadRoom            Code = "bad_room"             // not a room's name
	BadName            Code = "bad_name"             // not a display name, or missing
	BadText            Code = "bad_text"             // empty, or not UTF-8
	BadNonce           Code = "bad_nonce"            // too long, or not printable ASCII
	NonceUsed          Code = "nonce_used"           // the same person used this nonce for something else in this room
	BadSession         Code = "bad_session"          // no such session: say hello with a name
	TooLong            Code = "too_long"             // the message has too many characters
	TooLarge           Code = "too_large"            // the frame or body has too many bytes
	NotJoined          Code = "not_joined"           // a command for a room that was not joined
	AlreadyJoined      Code = "already_joined"       // this connection is in the room already
	TooManyRooms       Code = "too_many_rooms"       // this connection is in enough rooms
	TooManyConnections Code = "too_many_connections" // this address has enough connections
	RateLimited        Code = "rate_limited"         // retry after RetryAfter
	ForbiddenOrigin    Code = "forbidden_origin"     // a page of another site
	UnknownHost        Code = "unknown_host"         // the request's host is not this server's
	NotFound           Code = "not_found"            // nothing at that address, or no such message
	Gone               Code = "gone"                 // the message has been deleted
	NotYours           Code = "not_yours"            // only its author may do that
	TooMany            Code = "too_many"             // a limit is reached
	Behind             Code = "behind"               // the event “after” is not in this log: read the room again
	SessionEnded       Code = "session_ended"        // the session was ended: do not come back with it
	Stalled            Code = "stalled"              // the client read nothing for too long
	Unavailable        Code = "unavailable"          // the store cannot write; nothing was stored
	SearchUnavailable  Code = "search_unavailable"   // the search cannot answer; everything else works
	Overloaded         Code = "overloaded"           // too much is waiting for the store
	Stopping           Code = "stopping"             // the server stops: retry elsewhere or later
	Internal           Code = "internal"             // an error of the server, which has logged it
)

// Codes lists every code, in the order of the documentation.
var Codes = []Code{
	InvalidJSON, UnknownOp, HelloFirst, BadRequest, BadRoom, BadName, BadText, BadNonce, NonceUsed,
	BadSession, TooLong, TooLarge, NotJoined, AlreadyJoined, TooManyRooms, TooManyConnections,
	RateLimited, ForbiddenOrigin, UnknownHost, NotFound, Gone, NotYours, TooMany, Behind, SessionEnded, Stalled,
	Unavailable, SearchUnavailable, Overloaded, Stopping, Internal,
}

// An Error is what a client is told: a code for the program and a sentence for the person.
type Error struct {
	Code       Code
	Message    string        // a whole sentence, for people
	RetryAfter time.Duration // when to retry; 0: waiting does not help
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// CodeOf returns err's code: "" for nil, Internal for an error without one.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return UserError(err).Code
}

// UserError returns the *Error inside err. If there is none, it returns one that says only that the server failed.
func UserError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Code: Internal, Message: "Something went wrong on the server. It has been logged."}
}
