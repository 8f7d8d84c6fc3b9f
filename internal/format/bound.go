package format

import "strings"

// Limits of the texts that are formatted at all. The parser looks back from each delimiter to
// earlier ones, and from each line to all open blocks, so its work grows with the product of two of
// these numbers.
const (
	maxBytes      = 64 << 10 // of a message
	maxWork       = 4 << 20  // delimiters × bytes; allows 1,000 delimiters in 4,000 characters of ASCII
	maxMarkers    = 8        // quotes and lists that one line opens
	maxOpenBlocks = 1 << 16  // lines × deepest nesting
	maxDepth      = 24       // nested elements
	maxColumns    = 32       // of a table
	maxCells      = 2048     // of a table, including cells that short rows lack
	maxAddress    = 2000     // bytes of a named link's address
	maxMargin     = 32       // bytes before a heading's first number sign
	maxPath       = 260      // bytes of a Windows path
	maxShortCode  = 100      // bytes; the longest has 40
	maxGrowth     = 16       // bytes of HTML per byte of text,
	outputRoom    = 4 << 10  // plus this many bytes
)

// isTooComplex reports whether parsing message would take too long because of its markup. It reads
// every byte once.
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
				runs++ // a single bar separates two cells of a table
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
		deepest = max(deepest, markers+indent/2) // a list item is indented by at least 2
	}
	lines = max(lines, strings.Count(message, "\n")) // empty lines count as well
	return runs*len(message) > maxWork || lines*deepest > maxOpenBlocks
}

// leadingMarkers returns how many quotes and list items line may open, and the columns of white
// space before and between their markers.
func leadingMarkers(line string) (markers, indent int) {
	digits := false
	for i := range len(line) {
		switch c := line[i]; {
		case digits && c != '.' && c != ')' && (c < '0' || c > '9'):
			return markers, indent // a number that is not a list marker
		case c == ' ':
			indent++
		case c == '\t':
			indent += 4
		case c >= '0' && c <= '9':
			digits = true
			continue
		case c == '>', c == '-', c == '+', c == '*', digits && (c == '.' || c == ')'):
			if followedBySpace(line, i) {
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
