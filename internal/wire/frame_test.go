package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

// clientFrame builds a masked frame. first is its first byte: FIN, reserved
// bits and opcode.
func clientFrame(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	mask := [4]byte{0x12, 0x34, 0x56, 0x78}
	b = append(b, mask[:]...)
	for i, c := range payload {
		b = append(b, c^mask[i%4])
	}
	return b
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// parseAll feeds b to a parser in steps of n bytes and returns the messages.
func parseAll(p *Parser, b []byte, n int) (got []WSMessage, err error) {
	var buf []byte
	for len(b) > 0 || len(buf) > 0 {
		step := min(n, len(b))
		buf = append(buf, b[:step]...)
		b = b[step:]
		for {
			m, used, err := p.Next(buf)
			if err != nil {
				return got, err
			}
			if m.Op != OpNone {
				got = append(got, WSMessage{m.Op, bytes.Clone(m.Data)})
			}
			buf = buf[used:]
			if m.Op == OpNone {
				break
			}
		}
		if step == 0 {
			break
		}
	}
	return got, nil
}

func TestParserReadsWhatRFC6455Allows(t *testing.T) {
	long := []byte(strings.Repeat("é", 20_000))
	tests := map[string]struct {
		in   []byte
		want []WSMessage
	}{
		"text":       {clientFrame(0x81, []byte("hi")), []WSMessage{{OpText, []byte("hi")}}},
		"empty text": {clientFrame(0x81, nil), []WSMessage{{OpText, nil}}},
		"125 bytes":  {clientFrame(0x81, long[:124]), []WSMessage{{OpText, long[:124]}}},
		"126 bytes":  {clientFrame(0x81, long[:126]), []WSMessage{{OpText, long[:126]}}},
		"a long one": {clientFrame(0x81, long), []WSMessage{{OpText, long}}},
		"ping":       {clientFrame(0x89, []byte("x")), []WSMessage{{OpPing, []byte("x")}}},
		"pong":       {clientFrame(0x8a, nil), []WSMessage{{OpPong, nil}}},
		"close": {
			clientFrame(0x88, []byte{3, 232, 'b', 'y', 'e'}), []WSMessage{{OpClose, []byte{3, 232, 'b', 'y', 'e'}}},
		},
		"close without code": {clientFrame(0x88, nil), []WSMessage{{OpClose, nil}}},
		"fragments": {
			join(clientFrame(0x01, []byte("a")), clientFrame(0x00, []byte("b")), clientFrame(0x80, []byte("c"))),
			[]WSMessage{{OpText, []byte("abc")}},
		},
		"a rune in fragments": {
			join(clientFrame(0x01, []byte("\xc3")), clientFrame(0x80, []byte("\xa9"))),
			[]WSMessage{{OpText, []byte("é")}},
		},
		"empty fragments": {
			join(clientFrame(0x01, nil), clientFrame(0x00, nil), clientFrame(0x80, nil)), []WSMessage{{OpText, nil}},
		},
		"a ping between": {
			join(clientFrame(0x01, []byte("a")), clientFrame(0x89, []byte("?")), clientFrame(0x80, []byte("b"))),
			[]WSMessage{{OpPing, []byte("?")}, {OpText, []byte("ab")}},
		},
		"two messages": {
			join(clientFrame(0x81, []byte("a")), clientFrame(0x81, []byte("b"))),
			[]WSMessage{{OpText, []byte("a")}, {OpText, []byte("b")}},
		},
		"fragments twice": {
			join(
				clientFrame(0x01, []byte("a")), clientFrame(0x80, []byte("b")), clientFrame(0x01, []byte("c")),
				clientFrame(0x80, []byte("d")),
			),
			[]WSMessage{{OpText, []byte("ab")}, {OpText, []byte("cd")}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, step := range []int{1, 2, 3, 7, len(tt.in)} {
				got, err := parseAll(&Parser{Limit: 65536}, bytes.Clone(tt.in), step)
				if err != nil || len(got) != len(tt.want) {
					t.Fatalf("in steps of %d: %d messages, %v", step, len(got), err)
				}
				for i, m := range got {
					if m.Op != tt.want[i].Op || !bytes.Equal(m.Data, tt.want[i].Data) {
						t.Errorf("in steps of %d: message %d = %d %q", step, i, m.Op, m.Data)
					}
				}
			}
		})
	}
}

func TestParserTakesBinaryMessagesWhereTold(t *testing.T) {
	notText := []byte{0xff, 0, 0xfe}
	in := join(
		clientFrame(0x82, notText), clientFrame(0x02, notText[:1]), clientFrame(0x89, nil),
		clientFrame(0x00, notText[1:]), clientFrame(0x80, nil), clientFrame(0x81, []byte("hi")),
	)
	want := []WSMessage{{OpBinary, notText}, {OpPing, nil}, {OpBinary, notText}, {OpText, []byte("hi")}}
	for _, step := range []int{1, 3, len(in)} {
		got, err := parseAll(&Parser{Binary: true}, bytes.Clone(in), step)
		if err != nil || len(got) != len(want) {
			t.Fatalf("in steps of %d: %d messages, %v", step, len(got), err)
		}
		for i, m := range got {
			if m.Op != want[i].Op || !bytes.Equal(m.Data, want[i].Data) {
				t.Errorf("in steps of %d: message %d = %d % x", step, i, m.Op, m.Data)
			}
		}
	}
}

func TestFragmentsAreRefusedOnceTheyCanBecomeNoText(t *testing.T) {
	runes := "aé€\U0001f600z"
	for cut := range len(runes) {
		p := &Parser{}
		if _, _, err := p.Next(clientFrame(0x01, []byte(runes[:cut]))); err != nil {
			t.Errorf("the first %d bytes of %q: %v", cut, runes, err)
		}
		if m, _, err := p.Next(clientFrame(0x80, []byte(runes[cut:]))); err != nil || string(m.Data) != runes {
			t.Errorf("%q cut at %d: %q, %v", runes, cut, m.Data, err)
		}
	}
	for _, broken := range []string{"\xff", "\xc0", "\xf5", "a\x80", "\xed\xa0", "\xf4\x90", "\xe2\x28", "é\xc3x"} {
		p := &Parser{}
		var err error
		for _, c := range []byte(broken) { // each byte a fragment, and the message not over
			first := byte(0x00)
			if p.within == OpNone {
				first = 0x01
			}
			if _, _, err = p.Next(clientFrame(first, []byte{c})); err != nil {
				break
			}
		}
		if e, ok := errors.AsType[*CloseError](err); !ok || e.Code != CloseNotUTF8 {
			t.Errorf("%q in fragments: %v", broken, err)
		}
	}
}

func TestParserRefusesWhatRFC6455Forbids(t *testing.T) {
	unmasked := []byte{0x81, 0x02, 'h', 'i'}
	notShortest16 := []byte{0x81, 0x80 | 126, 0, 5, 0, 0, 0, 0, 'h', 'e', 'l', 'l', 'o'}
	notShortest64 := join([]byte{0x81, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0}, []byte("hello"))
	tests := map[string]struct {
		in   []byte
		want CloseCode
	}{
		"unmasked":                      {unmasked, CloseProtocol},
		"RSV1 (a compressed frame)":     {clientFrame(0xc1, []byte("hi")), CloseProtocol},
		"RSV2":                          {clientFrame(0xa1, nil), CloseProtocol},
		"RSV3":                          {clientFrame(0x91, nil), CloseProtocol},
		"binary":                        {clientFrame(0x82, []byte("hi")), CloseUnsupported},
		"opcode 3":                      {clientFrame(0x83, nil), CloseProtocol},
		"opcode 11":                     {clientFrame(0x8b, nil), CloseProtocol},
		"a ping in fragments":           {clientFrame(0x09, nil), CloseProtocol},
		"a long ping":                   {clientFrame(0x89, make([]byte, 126)), CloseProtocol},
		"a continuation of nothing":     {clientFrame(0x80, nil), CloseProtocol},
		"text within fragments":         {join(clientFrame(0x01, nil), clientFrame(0x81, nil)), CloseProtocol},
		"a length not shortest, 16 bit": {notShortest16, CloseProtocol},
		"a length not shortest, 64 bit": {notShortest64, CloseProtocol},
		"a negative length":             {[]byte{0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0}, CloseProtocol},
		"not UTF-8":                     {clientFrame(0x81, []byte("\xff")), CloseNotUTF8},
		"a surrogate":                   {clientFrame(0x81, []byte("\xed\xa0\x80")), CloseNotUTF8},
		"half a rune in fragments": {
			join(clientFrame(0x01, []byte("\xc3")), clientFrame(0x80, nil)), CloseNotUTF8,
		},
		"too large":                     {clientFrame(0x81, make([]byte, 1001)), CloseTooLarge},
		"too large, said by its header": {[]byte{0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0}, CloseTooLarge},
		"too large in fragments": {
			join(clientFrame(0x01, make([]byte, 600)), clientFrame(0x80, make([]byte, 401))), CloseTooLarge,
		},
		"a close of one byte":      {clientFrame(0x88, []byte{3}), CloseProtocol},
		"close code 999":           {clientFrame(0x88, []byte{3, 231}), CloseProtocol},
		"close code 1005":          {clientFrame(0x88, []byte{3, 237}), CloseProtocol},
		"close code 1006":          {clientFrame(0x88, []byte{3, 238}), CloseProtocol},
		"close code 1015":          {clientFrame(0x88, []byte{3, 247}), CloseProtocol},
		"close code 2999":          {clientFrame(0x88, []byte{11, 183}), CloseProtocol},
		"close code 5000":          {clientFrame(0x88, []byte{19, 136}), CloseProtocol},
		"a close reason not UTF-8": {clientFrame(0x88, []byte{3, 232, 0xff}), CloseNotUTF8},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, step := range []int{1, len(tt.in)} {
				_, err := parseAll(&Parser{Limit: 1000}, bytes.Clone(tt.in), step)
				e, ok := errors.AsType[*CloseError](err)
				if !ok || e.Code != tt.want {
					t.Errorf("in steps of %d: %v, want %d", step, err, tt.want)
				}
			}
		})
	}
}

func TestServerFramesHaveTheShortestHeader(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 127, 65535, 65536, 100_000} {
		payload := bytes.Repeat([]byte("x"), n)
		before := []byte("before")
		b := sealText(append(openText(before), payload...), len(before))[len(before):]
		header := 2
		if n >= 126 {
			header = 4
		}
		if n >= 1<<16 {
			header = 10
		}
		if len(b) != header+n || b[0] != 0x81 || !bytes.Equal(b[header:], payload) {
			t.Errorf("%d bytes of payload: %d in all, header % x", n, len(b), b[:min(len(b), 10)])
		}
		two := append(bytes.Clone(b), b...)
		for at, want := range map[int]int{0: 0, 1: len(b), len(b): len(b), len(b) + 1: len(two), len(two): len(two)} {
			if got := WholeFrames(two, at); got != want {
				t.Errorf("%d bytes of payload: the frame at %d ends at %d, want %d", n, at, got, want)
			}
		}
	}
}

func TestCloseReasonIsCutBetweenCharacters(t *testing.T) {
	b := AppendClose(nil, CloseGoingAway, strings.Repeat("é", 100))
	if len(b) != 2+2+122 || b[1] != 124 || CodeIn(b[2:]) != CloseGoingAway {
		t.Errorf("% x", b)
	}
	if b := AppendClose(nil, CodeIn(nil), ""); !bytes.Equal(b, []byte{0x88, 0}) {
		t.Errorf("the answer to a goodbye without a code is % x", b)
	}
}

func FuzzFrame(f *testing.F) {
	f.Add(clientFrame(0x81, []byte("hi")), 1, false)
	f.Add(join(clientFrame(0x01, []byte("a")), clientFrame(0x89, nil), clientFrame(0x80, []byte("b"))), 3, false)
	f.Add(
		join(clientFrame(0x01, []byte("\xe2\x82")), clientFrame(0x00, nil), clientFrame(0x80, []byte("\xac"))), 1,
		false,
	)
	f.Add(join(clientFrame(0x82, []byte("\xff")), clientFrame(0x02, []byte{0})), 2, true)
	f.Add(clientFrame(0x88, []byte{3, 232}), 2, false)
	f.Fuzz(func(t *testing.T, in []byte, step int, binary bool) {
		// However the bytes arrive, the same comes out.
		step = max(1, min(step, 1<<16))
		whole, wholeErr := parseAll(&Parser{Limit: 4096, Binary: binary}, bytes.Clone(in), max(1, len(in)))
		parts, partsErr := parseAll(&Parser{Limit: 4096, Binary: binary}, bytes.Clone(in), step)
		if !sameEnd(wholeErr, partsErr) || len(whole) != len(parts) {
			t.Fatalf("at once %d, %v; in steps of %d %d, %v", len(whole), wholeErr, step, len(parts), partsErr)
		}
		for i, m := range whole {
			switch {
			case m.Op != parts[i].Op || !bytes.Equal(m.Data, parts[i].Data):
				t.Fatalf("message %d differs", i)
			case len(m.Data) > 4096 || m.Op >= OpClose && len(m.Data) > maxControl:
				t.Fatalf("opcode %d with %d bytes", m.Op, len(m.Data))
			case m.Op == OpText && !utf8.Valid(m.Data):
				t.Fatalf("text that is not UTF-8: % x", m.Data)
			case m.Op == OpBinary && !binary:
				t.Fatal("a binary message")
			}
		}
	})
}

// sameEnd reports whether two parsers ended for the same reason.
func sameEnd(a, b error) bool {
	x, _ := errors.AsType[*CloseError](a)
	y, _ := errors.AsType[*CloseError](b)
	return a == nil && b == nil || x != nil && y != nil && x.Code == y.Code
}

func BenchmarkParser(b *testing.B) {
	in := bytes.Repeat(
		clientFrame(
			0x81, []byte(`{"op":"send","id":17,"room":"lobby","text":"Good morning, everybody. Shall we begin?"}`),
		),
		64,
	)
	b.ReportAllocs()
	b.SetBytes(int64(len(in)))
	for b.Loop() { // unmasked anew each time: still ASCII
		p := Parser{Limit: 1 << 16}
		for rest := in; len(rest) > 0; {
			_, n, err := p.Next(rest)
			if err != nil {
				b.Fatal(err)
			}
			rest = rest[n:]
		}
	}
}
