package tui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// A cell is one of a table's, as one line.
type cell struct {
	text  string
	align string // "left", "center", "right" or ""
}

// table returns a table as lines. If it is too wide, each row becomes lines of "head: cell".
func (p *markup) table(n *html.Node, k ink, width, depth int) (lines []string) {
	rows := p.rows(n, k, depth)
	if len(rows) == 0 {
		return nil
	}
	var widths []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], ansi.StringWidth(c.text))
		}
	}
	total := 3 * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	if total > width {
		return narrowTable(rows, width)
	}
	bar := styleSoft.Render(" │ ")
	for i, row := range rows {
		var texts []string
		for j, w := range widths {
			c := cell{}
			if j < len(row) {
				c = row[j]
			}
			texts = append(texts, c.padded(w))
		}
		lines = append(lines, strings.Join(texts, bar))
		if i == 0 {
			var rules []string
			for _, w := range widths {
				rules = append(rules, strings.Repeat("─", w))
			}
			lines = append(lines, styleSoft.Render(strings.Join(rules, "─┼─")))
		}
	}
	return lines
}

// rows returns the cells of a table. The first row is the head.
func (p *markup) rows(n *html.Node, k ink, depth int) (rows [][]cell) {
	for r := range n.Descendants() {
		if r.DataAtom != atom.Tr {
			continue
		}
		var row []cell
		for c := range r.ChildNodes() {
			if c.DataAtom == atom.Td || c.DataAtom == atom.Th {
				var text strings.Builder
				p.inline(&text, c, k, depth)
				row = append(row, cell{strings.ReplaceAll(text.String(), "\n", " "), attribute(c, "align")})
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func narrowTable(rows [][]cell, width int) (lines []string) {
	head := rows[0]
	if len(rows) == 1 {
		rows, head = append(rows, head), nil
	}
	for i, row := range rows[1:] {
		if i > 0 {
			lines = append(lines, "")
		}
		for j, c := range row {
			text := c.text
			if j < len(head) && head[j].text != "" {
				text = head[j].text + ": " + text
			}
			lines = append(lines, wrap(text, width)...)
		}
	}
	return lines
}

// padded returns the cell's text with spaces up to a width.
func (c cell) padded(width int) string {
	space := max(0, width-ansi.StringWidth(c.text))
	left := 0
	switch c.align {
	case "right":
		left = space
	case "center":
		left = space / 2
	}
	return strings.Repeat(" ", left) + c.text + strings.Repeat(" ", space-left)
}
