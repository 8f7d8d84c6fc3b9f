package format

import (
	"bytes"
	"strings"
	"time"

	"github.com/alecthomas/chroma/v2"
	"github.com/yuin/goldmark/ast"
)

// Limits of the code that is coloured. Lexers are regular expressions with look-behind. The cost of
// one step grows with the square or cube of the line's length or of a run of white space, and
// doubles with each backslash in some unterminated strings. So these lengths are limited, each
// match has a timeout, and the time is checked between steps.
const (
	maxCode     = 8 << 10 // bytes per message
	maxCodeLine = 400     // bytes
	maxBlank    = 100     // bytes of white space in a row
)

// How long one match, and colouring all code of a message, may take. On a busy machine a word or
// all code may stay plain. These are variables so that tests need not depend on the machine's
// speed.
var (
	maxMatch     = 5 * time.Millisecond
	maxColouring = 50 * time.Millisecond
)

// codeBlock writes fenced code. The text beside the fence is the language if it can be one, and
// otherwise the code's first line, so that no text is lost.
func (w *writer) codeBlock(n *ast.FencedCodeBlock) {
	var beside []byte
	if n.Info != nil {
		beside = n.Info.Segment.Value(w.source)
	}
	var code bytes.Buffer
	language := ""
	if languageName.Match(beside) {
		language = string(beside)
		w.out.WriteString(`<pre><code class="language-` + language + `">`)
	} else {
		w.out.WriteString("<pre><code>")
		if len(beside) > 0 {
			code.Write(beside)
			code.WriteByte('\n')
		}
	}
	for i := range n.Lines().Len() {
		line := n.Lines().At(i)
		code.Write(line.Value(w.source))
	}
	w.code(code.Bytes(), language)
	w.out.WriteString("</code></pre>")
}

// code writes code in colours if its language is known and it is within the limits; otherwise
// plainly.
func (w *writer) code(code []byte, language string) {
	lexer := knownLexers()[strings.ToLower(language)]
	if lexer != nil && w.coloured+len(code) <= maxCode && !hasOverlongLines(code) {
		w.coloured += len(code)
		if w.colouring >= w.mayColour {
			w.cutShort = true
		} else if w.colour(lexer, string(code)) {
			return
		}
	}
	w.plain(code)
}

// hasOverlongLines reports whether code has lines or runs of white space that are longer than
// people write.
func hasOverlongLines(code []byte) bool {
	line, blank := 0, 0
	for _, c := range code {
		line++
		blank++
		switch c {
		case '\n':
			line = 0
		case ' ', '\t', '\v', '\f', '\r':
		default:
			blank = 0
		}
		if line > maxCodeLine || blank > maxBlank {
			return true
		}
	}
	return false
}

// colour writes code in colours. If that takes too long, panics, or would change the text, it
// writes nothing and returns false.
func (w *writer) colour(lexer chroma.Lexer, code string) (done bool) {
	start := w.out.Len()
	defer func() {
		if recover() != nil {
			done = false // a bug in a lexer panics
		}
		if !done {
			w.out.Truncate(start)
		}
	}()
	// Compile the lexer first, so that its time is not charged to the message
	if _, err := lexer.Tokenise(nil, ""); err != nil {
		return false
	}
	began := time.Now()
	defer func() { w.colouring += time.Since(began) }()
	next, err := lexer.Tokenise(&chroma.TokeniseOptions{State: "root"}, code)
	if err != nil {
		return false
	}
	rest, shade := code, ""
	var run strings.Builder // consecutive tokens of one class
	flush := func() {
		if shade != "" {
			w.out.WriteString(`<span class="` + shade + `">`)
			defer w.out.WriteString("</span>")
		}
		w.plain([]byte(run.String()))
		run.Reset()
	}
	for token := next(); token != chroma.EOF; token = next() {
		if w.colouring+time.Since(began) > w.mayColour {
			w.cutShort = true
			return false
		}
		var same bool
		if rest, same = strings.CutPrefix(rest, token.Value); !same {
			return false
		}
		s := shadeOf(token)
		if s != shade {
			flush()
			shade = s
		}
		run.WriteString(token.Value)
	}
	flush()
	return rest == ""
}

// tokenClasses has the CSS classes of coloured code, named as in Pygments, by kind of token. Other
// tokens stay plain: code in which everything is coloured is hard to read, and its HTML is large.
var tokenClasses = map[chroma.TokenType]string{
	chroma.Comment:            "c",
	chroma.CommentHashbang:    "c",
	chroma.CommentMultiline:   "c",
	chroma.CommentSingle:      "c",
	chroma.CommentSpecial:     "c",
	chroma.CommentPreproc:     "k",
	chroma.CommentPreprocFile: "s",
	chroma.OperatorWord:       "k",
	chroma.NameBuiltin:        "nb",
	chroma.NameBuiltinPseudo:  "nb",
	chroma.NameFunction:       "nf",
	chroma.NameFunctionMagic:  "nf",
	chroma.NameClass:          "nf",
	chroma.NameDecorator:      "nf",
	chroma.NameException:      "nf",
	chroma.NameTag:            "nt",
	chroma.NameKeyword:        "nt",
	chroma.NameAttribute:      "na",
	chroma.NameProperty:       "na",
	chroma.LiteralDate:        "m",
	chroma.GenericDeleted:     "gd",
	chroma.GenericInserted:    "gi",
	chroma.GenericHeading:     "gh",
	chroma.GenericSubheading:  "gh",
}

// shadeOf returns a token's class, or "" if it has none.
func shadeOf(t chroma.Token) string {
	if strings.TrimSpace(t.Value) == "" {
		return ""
	}
	if class, ok := tokenClasses[t.Type]; ok {
		return class
	}
	switch {
	case t.Type.InCategory(chroma.Keyword):
		return "k"
	case t.Type.InSubCategory(chroma.NameVariable):
		return "nv"
	case t.Type.InSubCategory(chroma.LiteralString):
		return "s"
	case t.Type.InSubCategory(chroma.LiteralNumber):
		return "m"
	}
	return ""
}
