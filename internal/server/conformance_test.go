package server

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/gobwas/ws"

	"parley/internal/room"
)

// These tests check what RFC 6455 says about frames against the whole server on a
// socket. Each case is sent to /debug/echo, which must send each message back, and
// to /ws, which must answer each text once; in one write, and byte by byte.

// conformanceLimit is the maximal length of a message in these tests.
const conformanceLimit = 70_000

// A wsCase is what a client sends and what the server must answer.
type wsCase struct {
	in    []byte
	want  []said        // messages and pongs, in order
	close ws.StatusCode // how the server ends it; 0: not at all
}

// said is one frame from the server.
type said struct {
	op   ws.OpCode
	data string
}

// frameOf builds a masked frame with the shortest length. first is its first
// byte: FIN, reserved bits and opcode.
func frameOf(first byte, payload string) []byte {
	switch n := len(payload); {
	case n < 126:
		return frameIn(first, 0, payload)
	case n < 1<<16:
		return frameIn(first, 2, payload)
	}
	return frameIn(first, 8, payload)
}

// frameIn builds a masked frame whose length is written in extra bytes more.
func frameIn(first byte, extra int, payload string) []byte {
	b := []byte{first}
	switch n := len(payload); extra {
	case 0:
		b = append(b, 0x80|byte(n))
	case 2:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	case 8:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	mask := [4]byte{0x5a, 0x01, 0xff, 0x80}
	b = append(b, mask[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^mask[i%4])
	}
	return b
}

func frames(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// First bytes of frames: FIN and an opcode, or an opcode alone.
const (
	text, textBegins     = 0x81, 0x01
	binaryMsg, binBegins = 0x82, 0x02
	goesOn, ends         = 0x00, 0x80
	closing              = 0x88
	ping, pong           = 0x89, 0x8a
)

func echoed(texts ...string) (out []said) {
	for _, s := range texts {
		out = append(out, said{ws.OpText, s})
	}
	return out
}

// framingCases are the cases of RFC 6455 §5.
func framingCases() map[string]wsCase {
	long := strings.Repeat("ü", 35_000)
	tests := map[string]wsCase{
		"unmasked":         {in: []byte{0x81, 2, 'h', 'i'}, close: 1002},
		"an unmasked ping": {in: []byte{0x89, 0}, close: 1002},
		"opcode unmasked":  {in: []byte{0x83, 0}, close: 1002},
		"a mask of zeros":  {in: []byte{0x81, 0x82, 0, 0, 0, 0, 'h', 'i'}, want: echoed("hi")},
		"all in one segment": {
			in: frames(frameOf(text, "a"), frameOf(ping, "1"), frameOf(text, ""), frameOf(ping, "2"),
				frameOf(text, "b")),
			want: []said{{ws.OpText, "a"}, {ws.OpPong, "1"}, {ws.OpText, ""}, {ws.OpPong, "2"}, {ws.OpText, "b"}},
		},
		"the length in 16 bits though it fits 7":  {in: frameIn(text, 2, strings.Repeat("x", 125)), close: 1002},
		"the length in 64 bits though it fits 7":  {in: frameIn(text, 8, "x"), close: 1002},
		"the length in 64 bits though it fits 16": {in: frameIn(text, 8, long[:65534]), close: 1002},
		"a length of 2^63":                        {in: []byte{0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0}, close: 1002},
		"a length of 2^62":                        {in: []byte{0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0}, close: 1009},
		"as long as allowed":                      {in: frameOf(text, long), want: echoed(long)},
		"longer than allowed":                     {in: frameOf(text, long+"x"), close: 1009},
		"longer than allowed, in fragments": {
			in: frames(frameOf(textBegins, long), frameOf(goesOn, ""), frameOf(ends, "x")), close: 1009,
		},
		"as long as allowed, in fragments": {
			in:   frames(frameOf(textBegins, long[:40_000]), frameOf(goesOn, long[40_000:]), frameOf(ends, "")),
			want: echoed(long),
		},
		"binary": {
			in: frameOf(binaryMsg, "\xff\x00"), want: []said{{ws.OpBinary, "\xff\x00"}},
		},
	}
	for _, n := range []int{0, 1, 124, 125, 126, 127, 65534, 65535, 65536} {
		payload := strings.Repeat("x", n)
		tests["text of "+strconv.Itoa(n)] = wsCase{in: frameOf(text, payload), want: echoed(payload)}
		tests["binary of "+strconv.Itoa(n)] = wsCase{
			in: frameOf(binaryMsg, payload), want: []said{{ws.OpBinary, payload}},
		}
	}
	for op := byte(3); op < 16; op++ {
		if op != 8 && op != 9 && op != 10 {
			tests["reserved opcode "+strconv.Itoa(int(op))] = wsCase{
				in: frames(frameOf(text, "a"), frameOf(0x80|op, ""), frameOf(ping, "")), want: echoed("a"),
				close: 1002,
			}
		}
	}
	for bits := byte(1); bits < 8; bits++ { // RSV1 alone: a compressed message
		tests["reserved bits "+strconv.Itoa(int(bits))] = wsCase{in: frameOf(text|bits<<4, "hi"), close: 1002}
		tests["a ping with reserved bits "+strconv.Itoa(int(bits))] = wsCase{
			in: frameOf(ping|bits<<4, "hi"), close: 1002,
		}
	}
	return tests
}

// fragmentCases are those of RFC 6455 §5.4 and §5.5.
func fragmentCases() map[string]wsCase {
	most := strings.Repeat("p", 125)
	return map[string]wsCase{
		"fragments": {
			in:   frames(frameOf(textBegins, "one "), frameOf(goesOn, "two "), frameOf(ends, "three")),
			want: echoed("one two three"),
		},
		"two fragmented messages": {
			in:   frames(frameOf(textBegins, "a"), frameOf(ends, "b"), frameOf(textBegins, "c"), frameOf(ends, "d")),
			want: echoed("ab", "cd"),
		},
		"empty fragments": {
			in: frames(frameOf(textBegins, ""), frameOf(goesOn, ""), frameOf(ends, "")), want: echoed(""),
		},
		"an empty end": {in: frames(frameOf(textBegins, "a"), frameOf(ends, "")), want: echoed("a")},
		"a thousand empty fragments": {
			in:   frames(frameOf(textBegins, "a"), bytes.Repeat(frameOf(goesOn, ""), 1000), frameOf(ends, "b")),
			want: echoed("ab"),
		},
		"binary fragments": {
			in:   frames(frameOf(binBegins, "\xe2"), frameOf(goesOn, "\xff"), frameOf(ends, "")),
			want: []said{{ws.OpBinary, "\xe2\xff"}},
		},
		"control frames between fragments": {
			in: frames(frameOf(textBegins, "a"), frameOf(ping, "1"), frameOf(pong, "x"), frameOf(goesOn, "b"),
				frameOf(ping, "2"), frameOf(ends, "c")),
			want: []said{{ws.OpPong, "1"}, {ws.OpPong, "2"}, {ws.OpText, "abc"}},
		},
		"a close between fragments": {
			in: frames(frameOf(textBegins, "a"), frameOf(closing, "\x03\xe8"), frameOf(ends, "b")), close: 1000,
		},
		"a continuation of nothing":    {in: frameOf(ends, "a"), close: 1002},
		"an unfinished one of nothing": {in: frameOf(goesOn, "a"), close: 1002},
		"a continuation after a whole": {
			in: frames(frameOf(text, "a"), frameOf(ends, "b")), want: echoed("a"), close: 1002,
		},
		"a continuation after fragments": {
			in: frames(frameOf(textBegins, "a"), frameOf(ends, "b"), frameOf(ends, "c")), want: echoed("ab"),
			close: 1002,
		},
		"text within fragments": {in: frames(frameOf(textBegins, "a"), frameOf(text, "b")), close: 1002},
		"a beginning within fragments": {
			in: frames(frameOf(textBegins, "a"), frameOf(textBegins, "b")), close: 1002,
		},
		"ping":          {in: frameOf(ping, "hi"), want: []said{{ws.OpPong, "hi"}}},
		"an empty ping": {in: frameOf(ping, ""), want: []said{{ws.OpPong, ""}}},
		"a ping of bytes": {
			in: frameOf(ping, "\x00\xff\xfe"), want: []said{{ws.OpPong, "\x00\xff\xfe"}},
		},
		"the longest ping":                  {in: frameOf(ping, most), want: []said{{ws.OpPong, most}}},
		"a ping too long":                   {in: frameOf(ping, most+"p"), close: 1002},
		"a pong too long":                   {in: frameOf(pong, most+"p"), close: 1002},
		"a ping with its length in 16 bits": {in: frameIn(ping, 2, "hi"), close: 1002},
		"a fragmented ping":                 {in: frames(frameOf(ping&^0x80, "a"), frameOf(ends, "b")), close: 1002},
		"a fragmented close": {
			in: frames(frameOf(closing&^0x80, "\x03"), frameOf(ends, "\xe8")), close: 1002,
		},
		"a pong that nobody asked for": {
			in: frames(frameOf(pong, "hi"), frameOf(pong, ""), frameOf(ping, "x")), want: []said{{ws.OpPong, "x"}},
		},
		"ten pings at once": {in: bytes.Repeat(frameOf(ping, "x"), 10), want: manyPongs("x", 10)},
	}
}

func manyPongs(data string, n int) (out []said) {
	for range n {
		out = append(out, said{ws.OpPong, data})
	}
	return out
}

// textCases are the cases of UTF-8 (RFC 6455 §8.1, RFC 3629).
func textCases() map[string]wsCase {
	tests := map[string]wsCase{}
	for _, s := range []string{
		"κόσμε", "\x00", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\ufffe", "\uffff",
		"\U00010000", "\U0010ffff", "\ufdd0", "\ufeff",
	} {
		tests["whole "+strconv.QuoteToASCII(s)] = wsCase{in: frameOf(text, s), want: echoed(s)}
		var each [][]byte
		for cut := range len(s) + 1 {
			tests["cut "+strconv.QuoteToASCII(s)+" at "+strconv.Itoa(cut)] = wsCase{
				in: frames(frameOf(textBegins, s[:cut]), frameOf(ends, s[cut:])), want: echoed(s),
			}
			if cut < len(s) {
				each = append(each, frameOf(goesOn, s[cut:cut+1]))
			}
		}
		tests["each byte of "+strconv.QuoteToASCII(s)] = wsCase{
			in: frames(frameOf(textBegins, ""), frames(each...), frameOf(ends, "")), want: echoed(s),
		}
	}
	for _, s := range []string{
		"\x80", "\xbf", "\xc0\xaf", "\xc1\xbf", "\xc3", "\xe0\x80\xaf", "\xe2\x82", "\xed\xa0\x80", "\xed\xbf\xbf",
		"\xed\xa0\xbd\xed\xb8\x80",
		"\xf0\x80\x80\xaf", "\xf0\x9f\x98", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xfe",
		"\xff", "κό\xe2\x28κ", "a\xe2\x82b",
	} {
		tests["whole "+strconv.QuoteToASCII(s)] = wsCase{in: frameOf(text, s), close: 1007}
		for cut := range len(s) + 1 {
			tests["cut "+strconv.QuoteToASCII(s)+" at "+strconv.Itoa(cut)] = wsCase{
				in: frames(frameOf(textBegins, s[:cut]), frameOf(ends, s[cut:])), close: 1007,
			}
		}
	}
	// Bytes that cannot become UTF-8 are refused before the message ends.
	for _, s := range []string{"\xff", "κ\xc0", "\xed\xa0", "\xf4\x90", "\xc3x"} {
		tests["unfinished "+strconv.QuoteToASCII(s)] = wsCase{in: frames(frameOf(textBegins, s)), close: 1007}
		tests["unfinished, in two, "+strconv.QuoteToASCII(s)] = wsCase{
			in: frames(frameOf(textBegins, s[:1]), frameOf(goesOn, s[1:]), frameOf(goesOn, "")), close: 1007,
		}
	}
	return tests
}

// closeCases are the cases of RFC 6455 §5.5.1 and §7.
func closeCases() map[string]wsCase {
	body := func(code uint16, reason string) string {
		return string(binary.BigEndian.AppendUint16(nil, code)) + reason
	}
	most := strings.Repeat("r", 123)
	tests := map[string]wsCase{
		"without a code":           {in: frameOf(closing, ""), close: 1005},
		"one byte":                 {in: frameOf(closing, "\x03"), close: 1002},
		"the longest reason":       {in: frameOf(closing, body(1000, most)), close: 1000},
		"a reason too long":        {in: frameOf(closing, body(1000, most+"r")), close: 1002},
		"a reason that is no text": {in: frameOf(closing, body(1000, "\xce\xba\xe1\xbd\xb9\xed\xa0\x80")), close: 1007},
		"a reason cut in a rune":   {in: frameOf(closing, body(1000, "\xe2\x82")), close: 1007},
		"unmasked":                 {in: []byte{0x88, 2, 3, 0xe8}, close: 1002},
		"data after it": {
			in:   frames(frameOf(text, "a"), frameOf(closing, body(1000, "")), frameOf(text, "b"), frameOf(ping, "c")),
			want: echoed("a"), close: 1000,
		},
		"nonsense after it": {
			in: frames(frameOf(closing, body(1001, "")), []byte{0xff, 0xff, 0xff, 0xff}), close: 1001,
		},
		"a second one": {
			in: frames(frameOf(closing, body(3000, "")), frameOf(closing, body(1000, ""))), close: 3000,
		},
	}
	for _, code := range []uint16{
		1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999,
		4000, 4999,
	} {
		tests["code "+strconv.Itoa(int(code))] = wsCase{
			in: frameOf(closing, body(code, "bye")), close: ws.StatusCode(code),
		}
	}
	for _, code := range []uint16{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		tests["code "+strconv.Itoa(int(code))] = wsCase{in: frameOf(closing, body(code, "bye")), close: 1002}
	}
	return tests
}

func TestFramesAreReadAndRefusedAsRFC6455Says(t *testing.T) {
	ts := startServer(t, Config{FrameSize: conformanceLimit, DebugEcho: true}, room.Config{})
	for chapter, cases := range map[string]map[string]wsCase{
		"framing": framingCases(), "fragments": fragmentCases(), "text": textCases(), "close": closeCases(),
	} {
		for name, tt := range cases {
			t.Run(chapter+"/"+name, func(t *testing.T) {
				for _, step := range []int{len(tt.in), 1} {
					if step == 1 && len(tt.in) > 4096 {
						step = 997
					}
					ts.converse(t, "/debug/echo", tt.in, step, tt.want, tt.close)
					want, end := tt.onWS()
					ts.converse(t, "/ws", tt.in, step, want, end)
				}
			})
		}
	}
}

// onWS returns what a case comes to where a binary message is refused as soon
// as it begins, and a text that is no command gets an answer of its own.
func (tt wsCase) onWS() (want []said, end ws.StatusCode) {
	for _, s := range tt.want {
		switch s.op {
		case ws.OpBinary:
			return want, ws.StatusUnsupportedData
		case ws.OpText:
			s.data = anyAnswer
		}
		want = append(want, s)
	}
	return want, tt.close
}

// anyAnswer stands for whatever /ws says to a text.
const anyAnswer = "…"

// converse sends in, so many bytes at a time, and compares what comes back.
// Where the server is not to end the connection, it still has to end it in
// peace when asked.
func (ts *testServer) converse(t *testing.T, path string, in []byte, step int, want []said, end ws.StatusCode) {
	t.Helper()
	c := ts.dial(t, path)
	defer c.nc.Close()
	for rest := in; len(rest) > 0; {
		n := min(step, len(rest))
		if _, err := c.nc.Write(rest[:n]); err != nil {
			t.Fatalf("%s, after %d of %d bytes: %v", path, len(in)-len(rest), len(in), err)
		}
		rest = rest[n:]
	}
	for i, w := range want {
		f := c.serverFrame(t)
		if got := string(f.Payload); f.Header.OpCode != w.op || got != w.data && w.data != anyAnswer {
			t.Fatalf("%s in steps of %d: frame %d has opcode %d and %d bytes %.40q, want %d and %d bytes %.40q", path,
				step, i, f.Header.OpCode, len(got), got, w.op, len(w.data), w.data)
		}
	}
	if end == 0 {
		end = ws.StatusNormalClosure
		c.put(ws.NewCloseFrame(ws.NewCloseFrameBody(end, "")))
	}
	c.wantEnd(t, path, end)
}

// serverFrame reads a frame and checks what holds for every frame of a server.
func (c *talker) serverFrame(t *testing.T) ws.Frame {
	t.Helper()
	f, err := readFrame(c.in)
	if err != nil {
		t.Fatalf("reading a frame: %v", err)
	}
	if f.Header.Masked || f.Header.Rsv != 0 || !f.Header.Fin || f.Header.OpCode.IsControl() && f.Header.Length > 125 {
		t.Fatalf("no frame for a server to send: %+v", f.Header)
	}
	return f
}

// wantEnd expects one close frame with that code (1005: without any), and then
// nothing more.
func (c *talker) wantEnd(t *testing.T, path string, code ws.StatusCode) {
	t.Helper()
	f := c.serverFrame(t)
	got := ws.StatusNoStatusRcvd
	if len(f.Payload) > 0 {
		got, _ = ws.ParseCloseFrameData(f.Payload)
	}
	if f.Header.OpCode != ws.OpClose || got != code {
		t.Fatalf("%s: opcode %d, %.60q, close code %d, want %d", path, f.Header.OpCode, f.Payload, got, code)
	}
	if _, err := c.in.ReadByte(); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("%s: after the close came %v", path, err)
	}
	tcpOf(c.nc).SetLinger(0) // so that thousands of connections leave no TIME_WAIT
}
