package search

import (
	"encoding/binary"
	"math/bits"
)

// A bitmap has one bit for each document of a segment.
type bitmap [segmentDocuments / 64]uint64

func (b *bitmap) set(n int)      { b[n/64] |= 1 << (n % 64) }
func (b *bitmap) has(n int) bool { return b[n/64]>>(n%64)&1 != 0 }

func (b *bitmap) and(other *bitmap) (some bool) {
	for i := range b {
		b[i] &= other[i]
		some = some || b[i] != 0
	}
	return some
}

// before returns the greatest bit below n that is set, -1 if there is none.
func (b *bitmap) before(n int) int {
	for i := (n - 1) / 64; n > 0 && i >= 0; i-- {
		w := b[i]
		if last := n - i*64; last < 64 {
			w &= 1<<last - 1
		}
		if w != 0 {
			return i*64 + 63 - bits.LeadingZeros64(w)
		}
	}
	return -1
}

// after returns the least bit above n that is set, -1 if there is none.
func (b *bitmap) after(n int) int {
	n++
	for i := n / 64; i < len(b); i++ {
		w := b[i]
		if first := n - i*64; first > 0 {
			w &^= 1<<first - 1
		}
		if w != 0 {
			return i*64 + bits.TrailingZeros64(w)
		}
	}
	return -1
}

// A posting lists the documents of a segment that have a token: their numbers within the segment, ascending, each as a
// varint of the distance from the one before; or, where that is shorter, one bit for each document (dense).
type posting struct {
	dense bool
	bytes []byte
}

// appendPosting appends the posting of numbers, which ascend, to dst, and reports whether it is dense.
func appendPosting(dst []byte, numbers []int) (_ []byte, dense bool) {
	start, last := len(dst), -1
	for _, n := range numbers {
		dst = binary.AppendUvarint(dst, uint64(n-last-1))
		last = n
	}
	size := last/8 + 1
	if len(dst)-start <= size {
		return dst, false
	}
	dst = append(dst[:start], make([]byte, size)...)
	for _, n := range numbers {
		dst[start+n/8] |= 1 << (n % 8)
	}
	return dst, true
}

// each calls f for each number. It returns an error if the bytes are no valid posting.
func (p posting) each(f func(n int)) error {
	if p.dense {
		if len(p.bytes) > segmentDocuments/8 {
			return errCut
		}
		for i, b := range p.bytes {
			for ; b != 0; b &= b - 1 {
				f(i*8 + bits.TrailingZeros8(b))
			}
		}
		return nil
	}
	last := -1
	for b := p.bytes; len(b) > 0; {
		d, size := binary.Uvarint(b)
		if size <= 0 || d >= segmentDocuments {
			return errCut
		}
		if last += int(d) + 1; last >= segmentDocuments {
			return errCut
		}
		f(last)
		b = b[size:]
	}
	return nil
}

// addTo sets the bits of all numbers.
func (p posting) addTo(b *bitmap) error {
	if p.dense && len(p.bytes) <= segmentDocuments/8 {
		whole := len(p.bytes) / 8
		for i := range whole {
			b[i] |= binary.LittleEndian.Uint64(p.bytes[i*8:])
		}
		for i, rest := range p.bytes[whole*8:] {
			b[whole] |= uint64(rest) << (8 * i)
		}
		return nil
	}
	return p.each(b.set)
}

// append appends the numbers to dst, each increased by shift.
func (p posting) append(dst []int, shift int) ([]int, error) {
	err := p.each(func(n int) { dst = append(dst, n+shift) })
	return dst, err
}

// meets reports whether one of the numbers is in b.
func (p posting) meets(b *bitmap) (met bool, err error) {
	err = p.each(func(n int) { met = met || b.has(n) })
	return met, err
}
