package tui

import (
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/rivo/uniseg"
)

// wrap breaks text into lines of at most width cells: between words, beside wide characters, whose scripts have no
// spaces, and within words that are too long. It never separates a character from its marks. A style that goes on ends
// with each line and begins again.
func wrap(text string, width int) []string { return broken(text, width, true) }

// cut breaks text into lines of at most width cells anywhere, and keeps its spaces.
func cut(text string, width int) []string { return broken(text, width, false) }

func broken(text string, width int, betweenWords bool) []string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		b := breaker{width: max(width, 2)} // a wide character needs two
		for rest := line; rest != ""; {
			var piece string
			piece, rest = firstPiece(rest)
			switch {
			case piece == " " && betweenWords:
				b.endWord()
				b.spaces++
			case piece[0] == '\x1b':
				b.word.WriteString(piece)
			default:
				b.add(piece, betweenWords)
			}
		}
		b.endWord()
		lines = append(lines, append(b.lines, b.line.String())...)
	}
	return strings.Split(carryStyles(strings.Join(lines, "\n")), "\n")
}

// firstPiece cuts the first character with its marks, or the first style, from a text that is not empty.
func firstPiece(text string) (piece, rest string) {
	if text[0] == '\x1b' {
		end := strings.IndexByte(text, 'm') + 1
		return text[:end], text[end:]
	}
	piece, rest, _, _ = uniseg.FirstGraphemeClusterInString(text, -1)
	return piece, rest
}

// A breaker makes lines of one.
type breaker struct {
	width  int
	lines  []string // that are full
	line   strings.Builder
	used   int // cells of line
	spaces int // between line and word
	word   strings.Builder
	cells  int // of word
}

// add adds a character to the word.
func (b *breaker) add(piece string, betweenWords bool) {
	cells := ansi.StringWidth(piece)
	isWide := cells > 1 || !betweenWords
	if isWide {
		b.endWord()
	}
	if b.used+b.spaces+b.cells+cells > b.width {
		if b.used > 0 {
			b.endLine()
		}
		if b.spaces = 0; b.cells+cells > b.width {
			b.endWord()
			b.endLine()
		}
	}
	b.word.WriteString(piece)
	b.cells += cells
	if isWide {
		b.endWord()
	}
}

// endWord puts the word into the line, where add has made room for it. Styles alone do not end the spaces before them,
// which may be at the end of the line.
func (b *breaker) endWord() {
	if b.cells > 0 {
		b.line.WriteString(strings.Repeat(" ", b.spaces))
		b.used += b.spaces + b.cells
		b.spaces, b.cells = 0, 0
	}
	b.line.WriteString(b.word.String())
	b.word.Reset()
}

func (b *breaker) endLine() {
	b.lines = append(b.lines, b.line.String())
	b.line.Reset()
	b.used = 0
}

// carryStyles makes each line end its styles, and begin those of the line before it that go on.
func carryStyles(lines string) string {
	var b strings.Builder
	w := lipgloss.NewWrapWriter(&b)
	_, _ = w.Write([]byte(lines)) // into memory
	_ = w.Close()
	return b.String()
}
