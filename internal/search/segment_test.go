package search

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// lists draws the documents of tokens.
func lists(r *rapid.T, documents int) map[string][]int {
	word := rapid.OneOf(
		rapid.StringMatching(`[a-c]{1,3}`), rapid.StringMatching(`:[ra][0-9a-z]{1,3}`),
		rapid.StringMatching(`[a-z]{8,20}`),
		rapid.Map(rapid.IntRange(1, 80), func(n int) string { return strings.Repeat("x", n) }),
		rapid.SampledFrom([]string{"東京", "京都", "🎉", "é"}))
	numbers := rapid.OneOf(
		rapid.Map(rapid.SliceOfN(rapid.IntRange(0, documents-1), 1, 5),
			func(n []int) []int { slices.Sort(n); return slices.Compact(n) }),
		rapid.Custom(func(r *rapid.T) (dense []int) {
			step := rapid.IntRange(1, 12).Draw(r, "step")
			for n := rapid.IntRange(0, documents-1).Draw(r, "from"); n < documents; n += step {
				dense = append(dense, n)
			}
			return dense
		}))
	return rapid.MapOfN(word, numbers, 1, 25).Draw(r, "lists")
}

// listsOf decodes leaves.
func listsOf(t rapid.TB, leaves [][]byte) map[string][]int {
	t.Helper()
	all := make(map[string][]int)
	last := ""
	for r := (&entryReader{leaves: leaves}); ; {
		ok, err := r.next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return all
		}
		if token := string(r.token); token <= last {
			t.Errorf("%q comes behind %q", token, last)
		}
		last = string(r.token)
		if all[last], err = r.posting.append(nil, 0); err != nil {
			t.Fatal(err)
		}
		var b bitmap
		if err := r.posting.addTo(&b); err != nil {
			t.Fatal(err)
		}
		var bits []int
		for n := b.after(-1); n >= 0; n = b.after(n) {
			bits = append(bits, n)
		}
		if !slices.Equal(bits, all[last]) {
			t.Errorf("%q has %d documents in one way and %d in the other", last, len(all[last]), len(bits))
		}
		if n := b.before(segmentDocuments); n != bits[len(bits)-1] {
			t.Errorf("the last is %d", n)
		}
	}
}

func TestASegmentHoldsItsTokens(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		want := lists(r, rapid.SampledFrom([]int{1, 100, segmentDocuments}).Draw(r, "documents"))
		leaves := leavesOf(want)
		for _, leaf := range leaves {
			if len(leaf) != leafBytes {
				t.Fatalf("a leaf of %d bytes", len(leaf))
			}
		}
		if diff := cmp.Diff(want, listsOf(r, leaves)); diff != "" {
			r.Fatalf("-want +got:\n%s", diff)
		}
	})
}

func TestMergedSegmentHoldsAllEntries(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		const documents = 500
		want := make(map[string][]int)
		var inputs []*entryReader
		for n := range rapid.IntRange(1, 5).Draw(r, "segments") {
			part := lists(r, documents)
			inputs = append(inputs, &entryReader{leaves: leavesOf(part), shift: n * documents})
			for token, numbers := range part {
				for _, number := range numbers {
					want[token] = append(want[token], number+n*documents)
				}
			}
		}
		leaves, err := merge(inputs)
		if err != nil {
			r.Fatal(err)
		}
		if diff := cmp.Diff(want, listsOf(r, leaves)); diff != "" {
			r.Fatalf("-want +got:\n%s", diff)
		}
	})
}

// Whether leaves are overwritten or made again, the segment holds the same, and nothing that was removed.
func TestARewrittenSegmentHoldsRemainingAndNewEntries(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		documents := rapid.SampledFrom([]int{10, segmentDocuments}).Draw(r, "documents")
		before := lists(r, documents)
		w := rewrite{leaves: leavesOf(before), added: make(map[string][]int)}
		var gone []int
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, documents-1), 0, 20).Draw(r, "gone") {
			w.removed.set(n)
			gone = append(gone, n)
		}
		if len(gone) > 0 {
			for token := range lists(r, 1) {
				w.added[token] = []int{rapid.SampledFrom(gone).Draw(r, "edited")}
			}
		}
		want := make(map[string][]int)
		for token, numbers := range before {
			if left := slices.DeleteFunc(slices.Clone(numbers), w.removed.has); len(left) > 0 {
				want[token] = left
			}
		}
		for token, numbers := range w.added {
			want[token] = append(want[token], numbers...)
			slices.Sort(want[token])
		}
		anew, err := w.newLeaves()
		if err != nil {
			r.Fatal(err)
		}
		if diff := cmp.Diff(want, listsOf(r, anew)); diff != "" {
			r.Fatalf("anew (-want +got):\n%s", diff)
		}
		changed, fits, err := w.overwriteLeaves()
		if err != nil {
			r.Fatal(err)
		}
		if !fits {
			return
		}
		leaves := slices.Clone(w.leaves)
		for n, leaf := range changed {
			leaves[n] = leaf
		}
		if diff := cmp.Diff(want, listsOf(r, leaves)); diff != "" {
			r.Fatalf("in place (-want +got):\n%s", diff)
		}
	})
}

// Reading a leaf of any bytes ends, with or without an error.
func FuzzLeaf(f *testing.F) {
	f.Add(leavesOf(map[string][]int{
		"a": {1, 2}, "ab": {3},
		strings.Repeat("x", 90): {0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
	})[0])
	f.Add([]byte{0xff, 0xff, 0xff})
	f.Add([]byte{1, 'a', 0xff, 0xff, 0x03})
	f.Fuzz(func(t *testing.T, leaf []byte) {
		firstToken(leaf)
		var b bitmap
		for r := (leafReader{bytes: leaf}); ; {
			ok, err := r.next()
			if err != nil || !ok {
				return
			}
			numbers, err := r.posting.append(nil, 0)
			if into := r.posting.addTo(&b); (into == nil) != (err == nil) {
				t.Fatalf("%v in one way, %v in the other", err, into)
			}
			isWrong := func(n int) bool { return n < 0 || n >= segmentDocuments || !b.has(n) }
			if err == nil && slices.ContainsFunc(numbers, isWrong) {
				t.Fatalf("%v", numbers)
			}
		}
	})
}
