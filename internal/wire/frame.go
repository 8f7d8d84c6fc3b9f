// Package wire turns commands and events into bytes and back: WebSocket frames
// (RFC 6455), the JSON of parley.v1, the five-line protocol and server-sent
// events. Start reading at Parser and Frames.
//
// It knows no sockets and no rooms: bytes in, values out, and the other way.
package wire

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// An Op is a WebSocket frame's opcode (RFC 6455 §5.2).
type Op byte

// The opcodes that Parley meets.
const (
	OpNone   Op = 0 // no message yet
	OpText   Op = 1
	OpBinary Op = 2
	OpClose  Op = 8
	OpPing   Op = 9
	OpPong   Op = 10

	opContinuation Op = 0
)

// A CloseCode says why a WebSocket connection ends (RFC 6455 §7.4.1; from 4000
// on, docs/protocol.md).
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

	closeNone CloseCode = 1005 // "no code", never on the wire
)

// A CloseError is a client's breach of RFC 6455, or its goodbye: the
// connection ends with Code.
type CloseError struct {
	Code   CloseCode
	Reason string
}

func (e *CloseError) Error() string {
	return fmt.Sprintf("websocket closes with %d: %s", e.Code, e.Reason)
}

// maxControl is the longest payload of a control frame (RFC 6455 §5.5).
const maxControl = 125

// A WSMessage is a whole text or binary message or one control frame.
type WSMessage struct {
	Op   Op
	Data []byte
}

// CodeIn returns the close code in a close frame's checked payload, 1005 if
// there is none.
func CodeIn(data []byte) CloseCode {
	if len(data) < 2 {
		return closeNone
	}
	return CloseCode(binary.BigEndian.Uint16(data))
}

// AppendClose appends a server's close frame. A reason too long for a control
// frame is cut between characters.
func AppendClose(dst []byte, code CloseCode, reason string) []byte {
	if code == closeNone { // a goodbye without a code is answered in kind
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

// AppendControl appends a server's ping or pong; data is at most 125 bytes.
func AppendControl(dst []byte, op Op, data []byte) []byte {
	dst = append(dst, 0x80|byte(op), byte(len(data)))
	return append(dst, data...)
}

// AppendWSMessage appends a server's frame with a whole message.
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

// openText leaves room for the header of most frames.
func openText(dst []byte) []byte { return append(dst, 0, 0, 0, 0) }

// sealText writes the header of a text frame whose payload begins four bytes
// after start. A frame shorter than 126 bytes moves two bytes to the left, one
// longer than 65,535 six to the right.
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

// WholeFrames returns the end of the frame that byte n of b lies in, for b a
// run of a server's whole frames: n itself if a frame ends there.
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
