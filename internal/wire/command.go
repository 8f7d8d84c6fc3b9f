package wire

import (
	"bytes"

	"parley/internal/chat"
)

// A Command is one object from a client on /ws. Which fields are used depends on
// Op. Fields that the client left out are zero.
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

	*CommandOptions // not nil after DecodeCommand
}

// CommandOptions are the fields of less frequent commands. They are a struct of
// their own, so that the command of a plain message is small.
type CommandOptions struct {
	SendOptions
	Seq   chat.Seq `json:"seq"` // the message to change or bookmark, or the newest event that was read
	Emoji string   `json:"emoji"`
	Exact bool     `json:"exact"` // of read: the mark may move back
	At    string   `json:"at"`    // of join: when the event After was stored; "" if unknown

	Notify    *string `json:"notify"` // these four of set
	Muted     *bool   `json:"muted"`
	Favourite *bool   `json:"favourite"`
	Listed    *bool   `json:"listed"`
}

// SendOptions are the optional fields of a message that a client sends, on /ws and
// by REST. The tags describe them for OpenAPI.
type SendOptions struct {
	ReplyTo chat.Seq    `json:"reply_to,omitempty" doc:"The message that this one answers."`
	Thread  chat.Seq    `json:"thread,omitempty" doc:"The message in whose thread this is said."`
	Echo    bool        `json:"echo,omitempty" doc:"With a thread: show it in the room, too."`
	Forward *MessageRef `json:"forward,omitempty" doc:"Instead of a text: the message that is repeated here."`
}

// A MessageRef identifies a message. Room is as the client wrote it.
type MessageRef struct {
	Room string   `json:"room"`
	Seq  chat.Seq `json:"seq"`
}

// A ChatroomMessage is one object from a client on /chatroom.
type ChatroomMessage struct {
	From    string `json:"from"`
	Message string `json:"message"`
}

// DecodeCommand decodes a command. The error is a *chat.Error with code
// InvalidJSON. The Command then has its ID, if that could be decoded.
func DecodeCommand(frame []byte) (c Command, err error) {
	if !scanCommand(frame, &c) {
		var slow Command // encoding/json moves it to the heap, unlike c
		err = decode(frame, &slow)
		c = slow
	}
	if c.CommandOptions == nil {
		c.CommandOptions = &noOptions
	}
	return c, err
}

// noOptions is shared by all commands without options. It is never written to.
var noOptions CommandOptions

// DecodeChatroom decodes a message. The error is a *chat.Error with code
// InvalidJSON.
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
		return &chat.Error{
			Code:    chat.InvalidJSON,
			Message: "The frame is not a JSON object as the protocol has it: " + err.Error() + ".",
		}
	}
	return nil
}
