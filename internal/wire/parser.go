package wire

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// maxFrameOverhead is the longest header of a client's frame, in bytes.
const maxFrameOverhead = 14

// A Parser decodes the WebSocket frames of one client. Between calls it holds only
// the fragments of an incomplete message.
type Parser struct {
	Limit  int  // bytes of a message; 0: no limit
	Binary bool // binary messages are accepted too

	within    Op     // the type of the incomplete message; OpNone if there is none
	fragments []byte // the payload of its fragments
	checked   int    // bytes of fragments that are known to be UTF-8
}

// Next returns the first complete message in b, and how many bytes of b to drop.
// If more bytes are needed, the message has OpNone; there can still be bytes to
// drop. Next unmasks payloads in place: Data is valid until b changes and until the
// next call. The error is a *CloseError.
func (p *Parser) Next(b []byte) (m WSMessage, n int, err error) {
	for {
		h, err := p.header(b[n:])
		if err != nil || h.size == 0 || len(b)-n < h.size+h.payload {
			return WSMessage{}, n, err
		}
		data := b[n+h.size : n+h.size+h.payload]
		ws.Cipher(data, h.mask, 0)
		n += h.size + h.payload
		m, err := p.take(h, data)
		if err != nil || m.Op != OpNone {
			return m, n, err
		}
	}
}

// A frameHeader is the header of a client's frame.
type frameHeader struct {
	fin     bool
	op      Op
	mask    [4]byte
	size    int // bytes of the header; 0: it is incomplete
	payload int
}

// header decodes and checks a frame's header, so that a frame is refused before its
// payload is received.
func (p *Parser) header(b []byte) (h frameHeader, err error) {
	if len(b) < 2 {
		return h, nil
	}
	h.fin, h.op = b[0]&0x80 != 0, Op(b[0]&0x0f)
	length := uint64(b[1] & 0x7f)
	switch {
	case b[0]&0x70 != 0:
		return h, &CloseError{CloseProtocol, "reserved bits are set; no extension was agreed on"}
	case b[1]&0x80 == 0:
		return h, &CloseError{CloseProtocol, "a client has to mask its frames"}
	case h.op >= OpClose && (!h.fin || length > maxControl):
		return h, &CloseError{CloseProtocol, "a control frame is whole and at most 125 bytes"}
	case h.op == OpBinary && !p.Binary:
		return h, &CloseError{CloseUnsupported, "frames are text"}
	case h.op > OpBinary && h.op != OpClose && h.op != OpPing && h.op != OpPong:
		return h, &CloseError{CloseProtocol, "an unknown opcode"}
	case h.op == opContinuation && p.within == OpNone:
		return h, &CloseError{CloseProtocol, "a continuation of nothing"}
	case (h.op == OpText || h.op == OpBinary) && p.within != OpNone:
		return h, &CloseError{CloseProtocol, "a new message within a fragmented one"}
	}
	size := 2
	switch length {
	case 126:
		if len(b) < 4 {
			return h, nil
		}
		length, size = uint64(binary.BigEndian.Uint16(b[2:])), 4
		if length < 126 {
			return h, &CloseError{CloseProtocol, "a length not in its shortest form"}
		}
	case 127:
		if len(b) < 10 {
			return h, nil
		}
		length, size = binary.BigEndian.Uint64(b[2:]), 10
		if length < 1<<16 || length >= 1<<63 {
			return h, &CloseError{CloseProtocol, "a length not in its shortest form"}
		}
	}
	if err := p.fits(h.op, length); err != nil {
		return h, err
	}
	if len(b) < size+4 {
		return h, nil
	}
	copy(h.mask[:], b[size:])
	h.size, h.payload = size+4, int(length)
	return h, nil
}

// maxUnlimited limits the length of a message if the operator has set no limit.
const maxUnlimited = 64 << 20

// MaxFrame returns how many bytes an accepted frame has at most.
func (p *Parser) MaxFrame() int { return p.limit() + maxFrameOverhead }

func (p *Parser) limit() int {
	if p.Limit <= 0 {
		return maxUnlimited
	}
	return p.Limit
}

func (p *Parser) fits(op Op, length uint64) error {
	if op >= OpClose {
		return nil
	}
	limit := p.limit()
	if length > uint64(limit-min(limit, len(p.fragments))) {
		return &CloseError{CloseTooLarge, fmt.Sprintf("a message has at most %d bytes", limit)}
	}
	return nil
}

// take adds the payload of a frame to its message. It returns the message if that
// is complete.
func (p *Parser) take(h frameHeader, data []byte) (WSMessage, error) {
	switch h.op {
	case OpPing, OpPong:
		return WSMessage{h.op, data}, nil
	case OpClose:
		return WSMessage{h.op, data}, checkClose(data)
	}
	if !h.fin {
		return WSMessage{}, p.keepFragment(h.op, data)
	}
	op, checked := h.op, 0
	if p.within != OpNone {
		op, checked = p.within, p.checked
		data = append(p.fragments, data...)
		p.within, p.fragments, p.checked = OpNone, nil, 0
	}
	if op == OpText && !utf8.Valid(data[checked:]) {
		return WSMessage{}, errNotUTF8
	}
	return WSMessage{op, data}, nil
}

var errNotUTF8 = &CloseError{CloseNotUTF8, "text is UTF-8"}

// keepFragment adds a fragment to the incomplete message. It refuses text at once
// if that is not UTF-8, whatever follows.
func (p *Parser) keepFragment(op Op, data []byte) error {
	if op != opContinuation {
		p.within = op
	}
	p.fragments = append(p.fragments, data...)
	if p.within != OpText {
		return nil
	}
	rest := p.fragments[p.checked:]
	whole := len(rest) - cutRune(rest)
	if !utf8.Valid(rest[:whole]) {
		return errNotUTF8
	}
	p.checked += whole
	return nil
}

// cutRune returns how many bytes at the end of b are an incomplete character.
func cutRune(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if last := b[len(b)-n:]; utf8.RuneStart(last[0]) {
			if utf8.FullRune(last) {
				return 0
			}
			return n
		}
	}
	return 0
}

// checkClose checks a close frame's payload (RFC 6455 §5.5.1, §7.4).
func checkClose(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	if len(data) == 1 {
		return &CloseError{CloseProtocol, "a close code has two bytes"}
	}
	if !validCloseCode(CloseCode(binary.BigEndian.Uint16(data))) {
		return &CloseError{CloseProtocol, "no such close code"}
	}
	if !utf8.Valid(data[2:]) {
		return &CloseError{CloseNotUTF8, "a reason is UTF-8"}
	}
	return nil
}

// validCloseCode reports whether a client may send code: a registered code that is
// not reserved for local use (RFC 6455 §7.4.1 and its IANA registry), or one of a
// library or application.
func validCloseCode(code CloseCode) bool {
	switch {
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014, code >= 3000 && code <= 4999:
		return true
	}
	return false
}
