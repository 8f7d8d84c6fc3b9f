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

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Forget drops all that was rendered lately: what somebody has deleted may be
// among it.
func Forget() { rendered.forget() }

// HTML returns message's formatting as sanitised HTML, and "" if it has none
// beyond lines and mail addresses, or so much that it is no message any more. It holds
// only the elements and classes that policy names, at most maxGrowth times the
// bytes of message and a little, and may be called from several goroutines.
func HTML(message string) string {
	if !mayHaveFormat(message) || absurd(message) {
		return ""
	}
	if html, ok := rendered.get(message); ok {
		return html
	}
	html := render(message)
	if len(html) > maxGrowth*len(message)+outputRoom {
		html = ""
	}
	rendered.put(message, html)
	return html
}

// rendered is what has been written lately: a room's history is read again and
// again, and coloured code takes milliseconds.
var rendered = cache{limit: 8 << 20}

// render is HTML without its shortcuts and bounds.
func render(message string) (html string) {
	// A mistake in the parser must cost a message its bold words, not the
	// server its life.
	defer func() {
		if recover() != nil {
			html = ""
		}
	}()
	source := normalise(message)
	w := writer{source: source}
	w.children(markdown().Parse(text.NewReader(source)), 0)
	if !w.formatted || !w.visible || w.tooDeep {
		return ""
	}
	return policy().Sanitize(w.out.String())
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
