package wire

import (
	"unicode/utf8"

	"parley/internal/chat"
)

// A scanner decodes the common form of commands faster than encoding/json: one flat
// object of known fields, with strings without escapes and short whole numbers. It
// rejects everything else, which Unmarshal then decodes. Where it succeeds, its
// result is that of Unmarshal.
type scanner struct {
	s    string
	i    int
	seen uint16 // one bit for each field that occurred; the bits are those of field
}

// scanCommand decodes a command into c. It returns false if the command does not
// have the common form; c is then undefined.
func scanCommand(frame []byte, c *Command) bool {
	sc := scanner{s: string(frame)} // the only copy; the command's strings are substrings of it
	if !sc.next('{') {
		return false
	}
	for {
		key, ok := sc.str()
		if !ok || !sc.next(':') || !sc.field(c, key) {
			return false
		}
		if sc.next(',') {
			continue
		}
		if !sc.next('}') {
			return false
		}
		sc.space()
		return sc.i == len(sc.s)
	}
}

func (sc *scanner) field(c *Command, key string) (ok bool) {
	before, bit := sc.seen, uint16(0)
	switch key {
	case "op":
		bit = 1 << 0
		c.Op, ok = sc.str()
	case "id":
		bit = 1 << 1
		c.ID, ok = sc.number()
	case "room":
		bit = 1 << 2
		c.Room, ok = sc.str()
	case "nonce":
		bit = 1 << 3
		c.Nonce, ok = sc.str()
	case "text":
		bit = 1 << 4
		c.Text, ok = sc.str()
	case "epoch":
		bit = 1 << 5
		c.Epoch, ok = sc.str()
	case "at":
		bit = 1 << 6
		c.options().At, ok = sc.str()
	case "emoji":
		bit = 1 << 7
		c.options().Emoji, ok = sc.str()
	case "seq":
		bit = 1 << 8
		ok = sc.seq(&c.options().Seq)
	case "reply_to":
		bit = 1 << 9
		ok = sc.seq(&c.options().ReplyTo)
	case "thread":
		bit = 1 << 10
		ok = sc.seq(&c.options().Thread)
	case "after":
		bit = 1 << 11
		var n int64
		if n, ok = sc.number(); ok {
			c.After = new(chat.Seq(n))
		}
	}
	sc.seen |= bit
	return ok && before&bit == 0 // no field twice
}

// options returns c's options, and makes them if it has none.
func (c *Command) options() *CommandOptions {
	if c.CommandOptions == nil {
		c.CommandOptions = &CommandOptions{}
	}
	return c.CommandOptions
}

func (sc *scanner) seq(to *chat.Seq) bool {
	n, ok := sc.number()
	*to = chat.Seq(n)
	return ok
}

func (sc *scanner) space() {
	for sc.i < len(sc.s) && (sc.s[sc.i] == ' ' || sc.s[sc.i] == '\n' || sc.s[sc.i] == '\t' || sc.s[sc.i] == '\r') {
		sc.i++
	}
}

// next skips white space and one b. It returns false if something else follows.
func (sc *scanner) next(b byte) bool {
	sc.space()
	if sc.i == len(sc.s) || sc.s[sc.i] != b {
		return false
	}
	sc.i++
	return true
}

// str reads a string. It returns false if the string has escapes.
func (sc *scanner) str() (string, bool) {
	if !sc.next('"') {
		return "", false
	}
	start, ascii := sc.i, true
	for ; sc.i < len(sc.s); sc.i++ {
		switch b := sc.s[sc.i]; {
		case b == '"':
			v := sc.s[start:sc.i]
			sc.i++
			return v, ascii || utf8.ValidString(v)
		case b == '\\' || b < 0x20:
			return "", false
		case b >= utf8.RuneSelf:
			ascii = false
		}
	}
	return "", false
}

// number reads a whole number from 0 to maxInteger.
func (sc *scanner) number() (n int64, ok bool) {
	sc.space()
	start := sc.i
	for sc.i < len(sc.s) && sc.s[sc.i] >= '0' && sc.s[sc.i] <= '9' {
		n = 10*n + int64(sc.s[sc.i]-'0')
		if sc.i++; sc.i-start > 18 {
			return 0, false
		}
	}
	digits := sc.i - start
	if digits == 0 || digits > 1 && sc.s[start] == '0' {
		return 0, false
	}
	// The caller's next rejects a fraction, an exponent or a letter after the digits.
	return n, n <= maxInteger
}
