package wire

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parley/internal/chat"
)

// AppendTextLine appends an event as a line for people: its seq, its time in a zone, and what it says. It appends
// nothing for a deleted text and for ephemeral events.
func AppendTextLine(dst []byte, e chat.Event, zone *time.Location) []byte {
	if e.IsDeleted() || e.Seq == 0 {
		return dst
	}
	dst = append(appendSeq(dst, e.Seq), ' ')
	dst = append(e.At.In(zone).AppendFormat(dst, time.DateTime), ' ')
	if isAction := e.Attrs != nil && e.Attrs.Action; e.Kind == chat.Message && !isAction {
		dst = appendOneLine(dst, e.From.Name)
		dst = append(dst, ": "...)
		return append(appendOneLine(dst, e.Text), '\n')
	}
	dst = appendOneLine(append(dst, "* "...), e.From.Name)
	dst = appendAction(append(dst, ' '), e)
	return append(dst, '\n')
}

// AppendTextEnd appends the last line of a stream: why it ends. Lines of events differ from it, because they begin with
// a number.
func AppendTextEnd(dst []byte, why string) []byte {
	return append(appendOneLine(append(dst, "* Parley: "...), why), '\n')
}

// appendAction appends what the author of an event has done.
func appendAction(dst []byte, e chat.Event) []byte {
	what, text := "", e.Text
	target := strconv.FormatInt(int64(e.Target), 10)
	switch e.Kind {
	case chat.Reply:
		what = "answered in the thread of " + target + ": "
	case chat.Edit:
		what = "edited " + target + ": "
	case chat.Delete:
		what, text = "deleted "+target, ""
	case chat.React:
		what = "reacted to " + target + " with "
	case chat.Unreact:
		what = "took back from " + target + " the reaction "
	case chat.Pin, chat.Unpin:
		what, text = string(e.Kind)+"ned "+target, ""
	case chat.Topic:
		if what = "set the topic: "; text == "" {
			what = "removed the topic"
		}
	}
	return appendOneLine(append(dst, what...), text)
}

// appendOneLine appends s on one line, without characters that a terminal would act on or that hide what they stand
// beside.
func appendOneLine(dst []byte, s string) []byte {
	for _, r := range strings.TrimSpace(s) { // invalid UTF-8 becomes U+FFFD
		switch {
		case r == '\n', r == '\u0085', r == '\u2028', r == '\u2029':
			dst = append(dst, " ⏎ "...)
		case r == '\t':
			dst = append(dst, ' ')
		case r == '\r':
		case r == '\u200c', r == '\u200d': // emoji and some scripts need these joiners
			dst = utf8.AppendRune(dst, r)
		case unicode.In(r, unicode.Cf):
		case unicode.In(r, unicode.Cc, unicode.Co):
			dst = utf8.AppendRune(dst, utf8.RuneError)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}
