package format

import (
	"regexp"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// tables parses GitHub's tables, with a limit on their size. The line below the head must contain a
// bar, so that words above a dashed line are not a table.
type tables struct{ parser.ParagraphTransformer }

func (t tables) Transform(paragraph *ast.Paragraph, reader text.Reader, pc parser.Context) {
	lines := paragraph.Lines()
	for i := 1; i < lines.Len(); i++ {
		segment := lines.At(i)
		dashes, bars := ruling(string(segment.Value(reader.Source())))
		if dashes == 0 {
			continue
		}
		if bars > 0 && bars < maxColumns && (bars+1)*(lines.Len()-i) <= maxCells {
			t.ParagraphTransformer.Transform(paragraph, reader, pc)
		}
		return
	}
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
