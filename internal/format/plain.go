package format

import (
	"html"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Mentionable returns the pieces of a message's text in which people can be mentioned: what is shown of it outside of
// code and links, each piece between two elements. It returns nil for a message without "@".
func Mentionable(message string) (pieces []string) {
	if strings.IndexByte(message, '@') < 0 {
		return nil
	}
	rendered := htmlWithoutColours(message)
	if rendered == "" {
		return []string{message}
	}
	verbatim := 0 // elements that the text is in and that are code or links
	walk(rendered, func(tag, text string) {
		switch name, _, _ := strings.Cut(tag, " "); name {
		case "":
			if verbatim == 0 && strings.IndexByte(text, '@') >= 0 {
				pieces = append(pieces, text)
			}
		case "a", "code", "pre":
			verbatim++
		case "/a", "/code", "/pre":
			verbatim--
		}
	})
	return pieces
}

// hidden stands for a spoiler where a text is shown without formatting.
const hidden = "▒▒▒"

// maxPreviewed is how many bytes of a message Preview reads, so that the previews of a long list take little time.
const maxPreviewed = 1 << 10

// Preview returns the first n characters of a message as text in one line, for a list or a quote: without the marks of
// its formatting, and with "▒▒▒" in place of spoilers. It puts "…" in place of the rest.
func Preview(message string, n int) string {
	source := previewed(message)
	isCut := len(source) < len(message)
	text := plain(source)
	if isCut && utf8.RuneCountInString(text) <= n {
		text += "…"
	}
	if len(text) <= n || utf8.RuneCountInString(text) <= n {
		return text
	}
	for i := range text {
		if n--; n == 0 {
			return text[:i] + "…"
		}
	}
	return text
}

// previewed returns the part of a message that Preview reads. Where a spoiler may go across its end, it ends before all
// spoilers: without the rest nobody knows what they hide.
func previewed(message string) string {
	if len(message) <= maxPreviewed {
		return message
	}
	end := maxPreviewed
	for end > 0 && !utf8.RuneStart(message[end]) {
		end--
	}
	if first := strings.Index(message[:end], "||"); first >= 0 && strings.Contains(message[end-1:], "||") {
		return message[:first] + hidden
	}
	return message[:end]
}

// plain returns a message as text in one line.
func plain(message string) string {
	rendered := htmlWithoutColours(message)
	if rendered == "" {
		return oneLine(hideBars(message))
	}
	p := plainWriter{}
	walk(rendered, p.add)
	return oneLine(p.out.String())
}

// oneLine returns s with one space for each run of white space.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// hideBars hides what is between bars in a text that is shown as it was typed.
func hideBars(text string) string {
	var out strings.Builder
	eachBar(text, func(shown, secret string) {
		out.WriteString(shown)
		if secret != "" {
			out.WriteString(hidden)
		}
	})
	return out.String()
}

// eachBar calls do for each part of a text that is shown as it was typed, with what is hidden after it; the last part
// hides nothing.
func eachBar(text string, do func(shown, secret string)) {
	for done := 0; ; {
		i := strings.Index(text[done:], "||")
		if i < 0 {
			do(text, "")
			return
		}
		rest := text[done+i+2:]
		secret, after, isClosed := strings.Cut(rest, "||")
		if secret == "" || strings.IndexByte("| \t", rest[0]) >= 0 || !isClosed {
			done += i + 2
			continue
		}
		do(text[:done+i], secret)
		text, done = after, 0
	}
}

// A plainWriter writes HTML as text.
type plainWriter struct {
	out     strings.Builder
	spans   []string // the classes of the open spans
	unshown int      // how many of them hide their text: spoilers, and the hosts of links
	numbers []int    // of the last item in each open list, or noNumber
}

const noNumber = -2 // of an item: 0 is a number, and -1 comes before it

// add writes a tag or a text, as walk has found it.
func (p *plainWriter) add(tag, text string) {
	name, attributes, _ := strings.Cut(tag, " ")
	switch name {
	case "":
		p.write(text)
	case "span":
		class := valueOf(attributes, "class")
		if class == "spoiler" {
			p.write(hidden)
		}
		p.spans = append(p.spans, class)
		p.unshown += unshown(class)
	case "/span":
		last := len(p.spans) - 1
		p.unshown -= unshown(p.spans[last])
		p.spans = p.spans[:last]
	case "ol", "ul":
		number := noNumber
		if name == "ol" {
			number = numberOr(valueOf(attributes, "start"), 1) - 1
		}
		p.numbers = append(p.numbers, number)
	case "/ol", "/ul":
		p.numbers = p.numbers[:len(p.numbers)-1]
	case "li":
		p.item(valueOf(attributes, "value"))
	case "input":
		p.write(map[bool]string{true: "☑", false: "☐"}[strings.Contains(attributes, "checked")])
	case "br", "hr", "p", "/p", "/li", "h3", "h4", "h5", "h6", "blockquote", "pre", "/pre", "td", "th", "tr", "/table":
		p.write(" ")
	}
}

func unshown(class string) int {
	if class == "spoiler" || class == "host" {
		return 1
	}
	return 0
}

func (p *plainWriter) item(value string) {
	last := &p.numbers[len(p.numbers)-1]
	if *last == noNumber {
		p.write(" • ")
		return
	}
	*last = numberOr(value, *last+1)
	p.write(" " + strconv.Itoa(*last) + ". ")
}

func (p *plainWriter) write(s string) {
	if p.unshown == 0 {
		p.out.WriteString(s)
	}
}

// valueOf returns the value of an attribute, "" if it is not there.
func valueOf(attributes, name string) string {
	_, rest, _ := strings.Cut(attributes, name+`="`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

func numberOr(s string, other int) int {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return other
}

// WebLinks returns the web addresses to which a message has links.
func WebLinks(message string) (addresses []string) {
	if !mayHaveAddress(message) {
		return nil
	}
	walk(htmlWithoutColours(message), func(tag, _ string) {
		if address := valueOf(tag, "href"); strings.HasPrefix(address, "http") {
			addresses = append(addresses, html.UnescapeString(address))
		}
	})
	return addresses
}

// htmlWithoutColours is HTML without a budget and without colours in code, for those who read only the text.
func htmlWithoutColours(message string) string {
	if !mayHaveFormat(message) || isTooComplex(message) {
		return ""
	}
	if rendered, ok := renderCache.get(message); ok {
		return rendered
	}
	var noColour time.Duration
	rendered, whole := render(message, &noColour)
	rendered = fitting(rendered, message)
	if whole { // it has no code that could have colours
		renderCache.put(message, rendered)
	}
	return rendered
}

// walk calls do for each tag, without its brackets, and for each text of HTML that render has made.
func walk(rendered string, do func(tag, text string)) {
	for rendered != "" {
		text, rest, found := strings.Cut(rendered, "<")
		if text != "" {
			do("", html.UnescapeString(text))
		}
		if !found {
			return
		}
		var tag string
		tag, rendered, _ = strings.Cut(rest, ">")
		do(tag, "")
	}
}
