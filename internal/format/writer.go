package format

import (
	"bytes"
	"net/url"
	"regexp"
	"strconv"
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
)

func exactly(value string) *regexp.Regexp {
	return regexp.MustCompile("^" + regexp.QuoteMeta(value) + "$")
}

// A writer writes a parsed message as HTML with no white space of its own, and
// finds out whether it was worth it.
type writer struct {
	source    []byte
	out       bytes.Buffer
	formatted bool // there is more than paragraphs, text and links
	visible   bool // there is something to see
	tooDeep   bool // given up
}

func (w *writer) children(parent ast.Node, depth int) {
	if depth > maxDepth {
		w.tooDeep = true
		return
	}
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		w.node(n, depth)
	}
}

func (w *writer) node(n ast.Node, depth int) {
	switch n := n.(type) {
	case *ast.Text:
		w.text(n)
		return
	case *ast.AutoLink:
		w.link(n)
		return
	case *ast.Paragraph:
		w.element("p", n, depth)
		return
	case *ast.TextBlock: // a list item's paragraph, when none of them is set apart
		w.children(n, depth)
		if n.NextSibling() != nil && n.NextSibling().Kind() == ast.KindTextBlock {
			w.out.WriteString("<br>")
		}
		return
	}
	w.formatted = true
	switch n := n.(type) {
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
	w.visible = true // the number
	w.children(n, depth+1)
	w.out.WriteString("</ol>")
}

// text writes what is left of a run of text: no entities, which would let HTML
// in, and of backslashes only those away that kept markup from being it.
func (w *writer) text(n *ast.Text) {
	s := n.Segment.Value(w.source)
	for {
		i := bytes.IndexByte(s, '\\')
		if i < 0 {
			break
		}
		if !isEscape(s, i) {
			w.plain(s[:i+1])
			s = s[i+1:]
			continue
		}
		w.formatted = true
		w.plain(s[:i])
		w.plain(s[i+1 : i+2])
		s = s[i+2:]
	}
	w.plain(s)
	if n.SoftLineBreak() || n.HardLineBreak() {
		if stop := n.Segment.Stop; n.HardLineBreak() && stop < len(w.source) && w.source[stop] == '\\' {
			w.plain([]byte{'\\'}) // every new line is one: it needs no mark
		}
		w.out.WriteString("<br>")
	}
}

// isEscape reports whether the backslash at s[i] took a delimiter's meaning
// away. Not in a shrug, ¯\_(ツ)_/¯: that is its arm.
func isEscape(s []byte, i int) bool {
	if i+1 == len(s) || bytes.IndexByte([]byte("*_~`:"), s[i+1]) < 0 {
		return false
	}
	if s[i+1] == ':' && !isShortCode(string(s[i+2:])) {
		return false
	}
	return !bytes.HasSuffix(s[:i], []byte("¯"))
}

func (w *writer) plain(s []byte) {
	w.out.Write(util.EscapeHTML(s))
	w.visible = w.visible || bytes.ContainsFunc(s, func(r rune) bool { return !unicode.IsSpace(r) })
}

func (w *writer) link(n *ast.AutoLink) {
	address := util.URLEscape(n.URL(w.source), false)
	if _, err := url.Parse(string(address)); err != nil {
		w.plain(n.Label(w.source)) // such as a port of letters
		return
	}
	w.out.WriteString(`<a href="`)
	if n.AutoLinkType == ast.AutoLinkEmail {
		w.out.WriteString("mailto:")
	}
	w.out.Write(util.EscapeHTML(address))
	w.out.WriteString(`" target="_blank" rel="` + linkRel + `">`)
	w.plain(n.Label(w.source))
	w.out.WriteString("</a>")
}

func (w *writer) codeSpan(n *ast.CodeSpan) {
	w.out.WriteString("<code>")
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			w.plain(bytes.ReplaceAll(t.Segment.Value(w.source), []byte("\n"), []byte(" ")))
		}
	}
	w.out.WriteString("</code>")
}

// codeBlock writes fenced code. What stands beside the fence is its language
// if it can be one, and otherwise its first line, so that nothing gets lost.
func (w *writer) codeBlock(n *ast.FencedCodeBlock) {
	var beside []byte
	if n.Info != nil {
		beside = n.Info.Segment.Value(w.source)
	}
	if languageName.Match(beside) {
		w.out.WriteString(`<pre><code class="language-`)
		w.out.Write(beside)
		w.out.WriteString(`">`)
	} else {
		w.out.WriteString("<pre><code>")
		if len(beside) > 0 {
			w.plain(beside)
			w.out.WriteByte('\n')
		}
	}
	for i := range n.Lines().Len() {
		line := n.Lines().At(i)
		w.plain(line.Value(w.source))
	}
	w.out.WriteString("</code></pre>")
}
