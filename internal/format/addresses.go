package format

import (
	"bytes"
	"cmp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"parley/internal/chat"
)

// addresses parses addresses without markup: https://example.org/a, www.example.org, mailto:ada@example.org and
// ada@example.org. It is called at the first sign of an address (":", "." or "@") and looks back for what belongs to
// it.
type addresses struct{}

func (addresses) Trigger() []byte { return []byte(":.@") }

func (addresses) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	line, segment := block.PeekLine()
	before := textBefore(parent, segment.Start, block.Source())
	back, length := addressAround(before, line, func(mark byte) bool { return hasOpener(pc, mark) })
	if length == 0 {
		return nil
	}
	shorten(parent, back)
	block.Advance(length)
	kind := ast.AutoLinkURL
	if line[0] == '@' {
		kind = ast.AutoLinkEmail
	}
	return ast.NewAutoLink(kind, ast.NewTextSegment(text.NewSegment(segment.Start-back, segment.Start+length)))
}

// textBefore returns the text that ends at a place of the source and belongs to no other element.
func textBefore(parent ast.Node, end int, source []byte) []byte {
	t, ok := parent.LastChild().(*ast.Text)
	if !ok || t.Segment.Stop != end || t.SoftLineBreak() || t.HardLineBreak() {
		return nil
	}
	return t.Segment.Value(source)
}

// shorten removes n bytes from the end of a node's last text.
func shorten(parent ast.Node, n int) {
	if n == 0 {
		return
	}
	t := parent.LastChild().(*ast.Text)
	t.Segment = t.Segment.WithStop(t.Segment.Stop - n)
	if t.Segment.IsEmpty() {
		parent.RemoveChild(parent, t)
	}
}

// hasOpener reports whether emphasis by a mark may be open.
func hasOpener(pc parser.Context, mark byte) bool {
	for d := pc.LastDelimiter(); d != nil; d = d.PreviousDelimiter {
		if d.Char == mark && d.CanOpen {
			return true
		}
	}
	return false
}

// addressAround returns how much of an address is before its sign, at the end of before, and how much is from the sign
// on, at the start of rest. Both are 0 if there is none. isOpen reports whether emphasis by a mark may be open.
func addressAround(before, rest []byte, isOpen func(mark byte) bool) (back, length int) {
	switch rest[0] {
	case ':':
		if back = schemeBefore(before); back == 0 {
			return 0, 0
		}
		if back == len("mailto") {
			length = mailLen(rest[1:])
		} else if bytes.HasPrefix(rest, []byte("://")) {
			length = webLen(rest[len("://"):], isOpen) + len("://") - 1
			if length < len("://") {
				return 0, 0
			}
		}
		if length > 0 {
			return back, length + 1
		}
	case '.':
		if back = wordBefore(before, "www"); back > 0 {
			host := append([]byte("www."), rest[1:min(len(rest), maxAddress)]...)
			if length = webLen(host, isOpen) - back; length > 1 {
				return back, length
			}
		}
	case '@':
		if back = mailboxBefore(before); back > 0 {
			if length = hostLen(rest[1:]); length > 0 && bytes.IndexByte(rest[1:1+length], '.') > 0 {
				return back, length + 1
			}
		}
	}
	return 0, 0
}

// schemeBefore returns the length of the scheme at the end of s.
func schemeBefore(s []byte) int {
	for _, scheme := range []string{"https", "http", "mailto"} {
		if n := wordBefore(s, scheme); n > 0 {
			return n
		}
	}
	return 0
}

// wordBefore returns the length of word if s ends with it, in any case, and if no other word runs into it.
func wordBefore(s []byte, word string) int {
	i := len(s) - len(word)
	if i < 0 || !strings.EqualFold(string(s[i:]), word) || len(bytes.ToLower(s[i:])) != len(word) {
		return 0
	}
	before, _ := utf8.DecodeLastRune(s[:i])
	if i > 0 && (isSpacedWordRune(before) || word == "www" && strings.ContainsRune(".-@", before)) {
		return 0
	}
	return len(word)
}

func isSpacedWordRune(r rune) bool { return isWordRune(r) && !chat.IsWithoutSpaces(r) }

// mailboxBefore returns the length of the part of a mail address before its "@", at the end of s.
func mailboxBefore(s []byte) int {
	i := len(s)
	for i > 0 && (isAlphaNumeric(s[i-1]) || strings.IndexByte("._+-", s[i-1]) >= 0) {
		i--
	}
	for i < len(s) && !isAlphaNumeric(s[i]) {
		i++
	}
	before, _ := utf8.DecodeLastRune(s[:i])
	if i < len(s) && i > 0 && (isSpacedWordRune(before) || before == '/' || before == '@') {
		return 0
	}
	around := s[max(0, i-100):i]
	if bytes.Contains(around[1+bytes.LastIndexAny(around, " \t\n"):], []byte("://")) { // https://host:80@ada.example
		return 0
	}
	return len(s) - i
}

// mailLen returns the length of the mail address at the start of s.
func mailLen(s []byte) int {
	i := 0
	for i < len(s) && (isAlphaNumeric(s[i]) || strings.IndexByte("._+-%", s[i]) >= 0) {
		i++
	}
	if i == 0 || i == len(s) || s[i] != '@' {
		return 0
	}
	n := hostLen(s[i+1:])
	if n == 0 {
		return 0
	}
	end := i + 1 + n
	if end < len(s) && s[end] == '?' {
		end += pathLen(s[end:], func(byte) bool { return true })
	}
	return end
}

// webLen returns the length of a web address without its scheme at the start of s: host, port, path.
func webLen(s []byte, isOpen func(mark byte) bool) int {
	s = s[:min(len(s), maxAddress)]
	n := hostLen(s)
	if n == 0 {
		return 0
	}
	if port := portLen(s[n:]); port > 0 {
		n += port
	} else if n+1 < len(s) && s[n] == ':' && isSpacedWordRune(runeAt(s, n+1)) {
		return 0 // http://example.org:A
	}
	if n < len(s) && strings.IndexByte("/?#", s[n]) >= 0 {
		n += pathLen(s[n:], isOpen)
	} else if n+1 < len(s) && (s[n] == '@' || s[n] == '%' || s[n] == '_') && isSpacedWordRune(runeAt(s, n+1)) {
		return 0 // a name before the host, or no host at all
	}
	if n >= maxAddress {
		return 0
	}
	return n
}

// hostLen returns the length of the host at the start of s: a name, or an IPv6 address in brackets. In a host of ASCII,
// a script without spaces ends the last label: “https://example.org吧”.
func hostLen(s []byte) int {
	if len(s) > 0 && s[0] == '[' {
		i := bytes.IndexByte(s[:min(len(s), 50)], ']')
		if i > 0 && bytes.IndexByte(s[:i], ':') > 0 && len(bytes.Trim(s[1:i], "0123456789abcdefABCDEF:.")) == 0 {
			return i + 1
		}
		return 0
	}
	end, turn, dots := 0, 0, 0 // turn: where the current label changes from ASCII to a script without spaces
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRune(s[i:])
		switch {
		case r == '.':
			next, _ := utf8.DecodeRune(s[i+1:])
			if next == '/' && i > 0 && s[i-1] != '.' { // the root of the DNS
				return cmp.Or(turn, i+1)
			}
			if i == 0 || s[i-1] == '.' || !isWordRune(next) {
				return cmp.Or(turn, end)
			}
			turn = 0
			dots++
		case r == '-':
			if i == 0 {
				return 0
			}
		case isWordRune(r) || unicode.IsNumber(r):
			if dots > 0 && turn == 0 && chat.IsWithoutSpaces(r) && s[i-1] < utf8.RuneSelf && s[i-1] != '.' {
				turn = i
			}
			end = i + size
		default:
			return cmp.Or(turn, end)
		}
		i += size
	}
	return cmp.Or(turn, end)
}

func portLen(s []byte) int {
	if len(s) < 2 || s[0] != ':' {
		return 0
	}
	i := 1
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	if i == 1 || i > 6 || i < len(s) && isSpacedWordRune(runeAt(s, i)) {
		return 0
	}
	return i
}

// closers are the brackets of an address, each after its opening one.
const closers = "()[]{}"

// pathLen returns the length of the path, query and fragment at the start of s. They end before white space, quotes,
// invisible characters, punctuation that is not ASCII, and brackets that the address has not opened; what may end a
// sentence is not part of them.
func pathLen(s []byte, isOpen func(mark byte) bool) int {
	var open []byte // closing brackets that are due
	end := 0        // after the last character that may end an address
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRune(s[i:])
		if r >= utf8.RuneSelf && endsAddress(r, s[i+size:]) || r <= ' ' || r == 0x7f ||
			strings.ContainsRune("<>\"`|\\^", r) {
			break
		}
		if at := strings.IndexRune(closers, r); at >= 0 {
			if at%2 == 0 {
				open = append(open, closers[at+1])
			} else if len(open) == 0 || open[len(open)-1] != byte(r) {
				break
			} else {
				open = open[:len(open)-1]
				end = i + size
			}
			i += size
			continue
		}
		i += size
		if !strings.ContainsRune("?!.,:;*_~'", r) {
			end = i
		}
	}
	// Underscores belong to an address, unless they end emphasis that began before it.
	if rest := s[end:]; len(rest) > 0 && rest[0] == '_' && !isOpen('_') {
		end += len(rest) - len(bytes.TrimLeft(rest, "_"))
	}
	return end
}

// endsAddress reports whether a character that is not ASCII ends an address, because it is punctuation or cannot be
// seen. A dot in the middle belongs to words.
func endsAddress(r rune, rest []byte) bool {
	if r == '·' || r == '・' {
		next, _ := utf8.DecodeRune(rest)
		return !isWordRune(next)
	}
	return r == utf8.RuneError || util.IsPunctRune(r) || unicode.Is(unicode.C, r) || unicode.Is(unicode.Z, r)
}
