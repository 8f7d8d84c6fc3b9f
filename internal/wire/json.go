package wire

import (
	"strconv"
	"time"
	"unicode/utf8"

	"parley/internal/chat"
)

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string. Bytes that are not UTF-8 become U+FFFD,
// so that the result is UTF-8. Besides the characters of RFC 8259 §7 it escapes the
// two line separators that old JavaScript does not accept.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= 0x20 && c != '"' && c != '\\' {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			dst = appendEscape(dst, c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || r == '\u2028' || r == '\u2029' {
			dst = append(dst, s[start:i]...)
			dst = append(dst, `\u`...)
			dst = append(dst, hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
			start = i + size
		}
		i += size
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\t':
		return append(dst, '\\', 't')
	case '\r':
		return append(dst, '\\', 'r')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// appendTime appends t as a JSON string in the protocol's format: RFC 3339 in UTC,
// with milliseconds. It does not use Time.AppendFormat, which took half of the time
// of encoding a message.
func appendTime(dst []byte, t time.Time) []byte {
	return append(AppendTimestamp(append(dst, '"'), t), '"')
}

// AppendTimestamp appends t in the protocol's format, without quotes.
func AppendTimestamp(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	dst = appendDigits(dst, year, 4)
	dst = appendDigits(append(dst, '-'), int(month), 2)
	dst = appendDigits(append(dst, '-'), day, 2)
	dst = appendDigits(append(dst, 'T'), hour, 2)
	dst = appendDigits(append(dst, ':'), minute, 2)
	dst = appendDigits(append(dst, ':'), second, 2)
	dst = appendDigits(append(dst, '.'), t.Nanosecond()/int(time.Millisecond), 3)
	return append(dst, 'Z')
}

// appendDigits appends n with leading zeros. n must not have more digits than that.
func appendDigits(dst []byte, n, digits int) []byte {
	dst = append(dst, "0000"[:digits]...)
	for i := len(dst) - 1; n > 0; i-- {
		dst[i] = '0' + byte(n%10)
		n /= 10
	}
	return dst
}

func appendSeq(dst []byte, seq chat.Seq) []byte { return strconv.AppendInt(dst, int64(seq), 10) }

func appendPerson(dst []byte, p chat.Person) []byte {
	dst = append(dst, `{"id":`...)
	dst = appendString(dst, string(p.ID))
	dst = append(dst, `,"name":`...)
	dst = appendString(dst, p.Name)
	return append(dst, '}')
}

func appendPeople(dst []byte, people []chat.Person) []byte {
	dst = append(dst, '[')
	for i, p := range people {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendPerson(dst, p)
	}
	return append(dst, ']')
}
