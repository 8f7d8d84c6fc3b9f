package search

import (
	"slices"
	"strings"
)

// A Range is a part of a text, in code points: from Start up to, and without, End.
type Range struct{ Start, End int }

// maxRanges is how many matches are marked in one message.
const maxRanges = 64

// A matcher checks texts for what the index cannot answer: whether a query's words stand side by side in the newest
// text.
type matcher struct {
	terms []Term
	has   []Fact
	units []unit // of the current text; reused
}

// match reports whether a text has all terms and facts. It returns the ranges that match, and a score.
func (m *matcher) match(text string) (ranges []Range, score float64, ok bool) {
	if text == "" {
		return nil, 0, false
	}
	if len(m.has) > 0 {
		facts := factsOf(text)
		for _, f := range m.has {
			if !slices.Contains(facts, f) {
				return nil, 0, false
			}
		}
	}
	m.units = appendUnits(m.units[:0], text)
	length := 0.5 + float64(len(m.units))/24 // 1 for a message of a usual length
	last := -1                               // index of the unit after the first match of the term before
	for _, t := range m.terms {
		found, exact, first, behind := 0, 0, -1, false
		for i := 0; i+len(t.units) <= len(m.units); i++ {
			whole, ok := t.at(m.units[i:])
			if !ok {
				continue
			}
			if found++; whole {
				exact = 1
			}
			if first < 0 {
				first = i
			}
			behind = behind || i == last
			ranges = append(ranges, Range{m.units[i].start, m.units[i+len(t.units)-1].end})
		}
		if found == 0 {
			return nil, 0, false
		}
		// The score counts how often a term occurs, dampened as in BM25. Whole words count more than beginnings of
		// words, and terms in the order of the query count more.
		score += float64(found) * 2.2 / (float64(found) + 1.2*length)
		score += float64(exact)
		if behind {
			score++
		}
		last = first + len(t.units)
	}
	return merged(ranges), score, true
}

// at reports whether units begin with the term, and whether the term's last word is a whole word there.
func (t Term) at(units []unit) (whole, ok bool) {
	for j, want := range t.units {
		have := units[j]
		if want.joined && !have.joined {
			return false, false
		}
		if have.text == want.text {
			continue
		}
		return false, j == len(t.units)-1 && t.Prefix && !have.lone && strings.HasPrefix(have.text, want.text)
	}
	return true, true
}

// merged returns ranges in order and joins those that overlap.
func merged(ranges []Range) []Range {
	slices.SortFunc(ranges, func(a, b Range) int { return a.Start - b.Start })
	var out []Range
	for _, r := range ranges {
		if n := len(out); n > 0 && r.Start < out[n-1].End {
			out[n-1].End = max(out[n-1].End, r.End)
		} else if n < maxRanges {
			out = append(out, r)
		}
	}
	return out
}
