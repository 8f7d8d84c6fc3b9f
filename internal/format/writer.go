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
	number    int  // of the list's item before

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
	case *ast.Emphasis:
		w.emphasis(n, depth)
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
	case *spoiler, *spoilerBlock:
		w.spoiler(func() { w.children(n, depth+1) })
	case *extast.Table:
		w.table(n, depth)
	case *extast.TaskCheckBox:
		w.task(n)
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
		w.item(n, depth)
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
	around := w.number
	w.number = n.Start
	w.children(n, depth+1)
	w.number = around
	w.out.WriteString("</ol>")
}

// item writes an item of a list. In an ordered list it has the number that was typed, unless all were typed alike, as
// in "1. a", "1. b".
func (w *writer) item(n *ast.ListItem, depth int) {
	number := typedNumber(n)
	before, ok := n.PreviousSibling().(*ast.ListItem)
	if !ok || number < 0 {
		w.element("li", n, depth)
		return
	}
	shown := w.number + 1
	if typed := typedNumber(before); number != shown && (number != typed || number > 1) {
		shown = number
		w.out.WriteString(`<li value="` + strconv.Itoa(number) + `">`)
	} else {
		w.out.WriteString("<li>")
	}
	w.number = shown
	w.children(n, depth+1)
	w.out.WriteString("</li>")
}

// emphasis writes emphasised text. A single mark around nothing but signs is no emphasis: *_* is a face, and *.* means
// any file.
func (w *writer) emphasis(n *ast.Emphasis, depth int) {
	t, ok := n.FirstChild().(*ast.Text)
	if n.Level == 1 && ok && n.ChildCount() == 1 && isSigns(t.Segment.Value(w.source)) {
		mark := w.source[t.Segment.Start-1 : t.Segment.Start]
		w.plain(mark)
		w.text(t)
		w.plain(mark)
		return
	}
	w.formatted = true
	w.element([]string{"em", "em", "strong"}[n.Level], n, depth)
}

// isSigns reports whether s has only ASCII punctuation.
func isSigns(s []byte) bool {
	for _, c := range s {
		if !util.IsPunct(c) {
			return false
		}
	}
	return true
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
			w.plain(w.source[done:i])
			done = i + 1
			i++ // the escaped character
		}
	}
	w.plain(w.source[done:n.Segment.Stop])
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
	if len(after) == 0 || bytes.HasSuffix(before, []byte("¯")) || isInPath(w.source[max(0, i-maxPath):i]) {
		return false
	}
	switch after[0] {
	case '*', '_', '~', '`':
		return true
	case ':':
		return isShortCode(string(after[1:min(maxShortCode, len(after))]))
	case '#', '>', '-', '+':
		start := bytes.LastIndexByte(before, '\n')
		return (start >= 0 || i <= maxMargin) && len(bytes.Trim(before[start+1:], " \t>")) == 0 &&
			!bytes.HasSuffix(before, []byte(">")) &&
			isEscapedBlock(string(after[:min(8, len(after))]))
	case '[':
		line, _, _ := bytes.Cut(after, []byte{'\n'})
		return bytes.Contains(line, []byte("]("))
	case '|':
		return w.inCell || bytes.HasPrefix(after, []byte("||")) || bytes.HasPrefix(after, []byte(`|\|`)) ||
			bytes.HasSuffix(before, []byte("|"))
	}
	return false
}

// isInPath reports whether a backslash after before is one of a Windows path, such as D:\_work, .\_work or
// \\host\_work.
func isInPath(before []byte) bool {
	word := before[1+bytes.LastIndexAny(before, " \t\n\"'(>"):]
	drive := len(word) >= 2 && word[1] == ':' && isAlphaNumeric(word[0])
	return drive || len(word) > 0 && (word[0] == '\\' && len(word) > 2 && word[1] == '\\' || word[0] == '%' ||
		word[0] == '~' && (len(word) == 1 || word[1] == '\\') ||
		word[0] == '.' && len(bytes.Trim(word[:min(len(word), 3)], `.\`)) == 0)
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
