package tui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// An ink is how a piece of a text looks.
type ink struct {
	bold, italic, struck, underlined bool
	code, calls, hidden              bool   // calls: it names whoever looks; hidden: a spoiler that is covered
	shade                            string // the class of coloured code; see shades
}

// shades are the colours of code by class, from the terminal's own palette. Other classes look like plain code.
var shades = map[string]ansi.Attr{
	"c":  ansi.AttrFaint, // comments
	"k":  ansi.AttrMagentaForegroundColor,
	"s":  ansi.AttrGreenForegroundColor,
	"m":  ansi.AttrYellowForegroundColor,
	"gi": ansi.AttrGreenForegroundColor,
	"gd": ansi.AttrRedForegroundColor,
}

// write returns clean text in this ink, or what covers it. Each of its lines has the style for itself.
func (k ink) write(text string) string {
	if k.hidden {
		text = cover(text)
	}
	style := k.style()
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = style.Styled(line)
		}
	}
	return strings.Join(lines, "\n")
}

func (k ink) style() ansi.Style {
	if k.hidden {
		return ansi.NewStyle(ansi.AttrFaint)
	}
	var attributes []ansi.Attr
	add := func(set bool, more ...ansi.Attr) {
		if set {
			attributes = append(attributes, more...)
		}
	}
	shade, isShade := shades[k.shade]
	add(isShade, shade)
	add(k.code && !isShade, ansi.AttrCyanForegroundColor)
	add(k.bold || k.calls, ansi.AttrBold)
	add(k.italic, ansi.AttrItalic)
	add(k.underlined, ansi.AttrUnderline)
	add(k.calls, ansi.AttrReverse)
	add(k.struck, ansi.AttrStrikethrough)
	return ansi.NewStyle(attributes...)
}

// cover hides the words of a text. It leaves their widths, so that nothing moves when they are uncovered.
func cover(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		words := strings.Split(line, " ")
		for j, word := range words {
			words[j] = strings.Repeat("▒", ansi.StringWidth(word))
		}
		lines[i] = strings.Join(words, " ")
	}
	return strings.Join(lines, "\n")
}
