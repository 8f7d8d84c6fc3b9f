package format

import (
	"bytes"
	"regexp"
	"strconv"
	"time"
	"unicode"

	emojiast "github.com/yuin/goldmark-emoji/ast"
	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/util"
)

const linkRel = "nofollow noopener noreferrer"

var (
	languageName  = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_+#.-]{0,31}$`)
	languageClass = regexp.MustCompile(`^language-[a-zA-Z0-9][a-zA-Z0-9_+#.-]{0,31}$`)
	// Classes in code: see shadeOf
	spanClass = regexp.MustCompile(`^(spoiler|host|c|gd|gh|gi|k|m|na|nb|nf|nt|nv|s)$`)
)

func exactly(value string) *regexp.Regexp {
	return regexp.MustCompile("^" + regexp.QuoteMeta(value) + "$")
}

// A writer writes a parsed message as HTML without extra white space, and records whether the
// message had any formatting.
type writer struct {
	source    []byte
	out       bytes.Buffer
	formatted bool // there is more than paragraphs, text and mail addresses
	visible   bool // there is visible content
	tooDeep   bool // the nesting is too deep; the result is discarded

	outline                   []int // typed levels of the headings that contain the next one
	inLink, inSpoiler, inCell bool
	coloured                  int           // bytes of code
	colouring                 time.Duration // time that took
	mayColour                 time.Duration // time it may take
	cutShort                  bool          // it would have taken longer
}

func (w *writer) children(parent ast.Node, depth int) {
	if depth > maxDepth {
		w.tooDeep = true
		return
	}
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		if !joinsNext(n) {
			w.node(n, depth)
		}
	}
}

// joinsNext joins a text with the next one if they are adjacent in the source: an address must not
// be cut at a character that turned out not to be markup.
func joinsNext(n ast.Node) bool {
	t, ok := n.(*ast.Text)
	if !ok || t.SoftLineBreak() || t.HardLineBreak() {
		return false
	}
	next, ok := n.NextSibling().(*ast.Text)
	if !ok || next.Segment.Start != t.Segment.Stop || next.Segment.Padding > 0 {
		return false
	}
	next.Segment = next.Segment.WithStart(t.Segment.Start)
	return true
}

func (w *writer) node(n ast.Node, depth int) {
	switch n := n.(type) {
	case *ast.Text:
		w.text(n)
		return
	case *ast.AutoLink:
		w.address(n.Label(w.source), n.AutoLinkType == ast.AutoLinkEmail)
		return
	case *ast.Paragraph:
		w.element("p", n, depth)
		return
	case *ast.Heading:
		if !n.HasChildren() { // only the markup characters are visible
			w.out.WriteString("<p>")
			w.plain(bytes.Repeat([]byte{'#'}, n.Level))
			w.out.WriteString("</p>")
			return
		}
	case *ast.TextBlock: // a paragraph of a tight list's item
		w.children(n, depth)
		if n.NextSibling() != nil && n.NextSibling().Kind() == ast.KindTextBlock {
			w.out.WriteString("<br>")
		}
		return
	}
	w.formatted = true
	switch n := n.(type) {
	case *ast.Heading:
		w.element(w.heading(n.Level), n, depth)
	case *ast.ThematicBreak:
		w.out.WriteString("<hr>")
	case *namedLink:
		w.namedLink(n, depth)
	case *spoiler:
		w.spoiler(func() { w.children(n, depth+1) })
	case *extast.Table:
		w.table(n, depth)
	case *extast.TaskCheckBox:
		w.task(n)
	case *ast.Emphasis:
		w.element([]string{"em", "em", "strong"}[n.Level], n, depth)
	case *extast.Strikethrough:
		w.element("del", n, depth)
	case *emojiast.Emoji:
		w.out.WriteString(string(n.Value.Unicode))
		w.visible = true
	case *ast.CodeSpan:
		w.codeSpan(n)
	case *ast.FencedCodeBlock:
		w.codeBlock(n)
	case *ast.Blockquote:
		w.element("blockquote", n, depth)
	case *ast.ListItem:
		w.element("li", n, depth)
	case *ast.List:
		w.list(n, depth)
	}
}

func (w *writer) element(tag string, n ast.Node, depth int) {
	w.out.WriteString("<" + tag + ">")
	w.children(n, depth+1)
	w.out.WriteString("</" + tag + ">")
}

// heading returns the element for a heading of a typed level. Headings of messages come below those
// of the page, whose first two levels are its own, and go down by at most one level, however many
// number signs were typed. So the page's headings can be walked through in order.
func (w *writer) heading(level int) string {
	for len(w.outline) > 0 && w.outline[len(w.outline)-1] >= level {
		w.outline = w.outline[:len(w.outline)-1]
	}
	w.outline = append(w.outline, level)
	return "h" + strconv.Itoa(min(2+len(w.outline), 6))
}

func (w *writer) list(n *ast.List, depth int) {
	if !n.IsOrdered() {
		w.element("ul", n, depth)
		return
	}
	if n.Start == 1 {
		w.out.WriteString("<ol>")
	} else {
		w.out.WriteString(`<ol start="` + strconv.Itoa(n.Start) + `">`)
	}
	w.visible = true // its number
	w.children(n, depth+1)
	w.out.WriteString("</ol>")
}

// spoiler writes content as hidden text. Within another spoiler it writes plain content, which
// would otherwise have to be uncovered twice.
func (w *writer) spoiler(content func()) {
	if w.inSpoiler {
		content()
		return
	}
	w.inSpoiler = true
	w.out.WriteString(`<span class="spoiler">`)
	content()
	w.out.WriteString("</span>")
	w.inSpoiler = false
}

// task writes whether an item of a list is done. The box is disabled, because changing it would be
// an edit of the message.
func (w *writer) task(n *extast.TaskCheckBox) {
	w.out.WriteString(`<input type="checkbox" disabled=""`)
	if n.IsChecked {
		w.out.WriteString(` checked=""`)
	}
	w.out.WriteString("> ")
	w.visible = true
}

// text writes a run of text. It does not decode entities, which would let HTML in, and removes only
// those backslashes that prevented markup.
func (w *writer) text(n *ast.Text) {
	done := n.Segment.Start
	for i := done; i < n.Segment.Stop; i++ {
		if w.source[i] == '\\' && w.isEscape(i) {
			w.formatted = true
			w.words(done, i)
			done = i + 1
			i++ // the escaped character
		}
	}
	w.words(done, n.Segment.Stop)
	if n.SoftLineBreak() || n.HardLineBreak() {
		if stop := n.Segment.Stop; n.HardLineBreak() && stop < len(w.source) && w.source[stop] == '\\' {
			w.plain([]byte{'\\'}) // every new line is a line break, so the backslash is not needed
		}
		w.out.WriteString("<br>")
	}
}

// isEscape reports whether the backslash at i of the source escaped a delimiter. In a shrug,
// ¯\_(ツ)_/¯, it does not: there it is an arm.
func (w *writer) isEscape(i int) bool {
	// Look only this far, so that each backslash costs the same.
	before, after := w.source[max(0, i-maxMargin):i], w.source[i+1:min(i+1+maxAddress, len(w.source))]
	if len(after) == 0 || bytes.HasSuffix(before, []byte("¯")) {
		return false
	}
	switch after[0] {
	case '*', '_', '~', '`':
		return true
	case ':':
		return isShortCode(string(after[1:min(maxShortCode, len(after))]))
	case '#':
		start := bytes.LastIndexByte(before, '\n')
		return (start >= 0 || i <= maxMargin) && len(bytes.Trim(before[start+1:], " \t>")) == 0 &&
			isHeading(string(after[:min(8, len(after))]))
	case '[':
		line, _, _ := bytes.Cut(after, []byte{'\n'})
		return bytes.Contains(line, []byte("]("))
	case '|':
		return w.inCell || bytes.HasPrefix(after, []byte("||")) || bytes.HasPrefix(after, []byte(`|\|`)) ||
			bytes.HasSuffix(before, []byte("|"))
	}
	return false
}

func (w *writer) plain(s []byte) {
	w.out.Write(util.EscapeHTML(s))
	w.visible = w.visible || bytes.ContainsFunc(s, func(r rune) bool { return !unicode.IsSpace(r) })
}

func (w *writer) codeSpan(n *ast.CodeSpan) {
	w.out.WriteString("<code>")
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			code := bytes.ReplaceAll(t.Segment.Value(w.source), []byte("\n"), []byte(" "))
			if w.inCell {
				code = bytes.ReplaceAll(code, []byte(`\|`), []byte("|"))
			}
			w.plain(code)
		}
	}
	w.out.WriteString("</code>")
}
