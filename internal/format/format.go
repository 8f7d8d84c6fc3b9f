// Package format turns a message's text into sanitised HTML, for those who
// show it as more than plain text. Start reading at HTML.
//
// It knows the Markdown that people know from GitHub, less what can deceive or
// fetch something from elsewhere, and with spoilers: no people, no rooms, no
// limits of theirs. HTML and references stay the text that they are; a link
// that reads otherwise than it leads shows where that is, and an image is a link.
package format

import (
	"bytes"
	"sync"
	"time"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Forget drops what was rendered of some texts, which somebody has deleted.
func Forget(texts ...string) { renderCache.forget(texts) }

// A Budget is how long the formatting of all messages of one request may take.
// HTML takes what it uses from it. It is not for several goroutines at once.
type Budget struct {
	All    time.Duration // of everything; once it is used up, messages stay plain
	Colour time.Duration // of colouring code; once it is used up, code stays plain
}

// Spent reports whether nothing more is formatted but what is known already.
func (b *Budget) Spent() bool { return b.All <= 0 }

// HTML returns message's formatting as sanitised HTML, and "" if it has none
// beyond lines and mail addresses, or so much that it is no message any more, or if
// the budget is used up. It holds only the elements and classes that policy names, at
// most maxGrowth times the bytes of message and a little, and may be called from
// several goroutines. What was rendered lately costs nothing. A nil budget means
// one message's bound.
func HTML(message string, b *Budget) string {
	if !mayHaveFormat(message) || isTooComplex(message) {
		return ""
	}
	if html, ok := renderCache.get(message); ok {
		return html
	}
	if b == nil {
		b = &Budget{All: time.Hour, Colour: maxColouring}
	}
	if b.Spent() {
		return ""
	}
	began := time.Now()
	html, whole := render(message, &b.Colour)
	b.All -= time.Since(began)
	if len(html) > maxGrowth*len(message)+outputRoom {
		html = ""
	}
	if whole {
		renderCache.put(message, html)
	}
	return html
}

// renderCache is what has been written lately: a room's history is read again and
// again, and coloured code takes milliseconds.
var renderCache = cache{limit: 8 << 20}

// render is HTML without its shortcuts and bounds. It takes what it uses from
// colour, and reports whether that was enough for all of the message's code.
func render(message string, colour *time.Duration) (html string, whole bool) {
	// A mistake in the parser must cost a message its bold words, not the
	// server its life.
	defer func() {
		if recover() != nil {
			html, whole = "", true
		}
	}()
	source := normalise(message)
	w := writer{source: source, mayColour: min(*colour, maxColouring)}
	w.children(markdown().Parse(text.NewReader(source)), 0)
	*colour -= w.colouring
	whole = !w.cutShort || w.mayColour == maxColouring
	if !w.formatted || !w.visible || w.tooDeep {
		return "", whole
	}
	return policy().Sanitize(w.out.String()), whole
}

// normalise makes every line end with "\n" and leaves out the zero byte, which
// HTML cannot hold.
func normalise(message string) []byte {
	source := []byte(message)
	source = bytes.ReplaceAll(source, []byte("\r\n"), []byte("\n"))
	source = bytes.ReplaceAll(source, []byte("\r"), []byte("\n"))
	return bytes.ReplaceAll(source, []byte("\x00"), []byte("\uFFFD"))
}

// markdown is made at the first formatted message, for the table of emoji
// takes a while to build.
var markdown = sync.OnceValue(func() parser.Parser {
	return parser.NewParser(
		parser.WithBlockParsers(blockParsers()...),
		parser.WithInlineParsers(inlineParsers()...),
		parser.WithParagraphTransformers(util.Prioritized(tables{extension.NewTableParagraphTransformer()}, 200)),
	)
})

// policy is the second line of defence: writer makes nothing that it takes away.
var policy = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "strong", "em", "del", "code", "pre", "ul", "ol", "li", "blockquote")
	p.AllowElements("h3", "h4", "h5", "h6", "hr", "table", "thead", "tbody", "tr", "th", "td")
	p.AllowAttrs("class").Matching(languageClass).OnElements("code")
	p.AllowAttrs("class").Matching(spanClass).OnElements("span")
	p.AllowAttrs("align").Matching(alignment).OnElements("th", "td")
	p.AllowAttrs("type").Matching(exactly("checkbox")).OnElements("input")
	p.AllowAttrs("disabled", "checked").Matching(exactly("")).OnElements("input")
	p.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto")
	p.RequireParseableURLs(true)
	p.AllowAttrs("rel").Matching(exactly(linkRel)).OnElements("a")
	p.AllowAttrs("target").Matching(exactly("_blank")).OnElements("a")
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	return p
})
