package format

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
	"golang.org/x/text/width"

	"parley/internal/chat"
)

// emphasis parses *text*, **text**, _text_ and ~~text~~. Beside characters of East Asian scripts it follows the
// CJK-friendly amendment to CommonMark (github.com/tats-u/markdown-cjk-friendly). Where chat needs other rules than
// CommonMark has, it is more careful: "2*3*4", "__init__" and "^_^" keep their characters.
type emphasis struct{}

func (emphasis) Trigger() []byte { return []byte("*_~") }

func (e emphasis) Parse(_ ast.Node, block text.Reader, pc parser.Context) ast.Node {
	before := block.PrecendingCharacter()
	line, segment := block.PeekLine()
	n := runLen(line)
	switch c := line[0]; {
	case c == '_' && n != 1, c == '~' && n != 2: // "__" is never bold; a single "~" means "about"
		return nil
	case before == rune(c) && !bytes.HasSuffix(block.Source()[:segment.Start-1], []byte{'\\'}): // a part of a run
		return nil
	}
	after := runeAt(line, n)
	canOpen, canClose := e.flanks(line[0], n, before, after)
	if !canOpen && !canClose {
		return nil
	}
	var processor parser.DelimiterProcessor = e
	if line[0] == '~' {
		processor = strikethrough{}
	}
	d := parser.NewDelimiter(canOpen, canClose, n, line[0], processor)
	d.Segment = segment.WithStop(segment.Start + n)
	block.Advance(n)
	pc.PushDelimiter(d)
	return d
}

// flanks reports whether a run of n times c between two characters can begin and end emphasis.
func (emphasis) flanks(c byte, n int, before, after rune) (canOpen, canClose bool) {
	left, right := flanks(before, after)
	if c == '_' {
		if isFace(before, after) || before == '@' { // ^_^, and names such as @_neo_
			return false, false
		}
		return left && (!right || util.IsPunctRune(before)), right && (!left || util.IsPunctRune(after))
	}
	if before == '/' && (after == '.' || after == '/') { // src/*.js
		return false, false
	}
	if isWordRune(before) && isWordRune(after) && !chat.IsWithoutSpaces(before) && !chat.IsWithoutSpaces(after) {
		// Within a word: 2*3*4, x**2
		left = left && n > 1 && !unicode.IsDigit(before) && !unicode.IsDigit(after)
	}
	if n > 1 && unicode.IsLetter(after) && endsPhrase(before) { // **Note:**text
		right = true
	}
	if n > 1 && isSpacedWordRune(after) && unicode.Is(unicode.Pe, before) { // f(x)**2
		left = false
	}
	return left, right
}

// flanks reports whether a run of delimiters between two characters is left-flanking and right-flanking.
func flanks(before, after rune) (left, right bool) {
	left = !util.IsSpaceRune(after) &&
		(!isSpacedPunct(after) || util.IsSpaceRune(before) || isSpacedPunct(before) || isUnspaced(before))
	right = !util.IsSpaceRune(before) &&
		(!isSpacedPunct(before) || util.IsSpaceRune(after) || isSpacedPunct(after) || isUnspaced(after))
	return left, right
}

// isSpacedPunct reports whether r is punctuation or a symbol, but not an East Asian one.
func isSpacedPunct(r rune) bool { return util.IsPunctRune(r) && !isUnspaced(r) }

// isUnspaced reports whether r is East Asian (but no emoji), or of another script without spaces.
func isUnspaced(r rune) bool {
	if r < 0x0e00 {
		return false
	}
	if chat.IsWithoutSpaces(r) {
		return true
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth, width.EastAsianHalfwidth:
		return !unicode.Is(unicode.So, r) || 0x3000 <= r && r <= 0x33ff
	}
	return false
}

// isFace reports whether an underscore between two characters is the mouth of a face: ^_^, -_-, >_<, (_).
func isFace(before, after rune) bool {
	if before == after {
		return !isWordRune(before) && !util.IsSpaceRune(before)
	}
	const mirrors = "><()[]{}"
	i := strings.IndexRune(mirrors, before)
	return i >= 0 && after == rune(mirrors[i^1])
}

// endsPhrase reports whether r is punctuation that ends a phrase.
func endsPhrase(r rune) bool {
	return strings.ContainsRune(`.,:;!?"%…`, r) || unicode.Is(unicode.Pe, r) || unicode.Is(unicode.Pf, r)
}

func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }

// runeAt returns the character at i of line, or a space at its end.
func runeAt(line []byte, i int) rune {
	if i >= len(line) {
		return ' '
	}
	r, _ := utf8.DecodeRune(line[i:])
	return r
}

func (emphasis) IsDelimiter(b byte) bool { return b == '*' || b == '_' || b == '~' }

func (emphasis) CanOpenCloser(opener, closer *parser.Delimiter) bool {
	return opener.Char == closer.Char
}

func (emphasis) OnMatch(consumed int) ast.Node { return ast.NewEmphasis(consumed) }

// strikethrough is emphasis by tildes.
type strikethrough struct{ emphasis }

func (strikethrough) OnMatch(int) ast.Node { return extast.NewStrikethrough() }

// runLen returns how often line's first byte is repeated at its start.
func runLen(line []byte) int {
	n := 0
	for n < len(line) && line[n] == line[0] {
		n++
	}
	return n
}
