package wire

import (
	"bytes"

	"parley/internal/chat"
)

// A Command is one object from a client on /ws. Which fields count depends on
// Op; what the client left out is zero.
type Command struct {
	Op      string    `json:"op"`
	ID      int64     `json:"id"`
	Name    string    `json:"name"`
	Session string    `json:"session"`
	Room    string    `json:"room"`
	After   *chat.Seq `json:"after"`
	Epoch   string    `json:"epoch"`
	Nonce   string    `json:"nonce"`
	Text    string    `json:"text"`

	*CommandOptions // never nil
}

// CommandOptions are the fields that few commands have. They are apart, as nearly all commands
// are sends of plain messages.
type CommandOptions struct {
	Seq     chat.Seq    `json:"seq"`      // the message that is changed, read up to, kept …
	ReplyTo chat.Seq    `json:"reply_to"` // of a send
	Thread  chat.Seq    `json:"thread"`
	Echo    bool        `json:"echo"` // what is sent in a thread is shown in the room, too
	Forward *MessageRef `json:"forward"`
	Emoji   string      `json:"emoji"`
	Exact   bool        `json:"exact"` // of a read: also back
	At      string      `json:"at"`    // of a join: when the event After was stored; "": not said

	Notify    *string `json:"notify"` // of a set
	Muted     *bool   `json:"muted"`
	Favourite *bool   `json:"favourite"`
	Listed    *bool   `json:"listed"`
}

// A MessageRef is where a message is.
type MessageRef struct {
	Room string   `json:"room"`
	Seq  chat.Seq `json:"seq"`
}

// A ChatroomMessage is one object from a client on /chatroom.
type ChatroomMessage struct {
	From    string `json:"from"`
	Message string `json:"message"`
}

// DecodeCommand reads a command. The error is an *chat.Error with code
// InvalidJSON; the Command then has what id could be read.
func DecodeCommand(frame []byte) (c Command, err error) {
	if !scanCommand(frame, &c) {
		var slow Command // on the heap, as encoding/json wants it
		err = decode(frame, &slow)
		c = slow
	}
	if c.CommandOptions == nil {
		c.CommandOptions = &noOptions
	}
	return c, err
}

// noOptions is what commands have that have none of it; nobody changes it.
var noOptions CommandOptions

// DecodeChatroom reads a line. The error is an *chat.Error with code InvalidJSON.
func DecodeChatroom(frame []byte) (ChatroomMessage, error) {
	var l ChatroomMessage
	err := decode(frame, &l)
	return l, err
}

func decode(frame []byte, v any) error {
	trimmed := bytes.TrimLeft(frame, " \t\r\n")
	if len(trimmed) == 0 || trimmed[0] != '{' {
		return &chat.Error{Code: chat.InvalidJSON, Message: "A frame holds one JSON object."}
	}
	if err := Unmarshal(frame, v); err != nil {
		return &chat.Error{Code: chat.InvalidJSON, Message: "The frame is not a JSON object as the protocol has it: " + err.Error() + "."}
	}
	return nil
}
