package search

import "encoding/binary"

// leafBytes is the length of each leaf, filled up with zeros, so that a page of the file holds exactly one. A leaf is
// overwritten where it is, and leaves no bytes in unused parts of a page. A longer one would take several pages, and
// two shorter ones would be moved between pages.
const (
	leafBytes = 8140
	leafFill  = 7600 // a new leaf is filled up to this: edits add entries
	maxToken  = 255
)

// A leafReader reads a leaf: consecutive tokens of a segment, in order, each with its posting. A token shares its first
// bytes with the token before:
//
//	4 bits  how many bytes it shares, or 15
//	4 bits  how many more it has, or 15; 0: the leaf ends here
//	byte    how many it shares, if that was 15
//	byte    how many more it has, if that was 15
//	bytes   these
//	varint  the posting's length, times two, and one more if the posting is dense
//	bytes   the posting
type leafReader struct {
	bytes   []byte
	token   []byte // of the current entry; overwritten by next
	posting posting
}

// manyBits says that a length of at least 15 follows in a byte.
const manyBits = 15

// next reads the next entry. It reports false at the end of the leaf.
func (r *leafReader) next() (bool, error) {
	b := r.bytes
	shared, more, b, ok := readLengths(b)
	if !ok || more == 0 {
		return false, nil
	}
	if shared > len(r.token) || more > len(b) {
		return false, errCut
	}
	r.token = append(r.token[:shared], b[:more]...)
	b = b[more:]
	n, size := binary.Uvarint(b)
	if size <= 0 || n/2 > uint64(len(b)-size) {
		return false, errCut
	}
	b = b[size:]
	r.posting = posting{dense: n&1 != 0, bytes: b[:n/2]}
	r.bytes = b[n/2:]
	return true, nil
}

// readLengths decodes the two lengths before a token, and returns the bytes that follow.
func readLengths(b []byte) (shared, more int, rest []byte, ok bool) {
	if len(b) == 0 {
		return 0, 0, nil, false
	}
	lengths := [2]int{int(b[0] >> 4), int(b[0] & manyBits)}
	b = b[1:]
	for i, n := range lengths {
		if n == manyBits {
			if len(b) == 0 {
				return 0, 0, nil, false
			}
			lengths[i], b = int(b[0]), b[1:]
		}
	}
	return lengths[0], lengths[1], b, true
}

// appendLengths is the reverse of readLengths.
func appendLengths(dst []byte, shared, more int) []byte {
	dst = append(dst, byte(min(shared, manyBits)<<4|min(more, manyBits)))
	for _, n := range []int{shared, more} {
		if n >= manyBits {
			dst = append(dst, byte(n))
		}
	}
	return dst
}

// firstToken returns the first token of a leaf, empty if the leaf is.
func firstToken(leaf []byte) []byte {
	_, more, rest, ok := readLengths(leaf)
	if !ok || more > len(rest) {
		return nil
	}
	return rest[:more]
}

// A leafWriter encodes a leaf.
type leafWriter struct {
	bytes []byte
	last  []byte // the token of the entry before
}

// add appends an entry. It reports false, and appends nothing, if the leaf would be longer than limit.
func (w *leafWriter) add(token []byte, p posting, limit int) bool {
	shared := 0
	for shared < len(w.last) && shared < len(token) && w.last[shared] == token[shared] {
		shared++
	}
	length := uint64(len(p.bytes)) << 1
	if p.dense {
		length |= 1
	}
	if len(w.bytes)+3+len(token)-shared+binary.MaxVarintLen16+len(p.bytes) > limit {
		return false
	}
	w.bytes = appendLengths(w.bytes, shared, len(token)-shared)
	w.bytes = append(w.bytes, token[shared:]...)
	w.bytes = binary.AppendUvarint(w.bytes, length)
	w.bytes = append(w.bytes, p.bytes...)
	w.last = append(w.last[:0], token...)
	return true
}

// take returns the leaf, filled up to leafBytes, and begins another.
func (w *leafWriter) take() []byte {
	leaf := make([]byte, leafBytes)
	copy(leaf, w.bytes)
	w.bytes, w.last = w.bytes[:0], w.last[:0]
	return leaf
}
