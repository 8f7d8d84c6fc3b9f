package bench

import (
	"encoding/binary"
	"errors"
)

// Opcodes of RFC 6455 §5.2, with the bit for a final frame.
const (
	textFrame  = 0x81
	closeFrame = 0x88
	pingFrame  = 0x89
	pongFrame  = 0x8a
)

// errFrame means that a server sends frames larger than the generator's buffer.
var errFrame = errors.New("a frame larger than the generator's buffer")

// split calls f for each complete frame of a server in b and returns the rest. It is the inner loop
// of the generator, so it only steps from header to header.
func split(b []byte, f func(opcode byte, payload []byte)) (rest []byte) {
	for len(b) >= 2 {
		size, header := int(b[1]), 2
		switch size {
		case 126:
			if len(b) < 4 {
				return b
			}
			size, header = int(binary.BigEndian.Uint16(b[2:])), 4
		case 127:
			if len(b) < 10 {
				return b
			}
			size, header = int(binary.BigEndian.Uint64(b[2:])&(1<<40-1)), 10
		}
		if len(b)-header < size {
			return b
		}
		f(b[0], b[header:header+size])
		b = b[header+size:]
	}
	return b
}

// appendFrame appends a client's frame with a mask of 0, which leaves the payload unchanged.
func appendFrame(dst []byte, opcode byte, payload []byte) []byte {
	dst, start := openFrame(dst, opcode)
	return closeTheFrame(append(dst, payload...), start)
}

// openFrame begins a frame whose payload is appended next; closeTheFrame writes its length. The
// payload has less than 64 KiB.
func openFrame(dst []byte, opcode byte) (b []byte, start int) {
	return append(dst, opcode, 0x80|126, 0, 0, 0, 0, 0, 0), len(dst)
}

func closeTheFrame(b []byte, start int) []byte {
	const header = 8
	size := len(b) - start - header
	if size >= 126 {
		binary.BigEndian.PutUint16(b[start+2:], uint16(size))
		return b
	}
	b[start+1] = 0x80 | byte(size)
	copy(b[start+6:], b[start+header:]) // the two bytes of the longer length are not needed
	return b[:len(b)-2]
}
