package format

import (
	"html"
	"strings"
	"time"
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

// htmlWithoutColours is HTML without a budget and without colours in code, for those who read only the text.
func htmlWithoutColours(message string) string {
	if !mayHaveFormat(message) || isTooComplex(message) {
		return ""
	}
	if rendered, ok := renderCache.get(message); ok {
		return rendered
	}
	var noColour time.Duration
	rendered, _ := render(message, &noColour)
	return fitting(rendered, message)
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
