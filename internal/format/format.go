// Package format turns a message's text into sanitised HTML. Start reading at HTML.
//
// It supports GitHub's Markdown, without anything that can deceive a reader or load something from
// elsewhere, and with spoilers. It knows no people, rooms or limits of people. HTML and reference
// links stay plain text; a link whose text differs from its target shows its host, and an image
// becomes a link.
package format

import (
	"bytes"
	"sync"
	"time"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Forget removes deleted texts from the cache.
func Forget(texts ...string) {
	renderCache.forget(texts)
	for _, text := range texts {
		if start := previewed(text); start != text {
			renderCache.forget([]string{start})
		}
	}
}

// ForgetAll empties the cache, when it is not known which texts are deleted.
func ForgetAll() { renderCache.clear() }

// A Budget is how long the formatting of all messages of one request may take. HTML subtracts the
// time that it uses. A Budget must not be used by several goroutines at once.
type Budget struct {
	All    time.Duration // for everything; when it is used up, messages stay plain
	Colour time.Duration // for colouring code; when it is used up, code stays plain
}

// Spent reports whether the budget is used up, so that only cached results have formatting.
func (b *Budget) Spent() bool { return b.All <= 0 }

// HTML returns message's formatting as sanitised HTML. It returns "" if the text has no formatting
// except lines. If it has too much, or if the budget is used up, only spoilers are formatted. The HTML
// contains only the elements and classes that policy allows, and has at most maxGrowth times the
// bytes of message plus outputRoom. HTML may be called from several goroutines. Cached results cost
// nothing. A nil budget means the limits of one message.
func HTML(message string, b *Budget) string {
	if !mayHaveFormat(message) {
		return ""
	}
	if isTooComplex(message) {
		return spoilersAlone(message)
	}
	if html, ok := renderCache.get(message); ok {
		return html
	}
	if b == nil {
		b = &Budget{All: time.Hour, Colour: maxColouring}
	}
	if b.Spent() {
		return spoilersAlone(message)
	}
	began := time.Now()
	html, whole := render(message, &b.Colour)
	b.All -= time.Since(began)
	html = fitting(html, message)
	if whole {
		renderCache.put(message, html)
	}
	return html
}

// fitting returns the HTML of a message or, if it is too long for the message, that of its spoilers alone.
func fitting(html, message string) string {
	if len(html) > maxGrowth*len(message)+outputRoom {
		return spoilersAlone(message)
	}
	return html
}

// renderCache holds recent results: a room's history is read again and again, and colouring code
// takes milliseconds.
var renderCache = cache{limit: 8 << 20}

// render is HTML without its shortcuts and limits. It subtracts the time that it uses from colour,
// and reports whether that was enough for all of the message's code.
func render(message string, colour *time.Duration) (html string, whole bool) {
	// A bug in the parser must cost a message its formatting, not end the server.
	defer func() {
		if recover() != nil {
			html, whole = spoilersAlone(message), true
		}
	}()
	source := splitSpoilers(normalise(message))
	w := writer{source: source, mayColour: min(*colour, maxColouring)}
	w.children(markdown().Parse(text.NewReader(source)), 0)
	*colour -= w.colouring
	whole = !w.cutShort || w.mayColour == maxColouring
	if w.tooDeep {
		return spoilersAlone(message), whole
	}
	if !w.formatted || !w.visible {
		return "", whole
	}
	return policy().Sanitize(w.out.String()), whole
}

// normalise makes every line end with "\n" and removes the zero byte, which HTML cannot contain.
func normalise(message string) []byte {
	source := []byte(message)
	source = bytes.ReplaceAll(source, []byte("\r\n"), []byte("\n"))
	source = bytes.ReplaceAll(source, []byte("\r"), []byte("\n"))
	return bytes.ReplaceAll(source, []byte("\x00"), []byte("\uFFFD"))
}

// markdown is made for the first formatted message, because building the table of emoji takes a
// while.
var markdown = sync.OnceValue(func() parser.Parser {
	return parser.NewParser(
		parser.WithBlockParsers(blockParsers()...),
		parser.WithInlineParsers(inlineParsers()...),
		parser.WithParagraphTransformers(util.Prioritized(tables{}, 200)),
	)
})

// policy is the second line of defence: writer produces nothing that it would remove.
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
	p.AllowAttrs("value").Matching(bluemonday.Integer).OnElements("li")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto")
	p.RequireParseableURLs(true)
	p.AllowAttrs("rel").Matching(exactly(linkRel)).OnElements("a")
	p.AllowAttrs("target").Matching(exactly("_blank")).OnElements("a")
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	return p
})
