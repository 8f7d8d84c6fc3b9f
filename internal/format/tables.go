package format

import (
	"bytes"
	"regexp"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// tables parses GitHub's tables, with a limit on their size. The line below the head must contain a bar, so that words
// above a dashed line are not a table. No cell is lost: bars in code and around a spoiler separate none, and a row may
// have more cells than the head.
type tables struct{}

func (tables) Transform(paragraph *ast.Paragraph, reader text.Reader, _ parser.Context) {
	lines, source := paragraph.Lines(), reader.Source()
	for i := 1; i < lines.Len(); i++ {
		segment := lines.At(i)
		below := segment.Value(source)
		dashes, bars := ruling(string(below))
		if dashes == 0 {
			continue
		}
		if bars == 0 || bars >= maxColumns || (bars+1)*(lines.Len()-i) > maxCells {
			return
		}
		alignments := alignmentsOf(below)
		head := cellsOf(lines.At(i-1), source)
		if len(alignments) == 0 || len(alignments) != len(head) {
			return
		}
		table := extast.NewTable()
		table.Alignments = alignments
		table.AppendChild(table, extast.NewTableHeader(tableRow(head, alignments)))
		for j := i + 1; j < lines.Len(); j++ {
			table.AppendChild(table, tableRow(cellsOf(lines.At(j), source), alignments))
		}
		parent := paragraph.Parent()
		parent.InsertAfter(parent, paragraph, table)
		lines.SetSliced(0, i-1)
		if lines.Len() == 0 {
			parent.RemoveChild(parent, paragraph)
			return
		}
		last := lines.At(i - 2)
		lines.Set(i-2, last.TrimRightSpace(source))
		return
	}
}

// alignmentsOf returns the alignments in the line below a table's head, or nil if that is no such line.
func alignmentsOf(line []byte) (found []extast.Alignment) {
	line = bytes.TrimSpace(line)
	line = bytes.TrimSuffix(bytes.TrimPrefix(line, []byte("|")), []byte("|"))
	for cell := range bytes.SplitSeq(line, []byte("|")) {
		cell = bytes.TrimSpace(cell)
		left, right := bytes.HasPrefix(cell, []byte(":")), bytes.HasSuffix(cell, []byte(":"))
		if dashes := bytes.Trim(cell, ":"); len(dashes) == 0 || len(bytes.Trim(dashes, "-")) > 0 ||
			len(cell)-len(dashes) > 2 || len(cell) == len(dashes)+2 && (!left || !right) {
			return nil
		}
		switch {
		case left && right:
			found = append(found, extast.AlignCenter)
		case left:
			found = append(found, extast.AlignLeft)
		case right:
			found = append(found, extast.AlignRight)
		default:
			found = append(found, extast.AlignNone)
		}
	}
	return found
}

func tableRow(cells []text.Segment, alignments []extast.Alignment) *extast.TableRow {
	row := extast.NewTableRow(alignments)
	for i := range max(len(cells), len(alignments)) {
		cell := extast.NewTableCell()
		if i < len(alignments) && i < len(cells) {
			cell.Alignment = alignments[i]
		}
		if i < len(cells) && !cells[i].IsEmpty() {
			cell.Lines().Append(cells[i])
		}
		row.AppendChild(row, cell)
	}
	return row
}

// cellsOf returns the cells of a row. A bar in code, an escaped one and those around a spoiler are within a cell.
func cellsOf(segment text.Segment, source []byte) (cells []text.Segment) {
	segment = segment.TrimLeftSpace(source)
	segment = segment.TrimRightSpace(source)
	line := segment.Value(source)
	begin := 0
	if bytes.HasPrefix(line, []byte("|")) {
		begin = 1
	}
	for i := begin; i <= len(line); {
		if i < len(line) && line[i] != '|' {
			i += cellPart(line[i:])
			continue
		}
		if i == len(line) && begin == i { // after the last bar
			break
		}
		if n := spoilerLen(line, i); n > 0 {
			i += n
			continue
		}
		cell := text.NewSegment(segment.Start+begin, segment.Start+i)
		cell = cell.TrimLeftSpace(source)
		cells = append(cells, cell.TrimRightSpace(source))
		i++
		begin = i
	}
	return cells
}

// cellPart returns the length of what cannot be divided at the start of s: an escaped character, code, or one byte.
func cellPart(s []byte) int {
	switch {
	case s[0] == '\\' && len(s) > 1:
		return 2
	case s[0] == '`':
		n := runLen(s)
		for i := n; i < len(s); i++ {
			if s[i] == '`' {
				run := runLen(s[i:])
				if run == n {
					return i + n
				}
				i += run - 1
			}
		}
		return n
	}
	return 1
}

// spoilerLen returns the length of the spoiler at i of a row, or 0 if there is none. Two bars without a space before
// them separate an empty cell.
func spoilerLen(line []byte, i int) int {
	if i == 0 || line[i-1] != ' ' || runLen(line[i:]) != 2 || util.IsSpaceRune(runeAt(line, i+2)) {
		return 0
	}
	n := bytes.Index(line[i+2:], []byte("||"))
	if n <= 0 || line[i+2+n-1] == ' ' {
		return 0
	}
	return n + 4
}

var alignment = regexp.MustCompile(`^(left|center|right)$`)

func (w *writer) table(n *extast.Table, depth int) {
	w.out.WriteString("<table>")
	for row := n.FirstChild(); row != nil; row = row.NextSibling() {
		if row.Kind() == extast.KindTableHeader {
			w.out.WriteString("<thead>")
			w.row("th", row, depth+2)
			w.out.WriteString("</thead>")
			if row.NextSibling() != nil {
				w.out.WriteString("<tbody>")
			}
			continue
		}
		w.row("td", row, depth+2)
		if row.NextSibling() == nil {
			w.out.WriteString("</tbody>")
		}
	}
	w.out.WriteString("</table>")
}

// row writes a table's row. Aligned cells have an attribute, because the page's policy forbids
// inline styles.
func (w *writer) row(tag string, row ast.Node, depth int) {
	w.out.WriteString("<tr>")
	for c := row.FirstChild(); c != nil; c = c.NextSibling() {
		w.out.WriteString("<" + tag)
		if cell, ok := c.(*extast.TableCell); ok && cell.Alignment != extast.AlignNone {
			w.out.WriteString(` align="` + cell.Alignment.String() + `"`)
		}
		w.out.WriteByte('>')
		w.inCell = true
		w.children(c, depth+1)
		w.inCell = false
		w.out.WriteString("</" + tag + ">")
	}
	w.out.WriteString("</tr>")
}
