package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Limits of the JSON that clients send.
const (
	maxDepth   = 32        // nested objects and arrays; the protocol needs two
	maxInteger = 1<<53 - 1 // parsers that use doubles read larger numbers inexactly (RFC 8259 §6)
)

// Unmarshal decodes the JSON of clients, on every door. It is json.Unmarshal, but
// refuses JSON that different parsers read differently: an object with the same key
// twice, text that is not UTF-8, half of a surrogate pair, whole numbers beyond
// 2^53-1, and deep nesting. Keys are case-sensitive: "Text" is not "text", and is
// ignored as an unknown field. The error is the end of a sentence about data. After
// an error v has the fields that could be decoded.
func Unmarshal(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New("it is not UTF-8")
	}
	if !json.Valid(data) {
		return errors.New("it is not one JSON value")
	}
	ins := strictChecker{data: data}
	if err := ins.value(0); err != nil {
		json.Unmarshal(ins.data, v) // the answer to the client needs the command's id
		return err
	}
	err := json.Unmarshal(ins.data, v)
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("a %s is no value for %s", e.Value, withoutTypes(e.Field))
	}
	if err != nil { // such as a time in another format
		return errors.New("a field has a value of the wrong form")
	}
	return nil
}

// withoutTypes returns the path of a field without the names of embedded Go types,
// which encoding/json includes.
func withoutTypes(path string) string {
	keys := slices.DeleteFunc(strings.Split(path, "."), func(s string) bool { return !isKey(s) })
	return strings.Join(keys, ".")
}

// An strictChecker walks through valid JSON.
type strictChecker struct {
	data   []byte
	i      int
	copied bool // data is a copy and may be written to
}

func (ins *strictChecker) value(depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("it is nested deeper than %d levels", maxDepth)
	}
	ins.space()
	switch c := ins.data[ins.i]; {
	case c == '{':
		return ins.object(depth)
	case c == '[':
		return ins.array(depth)
	case c == '"':
		_, err := ins.str()
		return err
	case c == '-' || c >= '0' && c <= '9':
		return ins.number()
	}
	for ins.i < len(ins.data) && ins.data[ins.i] >= 'a' && ins.data[ins.i] <= 'z' { // true, false, null
		ins.i++
	}
	return nil
}

func (ins *strictChecker) object(depth int) error {
	seen := map[string]bool{}
	for ins.i++; ; ins.i++ { // past the brace, or a comma
		if ins.space(); ins.data[ins.i] == '}' {
			break
		}
		start := ins.i
		key, err := ins.str()
		if err != nil {
			return err
		}
		if seen[key] {
			return fmt.Errorf("it has the field %.40q twice in one object", key)
		}
		seen[key] = true
		if !isKey(key) {
			ins.hideKey(start+1, ins.i-1)
		}
		ins.space()
		ins.i++ // the colon
		if err := ins.value(depth + 1); err != nil {
			return err
		}
		if ins.space(); ins.data[ins.i] == '}' {
			break
		}
	}
	ins.i++
	return nil
}

func (ins *strictChecker) array(depth int) error {
	for ins.i++; ; ins.i++ {
		if ins.space(); ins.data[ins.i] == ']' {
			break
		}
		if err := ins.value(depth + 1); err != nil {
			return err
		}
		if ins.space(); ins.data[ins.i] == ']' {
			break
		}
	}
	ins.i++
	return nil
}

// str reads a string and returns its value.
func (ins *strictChecker) str() (string, error) {
	start := ins.i
	escaped := false
	for ins.i++; ins.data[ins.i] != '"'; ins.i++ {
		if ins.data[ins.i] != '\\' {
			continue
		}
		escaped = true
		if ins.i++; ins.data[ins.i] == 'u' && utf16.IsSurrogate(ins.unit()) {
			high := ins.unit()
			ins.i += 4
			if ins.data[ins.i+1] != '\\' || ins.data[ins.i+2] != 'u' {
				return "", errHalfPair
			}
			if ins.i += 2; utf16.DecodeRune(high, ins.unit()) == utf8.RuneError {
				return "", errHalfPair
			}
		}
	}
	ins.i++
	raw := ins.data[start:ins.i]
	if !escaped {
		return string(raw[1 : len(raw)-1]), nil
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err
}

var errHalfPair = errors.New(`it has half a surrogate pair (\ud800 to \udfff), which is no character`)

// unit returns the number of the escape \uXXXX whose u is at ins.i.
func (ins *strictChecker) unit() rune {
	n, _ := strconv.ParseUint(string(ins.data[ins.i+1:ins.i+5]), 16, 16) // valid JSON has four digits
	return rune(n)
}

func (ins *strictChecker) number() error {
	start := ins.i
	whole := true
	for ; ins.i < len(ins.data); ins.i++ {
		switch c := ins.data[ins.i]; {
		case c >= '0' && c <= '9' || c == '-' || c == '+':
			continue
		case c == '.' || c == 'e' || c == 'E':
			whole = false
			continue
		}
		break
	}
	if !whole {
		return nil
	}
	n, err := strconv.ParseInt(string(ins.data[start:ins.i]), 10, 64)
	if err != nil || n > maxInteger || n < -maxInteger {
		return fmt.Errorf("it has a whole number beyond %d", maxInteger)
	}
	return nil
}

func (ins *strictChecker) space() {
	for ins.i < len(ins.data) &&
		(ins.data[ins.i] == ' ' || ins.data[ins.i] == '\n' || ins.data[ins.i] == '\t' || ins.data[ins.i] == '\r') {
		ins.i++
	}
}

// isKey reports whether a field of the protocol can have this name. encoding/json
// would also accept names that differ in case, or by "ſ" or the Kelvin sign.
func isKey(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

// hideKey overwrites a key, in a copy of the data, with one that no field has.
func (ins *strictChecker) hideKey(start, stop int) {
	if !ins.copied {
		ins.data = append([]byte(nil), ins.data...)
		ins.copied = true
	}
	for i := start; i < stop; i++ {
		ins.data[i] = '-'
	}
}
