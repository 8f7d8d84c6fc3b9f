package bench

import (
	"fmt"
	"math"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// Markdown returns the report as tables that also read well in a terminal: one per case, with one
// row per peer.
func (r *Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on %s: %s. Parley %s.\n", r.Date.Format(time.DateOnly), r.Machine, r.Version)
	for _, group := range r.groups() {
		c := group[0].Case
		fmt.Fprintf(&b, "\n**%s**: %s\n\n", c.Scenario, c.Setting)
		writeTable(&b, rowsOf(group))
		for _, line := range compareStores(group) {
			fmt.Fprintf(&b, "\n%s\n", line)
		}
		for _, remark := range remarksOf(group) {
			fmt.Fprintf(&b, "\n%s\n", remark)
		}
	}
	return b.String()
}

// remarksOf returns the remarks below a table, each once, with all servers that it concerns.
func remarksOf(group []Result) (remarks []string) {
	about := map[string][]string{}
	var order []string
	for _, r := range group {
		texts := r.Notes
		if r.Failed != "" {
			texts = append([]string{strings.TrimSuffix(oneLine(r.Failed), ".") + "."}, texts...)
		}
		for _, text := range texts {
			if about[text] == nil {
				order = append(order, text)
			}
			about[text] = append(about[text], r.Peer)
		}
	}
	for _, text := range order {
		remarks = append(remarks, strings.Join(about[text], ", ")+": "+text)
	}
	return remarks
}

// groups returns the results by case.
func (r *Report) groups() (groups [][]Result) {
	for _, result := range r.Results {
		last := len(groups) - 1
		if last < 0 || groups[last][0].Scenario != result.Scenario || groups[last][0].Setting != result.Setting {
			groups = append(groups, nil)
			last++
		}
		groups[last] = append(groups[last], result)
	}
	return groups
}

// rowsOf returns a table's cells, the titles first. The last column compares the first value: above
// 1, Parley is better.
func rowsOf(group []Result) [][]string {
	columns := group[0].Columns
	titles := []string{"server"}
	for _, c := range columns {
		titles = append(titles, c.Title)
	}
	compared := len(group) > 1
	if compared {
		titles = append(titles, "Parley is better by")
	}
	rows := [][]string{titles}
	for _, result := range group {
		row := []string{result.Peer}
		for _, c := range columns {
			row = append(row, cell(result, c))
		}
		if compared {
			row = append(row, ratio(group, result))
		}
		rows = append(rows, row)
	}
	return rows
}

func cell(r Result, c Column) string {
	s, ok := r.Values[c.Key]
	if !ok {
		return "–"
	}
	if len(s.Runs) == 1 {
		return written(s.Median, c.Unit)
	}
	return fmt.Sprintf("%s (%s–%s)", written(s.Median, c.Unit), written(s.Min, c.Unit), written(s.Max, c.Unit))
}

// ratio compares r with Parley by the first column.
func ratio(group []Result, r Result) string {
	if r.Peer == parleyName {
		return ""
	}
	c := r.Columns[0]
	theirs, ok := r.Values[c.Key]
	for _, own := range group {
		ours, known := own.Values[c.Key]
		if own.Peer != parleyName || !ok || !known || ours.Median == 0 || theirs.Median == 0 {
			continue
		}
		by := ours.Median / theirs.Median
		if c.Less {
			by = 1 / by
		}
		return written(by, factor)
	}
	return "–"
}

// written returns v with three digits and its unit.
func written(v float64, u Unit) string {
	switch u {
	case seconds:
		switch {
		case v >= 1:
			return digits(v) + " s"
		case v >= 1e-3:
			return digits(v*1e3) + " ms"
		case v >= 1e-6:
			return digits(v*1e6) + " µs"
		}
		return digits(v*1e9) + " ns"
	case bytesOf:
		switch {
		case math.Abs(v) >= 1<<20:
			return digits(v/(1<<20)) + " MiB"
		case math.Abs(v) >= 1<<10:
			return digits(v/(1<<10)) + " KiB"
		}
		return digits(v) + " B"
	case factor:
		return digits(v) + " ×"
	}
	switch {
	case v >= 1e6:
		return digits(v/1e6) + " M"
	case v >= 1e4:
		return digits(v/1e3) + " k"
	}
	return digits(v)
}

func digits(v float64) string {
	switch a := math.Abs(v); {
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// writeTable writes rows as a Markdown table with aligned columns.
func writeTable(b *strings.Builder, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, text := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	for n, row := range rows {
		for i, text := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
			if i == 0 {
				b.WriteString("| " + text + pad + " |")
			} else {
				b.WriteString(" " + pad + text + " |")
			}
		}
		b.WriteByte('\n')
		if n > 0 {
			continue
		}
		for i, w := range widths {
			if i == 0 {
				b.WriteString("| " + strings.Repeat("-", w) + " |")
			} else {
				b.WriteString(" " + strings.Repeat("-", w-1) + ": |")
			}
		}
		b.WriteByte('\n')
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

const (
	docsBegin = "<!-- bench -->"
	docsEnd   = "<!-- /bench -->"
)

// putIntoDocs replaces the text between the two marks of a Markdown file.
func putIntoDocs(file, text string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(old), docsBegin)
	_, after, ended := strings.Cut(rest, docsEnd)
	if !found || !ended {
		return fmt.Errorf("%s has no lines %s and %s to put the table between", file, docsBegin, docsEnd)
	}
	return os.WriteFile(file, []byte(before+docsBegin+"\n"+text+docsEnd+after), 0o644)
}
