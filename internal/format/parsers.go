package format

import (
	"bytes"
	"regexp"
	"unicode"
	"unicode/utf8"

	emoji "github.com/yuin/goldmark-emoji"
	emojiast "github.com/yuin/goldmark-emoji/ast"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"parley/internal/chat"
)

// webAddress matches an address that becomes a link without markup: without spaces, quotes or
// brackets, and without invisible characters, which could disguise it.
var webAddress = func() *regexp.Regexp {
	const other = "[^\\s\\pZ\\pC<>\"`{}|\\\\^\\[\\]«»“”„"
	return regexp.MustCompile(`^(?:https?://[\pL\pN]` + other + `]*|mailto:[\pL\pN]` + other + `@:]*@[\pL\pN]` + other +
		`@:]*)`)
}()

// blockParsers returns CommonMark's block parsers without underlined headings, indented code and
// HTML.
func blockParsers() []util.PrioritizedValue {
	return []util.PrioritizedValue{
		util.Prioritized(parser.NewThematicBreakParser(), 200),
		util.Prioritized(parser.NewListParser(), 300),
		util.Prioritized(parser.NewListItemParser(), 400),
		util.Prioritized(parser.NewATXHeadingParser(), 600),
		util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
		util.Prioritized(parser.NewBlockquoteParser(), 800),
		util.Prioritized(paragraphs{parser.NewParagraphParser()}, 1000),
	}
}

// inlineParsers returns CommonMark's inline parsers without HTML, with our own links, and with
// common extensions: tasks, strikethrough, spoilers, bare addresses, emoji.
func inlineParsers() []util.PrioritizedValue {
	return []util.PrioritizedValue{
		util.Prioritized(tasks{extension.NewTaskCheckBoxParser()}, 0),
		util.Prioritized(parser.NewCodeSpanParser(), 100),
		util.Prioritized(shortCodes{emoji.NewParser()}, 200),
		util.Prioritized(parser.NewEmphasisParser(), 500),
		util.Prioritized(strikethrough{extension.NewStrikethroughParser()}, 500),
		util.Prioritized(spoilers{}, 500),
		util.Prioritized(links{}, 600),
		util.Prioritized(extension.NewLinkifyParser(
			extension.WithLinkifyAllowedProtocols([]string{"http:", "https:", "mailto:"}),
			extension.WithLinkifyURLRegexp(webAddress),
		), 999),
	}
}

func beginsAddress(s []byte) bool {
	for _, start := range []string{"http://", "https://", "www.", "mailto:"} {
		if bytes.HasPrefix(s, []byte(start)) {
			return true
		}
	}
	return false
}

// trimAddress removes punctuation that may end a sentence, and a closing parenthesis that the
// address has not opened.
func trimAddress(s []byte) []byte {
	for {
		s = bytes.TrimRight(s, "?!.,:;*_~'…")
		if !bytes.HasSuffix(s, []byte{')'}) || bytes.Count(s, []byte{')'}) <= bytes.Count(s, []byte{'('}) {
			return s
		}
		s = s[:len(s)-1]
	}
}

// paragraphs also accepts indented lines, because there is no indented code.
type paragraphs struct{ parser.BlockParser }

func (paragraphs) CanAcceptIndentedLine() bool { return true }

// strikethrough requires exactly two tildes: a single one means "about".
type strikethrough struct{ parser.InlineParser }

func (s strikethrough) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	if line, _ := block.PeekLine(); runLen(line) != 2 {
		return nil
	}
	return s.InlineParser.Parse(parent, block, pc)
}

// tasks requires a space after the box: "[x](https://example.org)" is a link.
type tasks struct{ parser.InlineParser }

func (t tasks) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	if line, _ := block.PeekLine(); len(line) < 5 || line[3] != ' ' && line[3] != '\t' {
		return nil
	}
	return t.InlineParser.Parse(parent, block, pc)
}

// spoilers parses ||text||. The bars must not be within a word or an expression such as "a||b||c".
type spoilers struct{}

// A spoiler is text that is hidden until the reader uncovers it.
type spoiler struct{ ast.BaseInline }

var kindSpoiler = ast.NewNodeKind("Spoiler")

func (*spoiler) Kind() ast.NodeKind { return kindSpoiler }

func (s *spoiler) Dump(source []byte, level int) { ast.DumpHelper(s, source, level, nil, nil) }

func (spoilers) Trigger() []byte { return []byte{'|'} }

func (s spoilers) Parse(_ ast.Node, block text.Reader, pc parser.Context) ast.Node {
	before := block.PrecendingCharacter()
	line, segment := block.PeekLine()
	if before == '|' || runLen(line) != 2 {
		return nil
	}
	node := parser.ScanDelimiter(line, before, 2, s)
	node.CanOpen = node.CanOpen && !isWordRune(before)
	if after, _ := utf8.DecodeRune(line[2:]); isWordRune(after) {
		node.CanClose = false
	}
	node.Segment = segment.WithStop(segment.Start + 2)
	block.Advance(2)
	pc.PushDelimiter(node)
	return node
}

func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func (spoilers) IsDelimiter(b byte) bool { return b == '|' }

func (spoilers) CanOpenCloser(opener, closer *parser.Delimiter) bool {
	return opener.Char == closer.Char
}

func (spoilers) OnMatch(int) ast.Node { return &spoiler{} }

// runLen returns how often line's first byte is repeated at its start.
func runLen(line []byte) int {
	n := 0
	for n < len(line) && line[n] == line[0] {
		n++
	}
	return n
}

// shortCodes parses emoji short-codes only if they stand alone, so that "std::x::y" and "10:100:5"
// stay text.
type shortCodes struct{ parser.InlineParser }

func (s shortCodes) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	before := block.PrecendingCharacter()
	_, afterEmoji := parent.LastChild().(*emojiast.Emoji)
	if (before == ':' || before != '_' && chat.IsSpacedWord(before)) && !afterEmoji {
		return nil
	}
	line, _ := block.PeekLine()
	end := 1 + shortCodeLen(string(line[1:])) + 1 // just after the second colon
	if end < len(line) && isAlphaNumeric(line[end]) {
		return nil
	}
	node, ok := s.InlineParser.Parse(parent, block, pc).(*emojiast.Emoji)
	if !ok || !node.Value.IsUnicode() { // some short-codes are pictures of one company, not in Unicode
		return nil
	}
	return node
}
