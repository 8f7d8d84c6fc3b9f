// Package format turns a message's text into sanitised HTML, for those who
// show it as more than plain text. Start reading at HTML.
//
// It knows a part of Markdown that cannot deceive and nothing else: no people,
// no rooms, no limits of theirs. Headings, tables, images and links under
// another name stay the text that they are, and so does HTML.
package format

import (
	"bytes"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// HTML returns message's formatting as sanitised HTML, and "" if it has none
// beyond lines and links, or so much that it is no message any more. It holds
// only the elements p br strong em del code pre ul ol li blockquote a, and may
// be called from several goroutines.
func HTML(message string) (html string) {
	if !mayHaveFormat(message) || absurd(message) {
		return ""
	}
	// A mistake in the parser must cost a message its bold words, not the
	// server its life.
	defer func() {
		if recover() != nil {
			html = ""
		}
	}()
	source := normalise(message)
	doc := markdown().Parse(text.NewReader(source))
	w := writer{source: source}
	w.children(doc, 0)
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
	)
})

// policy is the second line of defence: writer makes nothing that it takes away.
var policy = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "strong", "em", "del", "code", "pre", "ul", "ol", "li", "blockquote")
	p.AllowAttrs("class").Matching(languageClass).OnElements("code")
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

// mayHaveFormat reports whether text could have formatting. It is wrong in one
// direction only, and cheap, because most messages are plain.
func mayHaveFormat(message string) bool {
	if strings.ContainsAny(message, "*_~`") {
		return true
	}
	for rest := message; ; {
		i := strings.IndexByte(rest, ':')
		if i < 0 {
			break
		}
		rest = rest[i+1:]
		if isShortCode(rest) {
			return true
		}
	}
	for rest := message; ; {
		if startsBlock(strings.TrimLeft(rest, " \t")) {
			return true
		}
		i := strings.IndexAny(rest, "\r\n")
		if i < 0 {
			return false
		}
		rest = rest[i+1:]
	}
}

// startsBlock reports whether line could begin a quote or a list item.
func startsBlock(line string) bool {
	if line == "" {
		return false
	}
	switch c := line[0]; {
	case c == '>':
		return true
	case c == '-', c == '+':
		return followedBySpace(line, 0)
	case c >= '0' && c <= '9':
		rest := strings.TrimLeft(line, "0123456789")
		return rest != "" && (rest[0] == '.' || rest[0] == ')')
	}
	return false
}

func isLineEnd(r rune) bool { return r == '\n' || r == '\r' }

// isShortCode reports whether s, which follows a colon, could begin with an
// emoji's short-code and its second colon.
func isShortCode(s string) bool {
	n := shortCodeLen(s)
	return n > 0 && n < len(s) && s[n] == ':'
}

// shortCodeLen returns how many bytes at the start of s could be an emoji's
// short-code.
func shortCodeLen(s string) int {
	for i := range len(s) {
		if !isAlphaNumeric(s[i]) && s[i] != '_' && s[i] != '-' && s[i] != '+' {
			return i
		}
	}
	return len(s)
}

func isAlphaNumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
