package format

import "strings"

// Bounds of what is formatted at all. The parser looks back from each delimiter
// to those before it and from a line to all blocks that are open, so its work
// grows with the product of two of these.
const (
	maxBytes      = 64 << 10 // of a message
	maxWork       = 4 << 20  // delimiters × bytes: 1,000 of them in 4,000 characters of ASCII
	maxMarkers    = 8        // quotes and lists that one line opens
	maxOpenBlocks = 1 << 16  // lines × deepest nesting
	maxDepth      = 24       // elements within elements
	maxColumns    = 32       // of a table
	maxCells      = 2048     // of a table, with those that short rows lack
	maxAddress    = 2000     // bytes of a named link's
	maxMargin     = 32       // bytes before a heading's first sign
	maxShortCode  = 100      // bytes; the longest has 40
	maxGrowth     = 16       // bytes of HTML for each byte of text,
	outputRoom    = 4 << 10  // and beyond that
)

// isTooComplex reports whether message has so much markup that it would take too
// long to parse. It looks at every byte once.
func isTooComplex(message string) bool {
	if len(message) > maxBytes {
		return true
	}
	runs, lines, deepest := 0, 0, 0
	var last byte
	for i := range len(message) {
		switch c := message[i]; c {
		case '*', '_', '~', '`', ':':
			if c != last {
				runs++ // a run of the same byte is one delimiter
			}
		case '|':
			if c == last {
				runs++ // one alone stands between a table's cells
			}
		}
		last = message[i]
	}
	for line := range strings.FieldsFuncSeq(message, isLineEnd) {
		lines++
		markers, indent := leadingMarkers(line)
		if markers > maxMarkers {
			return true
		}
		deepest = max(deepest, markers+indent/2) // a list item indents by at least 2
	}
	lines = max(lines, strings.Count(message, "\n")) // empty ones count as well
	return runs*len(message) > maxWork || lines*deepest > maxOpenBlocks
}

// leadingMarkers returns how many quotes and list items line may open, and the
// columns of white space before and between them.
func leadingMarkers(line string) (markers, indent int) {
	digits := false
	for i := range len(line) {
		switch c := line[i]; {
		case digits && c != '.' && c != ')' && (c < '0' || c > '9'):
			return markers, indent // a number, not an item's
		case c == ' ':
			indent++
		case c == '\t':
			indent += 4
		case c >= '0' && c <= '9':
			digits = true
			continue
		case c == '>', c == '-', c == '+', c == '*', digits && (c == '.' || c == ')'):
			if c == '>' || followedBySpace(line, i) {
				markers++
				break
			}
			return markers, indent
		default:
			return markers, indent
		}
		digits = false
	}
	return markers, indent
}

func followedBySpace(line string, i int) bool {
	return i+1 == len(line) || strings.IndexByte(" \t\r\n", line[i+1]) >= 0
}
