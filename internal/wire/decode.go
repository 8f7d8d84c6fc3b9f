package wire

import (
	"unicode/utf8"

	"parley/internal/chat"
)

// scanner reads the JSON that nearly every command is: one flat object of
// fields that Command has, with strings free of escapes and short whole
// numbers. Whatever else it meets it gives up on, and Unmarshal, which it
// always agrees with, reads the frame instead.
type scanner struct {
	s    string
	i    int
	seen uint16 // fields, by the order in which field knows them
}

// scanCommand reads a command into c, or reports that it is not of the common
// form; c is then good for nothing.
func scanCommand(frame []byte, c *Command) bool {
	sc := scanner{s: string(frame)} // the one copy; the command's strings are parts of it
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
	return ok && before&bit == 0 // once each
}

// options returns where to put what few commands have.
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

// next skips space and one b, or reports that something else follows.
func (sc *scanner) next(b byte) bool {
	sc.space()
	if sc.i == len(sc.s) || sc.s[sc.i] != b {
		return false
	}
	sc.i++
	return true
}

// str reads a string without escapes.
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

// number reads a whole number up to maxInteger.
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
	// A fraction, an exponent or a letter after it is not met by next.
	return n, n <= maxInteger
}
