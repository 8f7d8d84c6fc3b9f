package tui

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"parley/client"
	"parley/internal/chat"
)

const (
	minText  = 6  // cells; a text that is narrower is not indented
	maxDepth = 50 // elements within each other; the server makes fewer
)

// A markup makes lines of a message's formatting. That is the server's HTML, so that the terminal has the same grammar
// as the page. No text of it reaches the terminal but through Clean.
type markup struct {
	calls     map[string]bool // folded names that the message mentions; true: it calls whoever looks
	here      bool            // it mentions all in the room
	callsHere bool            // whoever looks, too
	isOpen    bool            // spoilers are uncovered
	hides     bool            // set if there are spoilers
}

// newMarkup returns a markup for a message that me looks at.
func newMarkup(m client.Message, me string, isOpen bool) *markup {
	p := &markup{calls: map[string]bool{}, here: m.AtHere, callsHere: m.From.ID != me, isOpen: isOpen}
	for _, who := range m.Mentions {
		name := chat.FoldName(who.Name)
		p.calls[name] = p.calls[name] || who.ID == me
	}
	return p
}

// lines returns a message's text as lines of at most width cells.
func (p *markup) lines(m client.Message, width int) []string {
	body := parse(m.HTML, m.Text)
	if m.Action {
		first := body
		if c := body.FirstChild; c != nil && c.DataAtom == atom.P {
			first = c
		}
		lead := &html.Node{Type: html.TextNode, Data: "* " + cleanLine(m.From.Name) + " "}
		first.InsertBefore(lead, first.FirstChild)
	}
	return p.blocks(body, ink{}, width, 0)
}

// parse returns an element with the nodes of HTML, or with a text if the HTML is empty.
func parse(source, text string) *html.Node {
	body := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragment(strings.NewReader(source), body)
	if err != nil || source == "" { // only a reader's error is possible
		body.AppendChild(&html.Node{Type: html.TextNode, Data: text})
		return body
	}
	for _, n := range nodes {
		body.AppendChild(n)
	}
	return body
}

// blocks returns the lines of what is in an element: of text and of elements that begin a line of their own.
func (p *markup) blocks(parent *html.Node, k ink, width, depth int) (lines []string) {
	if depth > maxDepth {
		return nil
	}
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			lines = append(lines, wrap(text.String(), width)...)
			text.Reset()
		}
	}
	for n := range parent.ChildNodes() {
		if !isBlock(n) {
			p.inline(&text, n, k, depth)
			continue
		}
		flush()
		if before := n.PrevSibling; n.DataAtom == atom.P && before != nil && before.DataAtom == atom.P {
			lines = append(lines, "")
		}
		lines = append(lines, p.block(n, k, width, depth+1)...)
	}
	flush()
	return lines
}

// isBlock reports whether an element begins a line of its own, or holds one that does.
func isBlock(n *html.Node) bool {
	switch n.DataAtom {
	case atom.P, atom.Div, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Hr, atom.Pre, atom.Blockquote,
		atom.Ul, atom.Ol, atom.Li, atom.Table:
		return true
	}
	for c := range n.ChildNodes() {
		if isBlock(c) {
			return true
		}
	}
	return false
}

func (p *markup) block(n *html.Node, k ink, width, depth int) []string {
	k = p.inkOf(n, k)
	switch n.DataAtom {
	case atom.Hr:
		return []string{styleSoft.Render(strings.Repeat("─", min(width, 20)))}
	case atom.Pre:
		return indent("  ", "  ", width, func(width int) []string {
			var text strings.Builder
			p.inline(&text, n, k, depth)
			code := strings.TrimSuffix(text.String(), "\n")
			return cut(code, width)
		})
	case atom.Blockquote:
		bar := styleSoft.Render("│") + " "
		return indent(bar, bar, width, func(width int) []string { return p.blocks(n, k, width, depth) })
	case atom.Ul, atom.Ol:
		return p.list(n, k, width, depth)
	case atom.Table:
		return p.table(n, k, width, depth)
	}
	return p.blocks(n, k, width, depth)
}

// inkOf returns how text in an element looks that is within text of a look.
func (p *markup) inkOf(n *html.Node, k ink) ink {
	switch n.DataAtom {
	case atom.Strong, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Th:
		k.bold = true
	case atom.Em:
		k.italic = true
	case atom.Del:
		k.struck = true
	case atom.Code, atom.Pre:
		k.code = true
	case atom.A:
		k.underlined = true
	}
	switch class := attribute(n, "class"); {
	case class == "spoiler":
		p.hides = true
		k.hidden = !p.isOpen
	case k.code && n.DataAtom == atom.Span:
		k.shade = class
	}
	return k
}

// inline writes what is in a line. Line breaks are "\n".
func (p *markup) inline(to *strings.Builder, n *html.Node, k ink, depth int) {
	switch {
	case depth > maxDepth || attribute(n, "class") == "host": // the whole address is shown in its place
		return
	case n.Type == html.TextNode:
		p.text(to, Clean(n.Data), k)
		return
	case n.DataAtom == atom.Br:
		to.WriteByte('\n')
		return
	case n.DataAtom == atom.Input:
		box := "[ ]"
		if _, checked := lookUp(n, "checked"); checked {
			box = "[x]"
		}
		to.WriteString(k.write(box))
		return
	}
	inner := p.inkOf(n, k)
	for c := range n.ChildNodes() {
		p.inline(to, c, inner, depth+1)
	}
	if n.DataAtom == atom.A {
		if address := cleanLine(attribute(n, "href")); !names(textOf(n), address) {
			k.underlined = false
			to.WriteString(k.write(" (" + address + ")"))
		}
	}
}

// text writes clean text. The names that the message mentions stand out, but not in code or links.
func (p *markup) text(to *strings.Builder, text string, k ink) {
	done := 0
	for at, names := range chat.MentionsIn(text) {
		if k.code || k.underlined || len(p.calls) == 0 && !p.here {
			break
		}
		for _, name := range names {
			calls, mentioned := p.calls[chat.FoldName(name)]
			if p.here && name == chat.Here {
				calls, mentioned = p.callsHere, true
			}
			if mentioned && at >= done {
				to.WriteString(k.write(text[done:at]))
				done = at + len("@") + len(name)
				named := k
				named.bold, named.calls = true, calls
				to.WriteString(named.write(text[at:done]))
				break
			}
		}
	}
	to.WriteString(k.write(text[done:]))
}

// names reports whether a link's text is its address.
func names(text, address string) bool {
	text, address = strings.TrimSuffix(text, "/"), strings.TrimSuffix(address, "/")
	_, bare, _ := strings.Cut(address, ":")
	return text == address || text == strings.TrimPrefix(bare, "//")
}

func (p *markup) list(n *html.Node, k ink, width, depth int) (lines []string) {
	number, digits := firstNumber(n)-1, 0
	for c := range n.ChildNodes() {
		if c.DataAtom == atom.Li {
			number = numberOf(c, number+1)
			digits = max(digits, len(strconv.Itoa(number)))
		}
	}
	number = firstNumber(n) - 1
	for c := range n.ChildNodes() {
		if c.DataAtom != atom.Li {
			continue
		}
		mark := "• "
		if n.DataAtom == atom.Ol {
			number = numberOf(c, number+1)
			mark = fmt.Sprintf("%*d. ", digits, number)
		}
		space := strings.Repeat(" ", ansi.StringWidth(mark))
		lines = append(lines, indent(mark, space, width, func(width int) []string {
			return p.blocks(c, p.inkOf(c, k), width, depth)
		})...)
	}
	return lines
}

// firstNumber returns the number of the first item of a list.
func firstNumber(list *html.Node) int {
	number, err := strconv.Atoi(attribute(list, "start"))
	if err != nil {
		return 1
	}
	return number
}

// numberOf returns the number of an item: its own, or else the next one.
func numberOf(item *html.Node, next int) int {
	if number, err := strconv.Atoi(attribute(item, "value")); err == nil {
		return number
	}
	return next
}

// indent returns lines with something before the first and before each other one, or with nothing where that would
// leave too little room.
func indent(first, other string, width int, lines func(width int) []string) []string {
	room := width - ansi.StringWidth(first)
	if room < minText {
		return lines(width)
	}
	all := lines(room)
	if len(all) == 0 {
		return []string{first}
	}
	for i, line := range all {
		all[i] = other + line
		if i == 0 {
			all[i] = first + line
		}
	}
	return all
}

func attribute(n *html.Node, name string) string {
	value, _ := lookUp(n, name)
	return value
}

func lookUp(n *html.Node, name string) (value string, found bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// textOf returns an element's text.
func textOf(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}
