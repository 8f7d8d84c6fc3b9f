package format

import (
	"bytes"
	"iter"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// spoilers parses ||text||, beside any characters. Nothing but code takes precedence: whatever else crosses the bars
// stays text.
type spoilers struct{}

// A spoiler is text that is hidden until the reader uncovers it.
type spoiler struct{ ast.BaseInline }

// An openSpoiler is a pair of bars that may begin a spoiler.
type openSpoiler struct {
	ast.BaseInline
	segment text.Segment
	bottom  ast.Node // the last delimiter before it, or nil
}

var (
	kindSpoiler     = ast.NewNodeKind("Spoiler")
	kindOpenSpoiler = ast.NewNodeKind("OpenSpoiler")
	openSpoilers    = parser.NewContextKey() // []*openSpoiler: those of the current block
)

func (*spoiler) Kind() ast.NodeKind { return kindSpoiler }

func (s *spoiler) Dump(source []byte, level int) { ast.DumpHelper(s, source, level, nil, nil) }

func (*openSpoiler) Kind() ast.NodeKind { return kindOpenSpoiler }

func (s *openSpoiler) Dump(source []byte, level int) { ast.DumpHelper(s, source, level, nil, nil) }

func (spoilers) Trigger() []byte { return []byte{'|'} }

// Parse opens or closes a spoiler. Of three bars, the outer two belong to the spoiler: |||x||| hides |x|.
func (spoilers) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	before := block.PrecendingCharacter()
	line, segment := block.PeekLine()
	n := runLen(line)
	open, _ := pc.Get(openSpoilers).([]*openSpoiler)
	if n != 2 && (n != 3 || len(open) > 0) || before == '|' && len(open) == 0 {
		return nil
	}
	left, right := flanks(before, runeAt(line, n))
	if len(open) > 0 && (right || !left) {
		block.Advance(2)
		pc.Set(openSpoilers, open[:len(open)-1])
		return closeSpoiler(parent, pc, open[len(open)-1])
	}
	if util.IsSpaceRune(runeAt(line, 2)) {
		return nil
	}
	s := &openSpoiler{segment: segment.WithStop(segment.Start + 2)}
	if d := pc.LastDelimiter(); d != nil { // avoids a nil pointer in an interface
		s.bottom = d
	}
	block.Advance(2)
	pc.Set(openSpoilers, append(open, s))
	return s
}

// closeSpoiler returns the spoiler of everything after its opening bars.
func closeSpoiler(parent ast.Node, pc parser.Context, from *openSpoiler) ast.Node {
	dropBrackets(pc, from.segment.Start)
	parser.ProcessDelimiters(from.bottom, pc)
	s := &spoiler{}
	moveAfter(parent, from, nil, s)
	parent.RemoveChild(parent, from)
	return s
}

// dropBrackets turns the open brackets after a place of the source into text.
func dropBrackets(pc parser.Context, start int) {
	open, _ := pc.Get(openBrackets).([]*openBracket)
	i := len(open)
	for i > 0 && open[i-1].segment.Start > start {
		i--
		ast.MergeOrReplaceTextSegment(open[i].Parent(), open[i], open[i].segment)
	}
	pc.Set(openBrackets, open[:i])
}

// moveAfter moves parent's children between two of them into another node.
func moveAfter(parent, from, to, into ast.Node) {
	for c := from.NextSibling(); c != nil && c != to; {
		next := c.NextSibling()
		parent.RemoveChild(parent, c)
		into.AppendChild(into, c)
		c = next
	}
}

// CloseBlock ends the spoilers that are still open. Of two that only begin, the second one's bars end the first: a
// reader who sees too little can look, one who sees too much cannot forget it.
func (spoilers) CloseBlock(_ ast.Node, _ text.Reader, pc parser.Context) {
	open, _ := pc.Get(openSpoilers).([]*openSpoiler)
	for len(open) > 1 && open[0].Parent() == open[1].Parent() {
		s, parent := &spoiler{}, open[0].Parent()
		moveAfter(parent, open[0], open[1], s)
		parent.ReplaceChild(parent, open[0], s)
		parent.RemoveChild(parent, open[1])
		open = open[2:]
	}
	for _, s := range open {
		ast.MergeOrReplaceTextSegment(s.Parent(), s, s.segment)
	}
	pc.Set(openSpoilers, nil)
}

// spoilerBlocks parses spoilers that hide paragraphs, lists and code: blocks between two lines of bars. The closing
// line has as many bars as the opening one.
type spoilerBlocks struct{}

// A spoilerBlock hides blocks.
type spoilerBlock struct {
	ast.BaseBlock
	bars int
}

var kindSpoilerBlock = ast.NewNodeKind("SpoilerBlock")

func (*spoilerBlock) Kind() ast.NodeKind { return kindSpoilerBlock }

func (s *spoilerBlock) Dump(source []byte, level int) { ast.DumpHelper(s, source, level, nil, nil) }

func (spoilerBlocks) Trigger() []byte { return []byte{'|'} }

func (spoilerBlocks) Open(_ ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	line, segment := reader.PeekLine()
	bars := barLine(line)
	if bars == 0 || !closesLater(reader.Source()[segment.Stop:], bars) {
		return nil, parser.NoChildren
	}
	reader.AdvanceToEOL()
	return &spoilerBlock{bars: bars}, parser.HasChildren
}

func (spoilerBlocks) Continue(n ast.Node, reader text.Reader, _ parser.Context) parser.State {
	line, _ := reader.PeekLine()
	if barLine(line) == n.(*spoilerBlock).bars {
		reader.AdvanceToEOL()
		return parser.Close
	}
	return parser.Continue | parser.HasChildren
}

func (spoilerBlocks) Close(ast.Node, text.Reader, parser.Context) {}

func (spoilerBlocks) CanInterruptParagraph() bool { return true }

func (spoilerBlocks) CanAcceptIndentedLine() bool { return false }

// barLine returns the number of bars in a line that has nothing else, if there are at least two.
func barLine(line []byte) int {
	line = bytes.Trim(line, " \t\r\n")
	if len(line) < 2 || runLen(line) != len(line) || line[0] != '|' {
		return 0
	}
	return len(line)
}

// closesLater reports whether a line in rest has nothing but so many bars, behind whatever marks a quote.
func closesLater(rest []byte, bars int) bool {
	for line := range bytes.Lines(rest) {
		if barLine(bytes.TrimLeft(line, "> \t")) == bars {
			return true
		}
	}
	return false
}

// spoilersAlone returns a message that is not formatted as HTML that only hides what is between bars, or "" if there is
// nothing to hide. It takes little time for any message.
func spoilersAlone(message string) string {
	if !strings.Contains(message, "||") {
		return ""
	}
	w := writer{}
	most := 2*len(message) + outputRoom
	eachBar(message, func(shown, secret string) {
		if w.out.Len() > most {
			return
		}
		w.lines(shown)
		if secret != "" {
			w.formatted = true
			w.spoiler(func() { w.lines(secret) })
		}
	})
	if !w.formatted || w.out.Len() > most {
		return ""
	}
	return "<p>" + w.out.String() + "</p>"
}

// lines writes text with a break for each end of a line.
func (w *writer) lines(text string) {
	for i, line := range strings.Split(string(normalise(text)), "\n") {
		if i > 0 {
			w.out.WriteString("<br>")
		}
		w.plain([]byte(line))
	}
}

// splitSpoilers puts the bars of spoilers that go across paragraphs, lists or code into lines of their own, so that
// they are spoilerBlocks: "||a", an empty line, "b||". It leaves spoilers within one paragraph as they are.
func splitSpoilers(source []byte) []byte {
	if bytes.Count(source, []byte("||")) < 2 || bytes.IndexByte(source, '\n') < 0 {
		return source
	}
	s := spoilerSplitter{source: source, open: -1}
	start, fence := 0, byte(0)
	for line := range bytes.Lines(source) {
		words := bytes.TrimLeft(line, "> \t")
		switch mark := fenceMark(words); {
		case fence != 0:
			if mark == fence {
				fence = 0
			}
			s.across = true
		case mark != 0:
			fence, s.across = mark, true
		case barLine(words) > 0:
			return source // written as a block already
		default:
			s.line(start, line, words)
		}
		start += len(line)
	}
	return append(s.out, source[s.done:]...)
}

// A spoilerSplitter reads a message line by line.
type spoilerSplitter struct {
	source []byte
	out    []byte // the message with the bars in lines of their own
	done   int    // how much of source is in out

	open   int    // where the spoiler begins that has not ended, or -1
	quote  []byte // the marks before the line where it begins
	across bool   // it goes across blocks
	table  bool   // it goes across a table, in which two bars are an empty cell
}

// line reads the line at start of the source; words is the line without the marks of quotes.
func (s *spoilerSplitter) line(start int, line, words []byte) {
	s.table = s.table || bytes.IndexByte(line, '|') >= 0 && isRuled(string(bytes.TrimSpace(line)))
	rest, isQuoted := bytes.CutPrefix(line, s.quote)
	s.across = s.across || s.open >= 0 && (!isQuoted || !continuesParagraph(rest))
	for at := range spoilerBars(line, s.open >= 0) {
		switch {
		case s.open < 0:
			s.open, s.across, s.table = start+at, false, false
			s.quote = line[:len(line)-len(words)]
			continue
		case s.across && !s.table:
			bars := "\n" + string(s.quote) + "||\n" + string(s.quote)
			s.out = append(append(s.out, s.source[s.done:s.open]...), bars...)
			s.out = append(append(s.out, s.source[s.open+2:start+at]...), bars...)
			s.done = start + at + 2
		}
		s.open = -1
	}
}

// continuesParagraph reports whether a line can go on with the paragraph before it.
func continuesParagraph(line []byte) bool {
	line = bytes.TrimSpace(line)
	return len(line) > 0 && !startsBlock(string(line)) && !(line[0] == '*' && followedBySpace(string(line), 0))
}

// spoilerBars yields where spoilers begin and end in a line, in turn. Bars in code do not count, nor those behind which
// nothing can begin.
func spoilerBars(line []byte, isOpen bool) iter.Seq[int] {
	return func(yield func(int) bool) {
		code := false
		for i := 0; i+1 < len(line); i++ {
			switch {
			case line[i] == '\\':
				i++
			case line[i] == '`':
				code = !code
			case line[i] == '|' && line[i+1] == '|' && !code:
				n := runLen(line[i:])
				if n <= 3 && (isOpen || !util.IsSpaceRune(runeAt(line, i+2))) {
					isOpen = !isOpen
					if !yield(i) {
						return
					}
				}
				i += n - 1
			}
		}
	}
}

// fenceMark returns the character of the fence that a line begins with, or 0.
func fenceMark(line []byte) byte {
	if len(line) < 3 || line[0] != '`' && line[0] != '~' || runLen(line) < 3 {
		return 0
	}
	return line[0]
}
