package format

import (
	"strconv"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// quotes parses quotes. Only ">" and a space begin one: ">_<", ">= 5" and ">>> x" are text. A line that does not begin
// so leaves the quote, because whoever answers below a quote rarely leaves an empty line.
type quotes struct{ parser.BlockParser }

// quotedLine is where a line with marks of quotes is, and how many marks it has.
type quotedLine struct{ line, marks int }

var lastQuotedLine = parser.NewContextKey() // quotedLine

func (q quotes) Open(parent ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	if !beginsQuote(reader, false) {
		return nil, parser.NoChildren
	}
	n, state := q.BlockParser.Open(parent, reader, pc)
	if n != nil {
		countQuoteMark(reader, pc)
	}
	return n, state
}

func (q quotes) Continue(n ast.Node, reader text.Reader, pc parser.Context) parser.State {
	if !beginsQuote(reader, true) {
		return parser.Close
	}
	state := q.BlockParser.Continue(n, reader, pc)
	if state&parser.Continue != 0 {
		countQuoteMark(reader, pc)
	}
	return state
}

// beginsQuote reports whether the line's first mark is that of a quote. Within a quote, a mark alone is an empty line.
func beginsQuote(reader text.Reader, within bool) bool {
	line, _ := reader.PeekLine()
	_, i := util.IndentWidth(line, reader.LineOffset())
	if i >= len(line) || line[i] != '>' {
		return false
	}
	if i++; i == len(line) || line[i] == '\n' {
		return within
	}
	return line[i] == ' ' || line[i] == '\t'
}

func countQuoteMark(reader text.Reader, pc parser.Context) {
	line, _ := reader.Position()
	last, _ := pc.Get(lastQuotedLine).(quotedLine)
	if last.line != line {
		last = quotedLine{line: line}
	}
	last.marks++
	pc.Set(lastQuotedLine, last)
}

// paragraphs also accepts indented lines, because there is no indented code. A paragraph in a quote ends with it.
type paragraphs struct{ parser.BlockParser }

func (paragraphs) CanAcceptIndentedLine() bool { return true }

func (paragraphs) CanInterruptParagraph() bool { return true }

func (p paragraphs) Open(parent ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	last := pc.LastOpenedBlock().Node
	if last != nil && ast.IsParagraph(last) && last.Parent() != parent && !leavesQuote(last, reader, pc) {
		return nil, parser.NoChildren
	}
	if last != nil && ast.IsParagraph(last) && last.Parent() == parent {
		return nil, parser.NoChildren
	}
	return p.BlockParser.Open(parent, reader, pc)
}

func (p paragraphs) Continue(n ast.Node, reader text.Reader, pc parser.Context) parser.State {
	if leavesQuote(n, reader, pc) {
		return parser.Close
	}
	return p.BlockParser.Continue(n, reader, pc)
}

// leavesQuote reports whether the current line has fewer marks than there are quotes around a paragraph.
func leavesQuote(paragraph ast.Node, reader text.Reader, pc parser.Context) bool {
	around := 0
	for n := paragraph.Parent(); n != nil; n = n.Parent() {
		if n.Kind() == ast.KindBlockquote {
			around++
		}
	}
	if around == 0 {
		return false
	}
	line, _ := reader.Position()
	last, _ := pc.Get(lastQuotedLine).(quotedLine)
	return last.line != line || last.marks < around
}

// listItems parses the items of lists and keeps their numbers as they were typed.
type listItems struct{ parser.BlockParser }

var itemNumber = []byte("number") // the attribute of an item

func (l listItems) Open(parent ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	line, _ := reader.PeekLine()
	number := leadingNumber(line)
	n, state := l.BlockParser.Open(parent, reader, pc)
	if n != nil && number >= 0 {
		n.SetAttribute(itemNumber, number)
	}
	return n, state
}

// lists parses lists. A number with zeros before it begins none: it would lose them.
type lists struct{ parser.BlockParser }

func (l lists) Open(parent ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	if hasLeadingZero(reader) {
		return nil, parser.NoChildren
	}
	return l.BlockParser.Open(parent, reader, pc)
}

func (l lists) Continue(n ast.Node, reader text.Reader, pc parser.Context) parser.State {
	if hasLeadingZero(reader) && n.(*ast.List).IsOrdered() {
		return parser.Close
	}
	return l.BlockParser.Continue(n, reader, pc)
}

func hasLeadingZero(reader text.Reader) bool {
	line, _ := reader.PeekLine()
	_, i := util.IndentWidth(line, reader.LineOffset())
	return i < 4 && i+1 < len(line) && line[i] == '0' && '0' <= line[i+1] && line[i+1] <= '9'
}

// leadingNumber returns the number that a line begins with, or -1.
func leadingNumber(line []byte) int {
	_, i := util.IndentWidth(line, 0)
	end := i
	for end < len(line) && '0' <= line[end] && line[end] <= '9' {
		end++
	}
	number, err := strconv.Atoi(string(line[i:end]))
	if err != nil {
		return -1
	}
	return number
}

// typedNumber returns the number with which an item was typed, or -1 if it is of a list without numbers.
func typedNumber(n *ast.ListItem) int {
	if number, ok := n.Attribute(itemNumber); ok {
		return number.(int)
	}
	return -1
}
