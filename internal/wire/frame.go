// Package wire encodes and decodes what Parley sends and receives: WebSocket frames
// (RFC 6455), the JSON of commands, events and messages, the five-line protocol and
// server-sent events. Start reading at Parser, Command and AppendMessage.
//
// It knows nothing about sockets and rooms: it converts between bytes and values.
package wire

import (
	"encoding/binary"
	"fmt"
	"time"
	"unicode/utf8"

	"parley/internal/chat"
)

// An Op is a WebSocket frame's opcode (RFC 6455 §5.2).
type Op byte

// The opcodes that Parley uses.
const (
	OpNone   Op = 0 // no complete message
	OpText   Op = 1
	OpBinary Op = 2
	OpClose  Op = 8
	OpPing   Op = 9
	OpPong   Op = 10

	opContinuation Op = 0
)

// A CloseCode is the reason why a WebSocket connection ends (RFC 6455 §7.4.1; from
// 4000 on, docs/protocol.md).
type CloseCode uint16

// The close codes that Parley sends.
const (
	CloseNormal      CloseCode = 1000
	CloseGoingAway   CloseCode = 1001
	CloseProtocol    CloseCode = 1002
	CloseUnsupported CloseCode = 1003
	CloseNotUTF8     CloseCode = 1007
	CloseTooLarge    CloseCode = 1009
	CloseInternal    CloseCode = 1011
	CloseIdle        CloseCode = 4000
	CloseSignedOut   CloseCode = 4001
	CloseStalled     CloseCode = 4008

	closeNone CloseCode = 1005 // a close frame without a code; never sent
)

// A CloseError ends a connection with Code: the client has violated RFC 6455, or
// has sent a close frame.
type CloseError struct {
	Code   CloseCode
	Reason string
}

func (e *CloseError) Error() string {
	return fmt.Sprintf("websocket closes with %d: %s", e.Code, e.Reason)
}

// maxControl is the longest payload of a control frame (RFC 6455 §5.5).
const maxControl = 125

// A WSMessage is a complete text or binary message, or a control frame.
type WSMessage struct {
	Op   Op
	Data []byte
}

// CodeIn returns the close code in the checked payload of a close frame, or 1005
// if there is none.
func CodeIn(data []byte) CloseCode {
	if len(data) < 2 {
		return closeNone
	}
	return CloseCode(binary.BigEndian.Uint16(data))
}

// AppendClose appends a server's close frame. It cuts a reason that is too long for
// a control frame.
func AppendClose(dst []byte, code CloseCode, reason string) []byte {
	if code == closeNone { // the client's close frame had no code either
		return append(dst, 0x80|byte(OpClose), 0)
	}
	for len(reason) > maxControl-2 {
		_, size := utf8.DecodeLastRuneInString(reason)
		reason = reason[:len(reason)-size]
	}
	dst = append(dst, 0x80|byte(OpClose), byte(2+len(reason)))
	dst = binary.BigEndian.AppendUint16(dst, uint16(code))
	return append(dst, reason...)
}

// StoppingReason returns the reason in the close frame of a server that stops. It asks the
// client to come back at a random moment within that time, so that not all come at once.
func StoppingReason(within time.Duration) string {
	return fmt.Sprintf(`{"code":%q,"retry_within_ms":%d}`, chat.Stopping, within.Milliseconds())
}

// AppendControl appends a server's ping or pong; data is at most 125 bytes.
func AppendControl(dst []byte, op Op, data []byte) []byte {
	dst = append(dst, 0x80|byte(op), byte(len(data)))
	return append(dst, data...)
}

// AppendWSMessage appends a message as one frame of a server.
func AppendWSMessage(dst []byte, m WSMessage) []byte {
	first := 0x80 | byte(m.Op)
	switch n := len(m.Data); {
	case n < 126:
		dst = append(dst, first, byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, first, 126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, first, 127), uint64(n))
	}
	return append(dst, m.Data...)
}

// openText reserves four bytes, the header of most text frames. sealText fills it.
func openText(dst []byte) []byte { return append(dst, 0, 0, 0, 0) }

// sealText writes the header of a text frame whose payload begins four bytes after
// start. It moves a payload shorter than 126 bytes two bytes to the left, and one
// longer than 65,535 bytes six bytes to the right.
func sealText(dst []byte, start int) []byte {
	payload := dst[start+4:]
	dst[start] = 0x80 | byte(OpText)
	switch n := len(payload); {
	case n < 126:
		dst[start+1] = byte(n)
		copy(dst[start+2:], payload)
		return dst[:len(dst)-2]
	case n < 1<<16:
		dst[start+1] = 126
		binary.BigEndian.PutUint16(dst[start+2:], uint16(n))
		return dst
	default:
		dst = append(dst, 0, 0, 0, 0, 0, 0)
		copy(dst[start+10:], dst[start+4:start+4+n])
		dst[start+1] = 127
		binary.BigEndian.PutUint64(dst[start+2:], uint64(n))
		return dst
	}
}

// WholeFrames returns the end of the frame that contains byte n of b, or n if a frame
// ends there. b must consist of complete frames of a server.
func WholeFrames(b []byte, n int) int {
	end := 0
	for end < n {
		switch length := int(b[end+1]); length {
		case 126:
			end += 4 + int(binary.BigEndian.Uint16(b[end+2:]))
		case 127:
			end += 10 + int(binary.BigEndian.Uint64(b[end+2:]))
		default:
			end += 2 + length
		}
	}
	return end
}
