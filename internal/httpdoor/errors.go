package httpdoor

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"parley/internal/chat"
)

// An Error describes an error code for HTTP: its status, its meaning, and what
// a client should do. The status is 0 if no HTTP request gets the code.
type Error struct {
	Status int
	Means  string
	Advice string
}

// Errors has all codes. A test compares it with the table in docs/protocol.md.
var Errors = map[chat.Code]Error{
	chat.InvalidJSON: {400, "not one JSON object of the right types", "mend the client"},
	chat.UnknownOp:   {0, "no such command", "do without it"},
	chat.HelloFirst:  {0, "a command before `hello`", "say hello"},
	chat.BadRequest:  {400, "a field or parameter without a valid value", "mend the request"},
	chat.BadRoom:     {400, "not a room's name", "show the message, ask for another"},
	chat.BadName:     {400, "not a display name, or none given", "show the message, ask for another"},
	chat.BadText:     {400, "empty, or not UTF-8", "show the message"},
	chat.BadNonce:    {400, "too long, or not printable ASCII", "mend the client"},
	chat.NonceUsed: {
		422, "this nonce belongs to something else that this person did in this room",
		"mend the client: a new nonce for each command",
	},
	chat.BadSession:         {401, "no such session", "be a new guest, with a name"},
	chat.TooLong:            {422, "the message has too many characters", "keep it, let the person shorten it"},
	chat.TooLarge:           {413, "a body with too many bytes (a frame: close code 1009)", "send less"},
	chat.NotJoined:          {0, "a command for a room that was not joined", "join"},
	chat.AlreadyJoined:      {0, "this connection is in the room", "nothing"},
	chat.TooManyRooms:       {0, "this connection is in enough rooms", "leave one, or open another connection"},
	chat.TooManyConnections: {429, "this address has enough connections", "close one; wait"},
	chat.RateLimited:        {429, "too fast", "keep it; again after `retry_after_ms`"},
	chat.ForbiddenOrigin:    {403, "a page from elsewhere", "ask the operator for `--allow-origin`"},
	chat.UnknownHost:        {421, "asked of a host that is not this server's", "ask the operator for `--allow-host`"},
	chat.NotFound:           {404, "nothing at that address, or no such message", "mend the address"},
	chat.Gone:               {410, "the message has been deleted", "show it as deleted"},
	chat.NotYours:           {403, "only its author may do that", "do not offer it"},
	chat.TooMany:            {422, "there are enough of these", "show the message"},
	chat.Behind: {
		409, "the event “after” is not in this log, or is another one",
		"drop what you have of the room, and read it again",
	},
	chat.SessionEnded: {
		0, "close code 4001: somebody has signed this session out",
		"do not come back with it; ask for a name",
	},
	chat.Stalled:     {0, "close code 4008", "reconnect, with `after`"},
	chat.Unavailable: {503, "the store cannot write; nothing was kept", "keep it; again later, same nonce"},
	chat.SearchUnavailable: {
		503, "the search cannot answer; all else works",
		"show the message; again after `retry_after_ms`, if there is one",
	},
	chat.Overloaded: {503, "too much waits for the store", "keep it; again after `retry_after_ms`"},
	chat.Stopping:   {503, "the server is going down", "reconnect; again, same nonce"},
	chat.Internal:   {500, "our fault", "again later, same nonce"},
}

// title returns the meaning of the code as the title of a problem.
func (w Error) title() string {
	first, size := utf8.DecodeRuneInString(w.Means)
	return string(unicode.ToUpper(first)) + strings.ReplaceAll(w.Means[size:], "`", "")
}
