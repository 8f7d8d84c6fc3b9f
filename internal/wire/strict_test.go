package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"parley/internal/chat"
)

// Different parsers read these differently.
var ambiguous = map[string]string{
	"a field twice":                `{"text":"a","text":"b"}`,
	"twice, far apart":             `{"text":"a","op":"send","id":1,"text":"a"}`,
	"twice, one escaped":           `{"text":"a","t\u0065xt":"b"}`,
	"an unknown field twice":       `{"new":1,"new":2}`,
	"in capitals twice":            `{"TEXT":1,"TEXT":2}`,
	"twice within a field":         `{"op":"send","forward":{"room":"a","seq":1,"room":"b"}}`,
	"twice within an unknown list": `{"new":[{"a":1},{"a":1,"a":1}]}`,
	"the empty field twice":        `{"":1,"":2}`,
	"a high half":                  `{"text":"a\ud800"}`,
	"a low half":                   `{"text":"\udc00a"}`,
	"halves in the wrong order":    `{"text":"\udc00\ud800"}`,
	"two high halves":              `{"text":"\ud83d\ud83d\udc4d"}`,
	"a half and an escape":         `{"text":"\ud83d\n\udc4d"}`,
	"a half and a character":       `{"text":"\ud83dx"}`,
	"a half in capitals":           `{"text":"\uD800"}`,
	"a half in a key":              `{"\ud800":1}`,
	"a half in an unknown field":   `{"new":["\ud800"]}`,
	"not UTF-8":                    "{\"text\":\"\xff\"}",
	"a surrogate in UTF-8":         "{\"text\":\"\xed\xa0\x80\"}",
	"an overlong zero":             "{\"text\":\"\xc0\x80\"}",
	"beyond doubles":               `{"seq":9007199254740993}`,
	"just beyond":                  `{"seq":9007199254740992}`,
	"below":                        `{"after":-9007199254740992}`,
	"far beyond":                   `{"new":[{"a":123456789012345678901234567890}]}`,
	"deep":                         `{"new":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`,
	"deep objects":                 strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40),
	"very deep":                    `{"new":` + strings.Repeat("[", 30_000) + `}`,
	"more behind it":               `{"text":"a"} {"text":"b"}`,
	"a comma behind it":            `{"text":"a"},`,
	"a comma within":               `{"text":"a",}`,
	"a byte order mark":            "\ufeff" + `{"text":"a"}`,
	"a comment":                    `{"text":"a"/* b */}`,
	"single quotes":                `{'text':'a'}`,
	"a line break in a string":     "{\"text\":\"a\nb\"}",
	"a zero byte":                  "{\"text\":\"a\x00\"}",
	"a number with a zero":         `{"seq":01}`,
	"not a number":                 `{"seq":NaN}`,
}

func TestJSONThatTwoReadersReadDifferentlyIsRefused(t *testing.T) {
	for name, in := range ambiguous {
		for _, frame := range []string{in, " " + in, strings.Replace(in, "{", `{"id":7,`, 1)} {
			if _, err := DecodeCommand([]byte(frame)); chat.CodeOf(err) != chat.InvalidJSON {
				t.Errorf("%s: as a command: %v", name, err)
			}
			if _, err := DecodeChatroom([]byte(frame)); chat.CodeOf(err) != chat.InvalidJSON {
				t.Errorf("%s: as a line: %v", name, err)
			}
		}
	}
}

// The client can match the error with its command.
func TestARefusedCommandKeepsItsID(t *testing.T) {
	for _, in := range []string{
		`{"id":7,"text":"a","text":"b"}`, `{"text":"\ud800","id":7}`, `{"seq":9007199254740993,"id":7}`,
	} {
		if c, err := DecodeCommand([]byte(in)); err == nil || c.ID != 7 {
			t.Errorf("%s: %+v, %v", in, c, err)
		}
	}
}

func TestErrorsNameFieldsAsTheProtocolDoes(t *testing.T) {
	for in, want := range map[string]string{
		`{"seq":"42"}`:               "a string is no value for seq",
		`{"thread":"40"}`:            "a string is no value for thread",
		`{"forward":{"room":4}}`:     "a number is no value for forward.room",
		`{"id":true,"room":"lobby"}`: "a bool is no value for id",
	} {
		if _, err := DecodeCommand([]byte(in)); err == nil || !strings.HasSuffix(err.Error(), ": "+want+".") {
			t.Errorf("%s: %v, want %s", in, err, want)
		}
	}
}

func TestKeysCountAsTheyAreWritten(t *testing.T) {
	for in, want := range map[string]string{
		`{"TEXT":"a"}`:                         "",
		`{"Text":"a"}`:                         "",
		`{"text":"a","TEXT":"b"}`:              "a",
		`{"Text":"b","text":"a"}`:              "a",
		`{"tex\u0054":"b"}`:                    "",
		`{"t\u0065xt":"a"}`:                    "a",
		`{"te\u0058t":"b","text":"a"}`:         "a",
		`{"TEXT":["not","text"],"text":"a"}`:   "a",
		`{"text":"a","new":{"TEXT":{}}}`:       "a",
		`{"text":"\ud83d\udc4d \uD83D\uDC4D"}`: "👍 👍",
	} {
		if c, err := DecodeCommand([]byte(in)); err != nil || c.Text != want {
			t.Errorf("%s: %q, %v", in, c.Text, err)
		}
	}
	in := `{"op":"send","\u017feq":5,"forward":{"\u212aroom":"x","ROOM":"y","Seq":4,"room":"z"}` +
		`}` // ſ and the Kelvin sign fold to s and k
	if c, err := DecodeCommand([]byte(in)); err != nil || c.Seq != 0 || *c.Forward != (MessageRef{Room: "z"}) {
		t.Errorf("%+v, %v", c.CommandOptions, err)
	}
	if l, err := DecodeChatroom([]byte(`{"From":"a","from":"b","MESSAGE":"c"}`)); err != nil ||
		l != (ChatroomMessage{From: "b"}) {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestUnmarshalChangesNothingOfWhatItIsGiven(t *testing.T) {
	in := []byte(`{"Text":1,"text":"a"}`)
	before := string(in)
	var c Command
	if err := Unmarshal(in, &c); err != nil || string(in) != before {
		t.Errorf("%s, %v", in, err)
	}
}

// Unmarshal hides keys that isKey rejects, so all fields must pass it.
func TestEveryFieldHasAKeyInSmallLetters(t *testing.T) {
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct {
			return
		}
		for f := range typ.Fields() {
			if key, _, _ := strings.Cut(f.Tag.Get("json"), ","); !f.Anonymous && (key == "" || !isKey(key)) {
				t.Errorf("%s.%s has the key %q", typ, f.Name, key)
			}
			walk(f.Type)
		}
	}
	walk(reflect.TypeFor[Command]())
	walk(reflect.TypeFor[ChatroomMessage]())
}

// FuzzUnmarshal compares Unmarshal with decoding into a map, which has each field
// once and under its exact name.
func FuzzUnmarshal(f *testing.F) {
	for _, in := range ambiguous {
		f.Add([]byte(in))
	}
	f.Add([]byte(
		`{"op":"send","id":1,"Text":"a","te\u0078t":"b","forward":{"room":"r","seq":9,"x":[{"y":null},true,` +
			`-1.5e3,""]}}`,
	))
	f.Add([]byte(`{"":919925474E992}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		var c Command
		if decode(in, &c) != nil {
			return
		}
		var m map[string]any
		if err := json.Unmarshal(in, &m); err != nil {
			if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
				return // a field that nobody reads has a number beyond float64
			}
			t.Fatalf("%s: %v", in, err)
		}
		for key, got := range map[string]string{
			"op": c.Op, "room": c.Room, "text": c.Text, "nonce": c.Nonce, "name": c.Name, "session": c.Session,
		} {
			if want, _ := m[key].(string); got != want {
				t.Errorf("%s: %s is %q, want %q", in, key, got, want)
			}
		}
		if want, _ := m["id"].(float64); fmt.Sprint(int64(want)) != fmt.Sprint(c.ID) {
			t.Errorf("%s: id is %d, want %v", in, c.ID, want)
		}
	})
}

func BenchmarkDecodeRare(b *testing.B) {
	in := []byte(
		`{"op":"send","id":17,"room":"lobby","thread":40,"echo":true,` +
			`"nonce":"0198c1d2-7a3b-7c4d-8e5f-60718293a4b5","text":"Good morning, \u00e9verybody."}`,
	)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeCommand(in); err != nil {
			b.Fatal(err)
		}
	}
}
