package wire

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"parley/internal/chat"
)

var (
	ada = chat.Person{ID: "a1", Name: "Ada"}
	at  = time.Date(2026, 11, 23, 9, 41, 5, 123_456_789, time.UTC)
)

func message(text, html string) chat.Event {
	return chat.Event{Room: "lobby", Seq: 42, At: at, Kind: chat.Message, From: ada, Text: text, HTML: html}
}

// payload returns the payload of a server's text frame, and fails if there is not
// exactly one.
func payload(t *testing.T, frame []byte) string {
	t.Helper()
	if len(frame) < 2 || frame[0] != 0x81 || WholeFrames(frame, 1) != len(frame) {
		t.Fatalf("not one text frame: % x", frame[:min(len(frame), 16)])
	}
	switch frame[1] {
	case 126:
		return string(frame[4:])
	case 127:
		return string(frame[10:])
	}
	return string(frame[2:])
}

func TestFrames(t *testing.T) {
	tests := map[string]struct {
		event chat.Event
		want  string
	}{
		"message": {
			message("hi", ""),
			`{"op":"event","room":"lobby","seq":42,"at":"2026-11-23T09:41:05.123Z","kind":"message",` +
				`"from":{"id":"a1","name":"Ada"},"text":"hi"}`,
		},
		"formatted": {
			message("**hi**", "<p><strong>hi</strong></p>"),
			`{"op":"event","room":"lobby","seq":42,"at":"2026-11-23T09:41:05.123Z","kind":"message",` +
				`"from":{"id":"a1","name":"Ada"},"text":"**hi**","html":"<p><strong>hi</strong></p>"}`,
		},
		"hostile": {
			message("\"\\\n\t\x00\u2028</script>", ""),
			`{"op":"event","room":"lobby","seq":42,"at":"2026-11-23T09:41:05.123Z","kind":"message",` +
				`"from":{"id":"a1","name":"Ada"},"text":"\"\\\n\t\u0000\u2028</script>"}`,
		},
		"typing": {
			chat.Event{Room: "lobby", Kind: chat.Typing, From: ada, At: at},
			`{"op":"typing","room":"lobby","from":{"id":"a1","name":"Ada"}}`,
		},
		"joined": {
			chat.Event{Room: "lobby", Kind: chat.Presence, Change: &chat.PresenceChange{Count: 2, Joined: &ada}},
			`{"op":"presence","room":"lobby","count":2,"joined":{"id":"a1","name":"Ada"}}`,
		},
		"left": {
			chat.Event{Room: "lobby", Kind: chat.Presence, Change: &chat.PresenceChange{Count: 1, Left: &ada}},
			`{"op":"presence","room":"lobby","count":1,"left":{"id":"a1","name":"Ada"}}`,
		},
		"a list": {
			chat.Event{
				Room: "lobby", Kind: chat.Presence,
				Change: &chat.PresenceChange{Count: 2, Here: []chat.Person{ada, {ID: "g", Name: "Grace"}}},
			},
			`{"op":"presence","room":"lobby","count":2,"here":[{"id":"a1","name":"Ada"},{"id":"g","name":"Grace"}]}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, payload(t, EventFrames{}.Append(nil, tt.event))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestChatroomFramesHoldOnlyMessages(t *testing.T) {
	if got, want := payload(
		t, ChatroomFrames{}.Append(nil, message("hi", "<p>hi</p>")),
	), `{"from":"Ada","message":"hi"}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := (ChatroomFrames{}).Append(nil, chat.Event{Kind: chat.Typing, From: ada}); len(got) != 0 {
		t.Errorf("typing is %q", got)
	}
}

func TestStream(t *testing.T) {
	got := string(SSE{Epoch: "e"}.Append(nil, message("two\nlines", "")))
	want := "id: e:42:2026-11-23T09:41:05.123Z\nevent: message\ndata: " + payload(
		t, EventFrames{}.Append(nil, message("two\nlines", "")),
	) + "\n\n"
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := string(SSE{Epoch: "e"}.Append(
		nil, chat.Event{Kind: chat.Typing, From: ada},
	)); strings.Contains(got, "id:") {
		t.Errorf("what is not kept has an id: %q", got)
	}
}

func TestAnswers(t *testing.T) {
	seq, count := chat.Seq(0), 1
	tests := map[string]struct{ got, want string }{
		"ok": {payload(t, (&Answer{ID: 7}).AppendFrame(nil)), `{"op":"ok","id":7}`},
		"hello": {
			payload(
				t,
				(&Answer{
					ID: 1, Person: &ada, Session: "s", Epoch: "e", Build: "b", Limits: &Limits{4000, 65536, 100},
				}).AppendFrame(nil),
			),
			`{"op":"ok","id":1,"person":{"id":"a1","name":"Ada"},"session":"s","epoch":"e","build":"b",` +
				`"limits":{"message_length":4000,"frame_size":65536,"rooms":100}}`,
		},
		"behind": {
			payload(
				t,
				(&Answer{
					ID: 3, Behind: true, Room: "lobby", Seq: &seq, Epoch: "e", Count: &count, Here: []chat.Person{ada},
				}).AppendFrame(nil),
			),
			`{"op":"behind","id":3,"room":"lobby","seq":0,"epoch":"e","count":1,"here":[{"id":"a1","name":"Ada"}]}`,
		},
		"stored": {
			payload(t, AppendStored(nil, 4, message("", ""))),
			`{"op":"ok","id":4,"room":"lobby","seq":42,"at":"2026-11-23T09:41:05.123Z"}`,
		},
		"error": {
			payload(
				t,
				AppendError(
					nil, 4, &chat.Error{Code: chat.RateLimited, Message: "no", RetryAfter: 1500*time.Microsecond + 1},
				),
			),
			`{"op":"error","id":4,"code":"rate_limited","message":"no","retry_after_ms":2}`,
		},
		"line error": {
			payload(t, AppendChatroomError(nil, &chat.Error{Code: chat.BadName, Message: "no"})),
			`{"from":"Parley","message":"no","error":"bad_name"}`,
		},
	}
	for name, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", name, tt.got, tt.want)
		}
	}
}

func TestAppendTimeIsWhatTheTimePackageWrites(t *testing.T) {
	for _, in := range []time.Time{
		at,
		{},
		time.Unix(0, 0), time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Date(2024, 2, 29, 1, 2, 3, 4_000_000, time.FixedZone("", -3*3600)),
	} {
		want := in.UTC().Format(`"2006-01-02T15:04:05.000Z"`)
		if got := string(appendTime(nil, in)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestDecodeCommand(t *testing.T) {
	five := chat.Seq(5)
	tests := map[string]struct {
		in   string
		want Command
		code chat.Code
	}{
		"join": {
			`{"op":"join","id":2,"room":"r","after":5,"epoch":"e"}`,
			Command{Op: "join", ID: 2, Room: "r", After: &five, Epoch: "e"},
			"",
		},
		"send": {
			` {"text":"a\nb","op":"send","nonce":"n"} `, Command{Op: "send", Text: "a\nb", Nonce: "n"}, "",
		},
		"unknown fields":     {`{"op":"ping","new":{"a":[1]}}`, Command{Op: "ping"}, ""},
		"null":               {`{"op":"join","after":null}`, Command{Op: "join"}, ""},
		"not JSON":           {`hello`, Command{}, chat.InvalidJSON},
		"empty":              {``, Command{}, chat.InvalidJSON},
		"an array":           {`[{"op":"ping"}]`, Command{}, chat.InvalidJSON},
		"two objects":        {`{"op":"ping"}{"op":"ping"}`, Command{}, chat.InvalidJSON},
		"half an object":     {`{"op":"ping"`, Command{}, chat.InvalidJSON},
		"a wrong type":       {`{"id":9,"op":3}`, Command{ID: 9}, chat.InvalidJSON},
		"a fraction":         {`{"op":"join","after":1.5}`, Command{Op: "join"}, chat.InvalidJSON},
		"a number too large": {`{"op":"join","after":99999999999999999999}`, Command{Op: "join"}, chat.InvalidJSON},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := DecodeCommand([]byte(tt.in))
			if code := chat.CodeOf(err); code != tt.code {
				t.Errorf("code %q, want %q", code, tt.code)
			}
			tt.want.CommandOptions = &CommandOptions{}
			if tt.code == "" && !cmp.Equal(got, tt.want) || got.ID != tt.want.ID {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"op":"send","id":1,"room":"lobby","nonce":"n","text":"hi"}`))
	f.Add([]byte(`{"op":"join","after":0}`))
	f.Add([]byte(`{"op":"join","after":-1,"op":"x","id":01}`))
	f.Add([]byte(`{"op":"é","id":1e3,"text":"\u00e9","room":null,}`))
	f.Add([]byte(`{"from":"Ada","message":"hi"}`))
	f.Add([]byte(`{"op":"react","id":3,"room":"r","seq":42,"emoji":"👍"}`))
	f.Add([]byte(`{"op":"send","reply_to":41,"thread":40,"echo":true,"forward":{"room":"r","seq":9}}`))
	f.Add([]byte(`{"op":"pin","seq":-0,"seq":1e2,"thread":007,"reply_to":9223372036854775808,"SEQ":1}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		if quick := (Command{}); scanCommand(in, &quick) {
			var c Command
			if err := decode(in, &c); err != nil || !cmp.Equal(c, quick) {
				t.Errorf("the scanner reads %+v, encoding/json %+v, %v", quick, c, err)
			}
		}
		if c, err := DecodeCommand(in); err == nil &&
			!utf8.ValidString(c.Op+c.Room+c.Text+c.Nonce+c.Name+c.Session+c.Epoch+c.Emoji) {
			t.Error("a command that is not UTF-8")
		} else if err != nil && chat.CodeOf(err) != chat.InvalidJSON {
			t.Error(err)
		}
		if l, err := DecodeChatroom(in); err == nil && !utf8.ValidString(l.From+l.Message) {
			t.Error("a line that is not UTF-8")
		}
	})
}

func FuzzString(f *testing.F) {
	f.Add("hi")
	f.Add("\x00\u2028\"\\\xff\U0001f600")
	f.Fuzz(func(t *testing.T, in string) {
		var got string
		if err := json.Unmarshal(appendString(nil, in), &got); err != nil {
			t.Fatal(err)
		}
		if want := strings.ToValidUTF8(in, "\ufffd"); utf8.ValidString(in) && got != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

func BenchmarkAppendMessage(b *testing.B) {
	e := message("Good morning, everybody. Shall we begin?", "")
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = EventFrames{}.Append(buf[:0], e)
	}
}

func BenchmarkDecodeSend(b *testing.B) {
	in := []byte(
		`{"op":"send","id":17,"room":"lobby","nonce":"0198c1d2-7a3b-7c4d-8e5f-60718293a4b5","text":"Good morning,` +
			` everybody. Shall we begin?"}`,
	)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeCommand(in); err != nil {
			b.Fatal(err)
		}
	}
}
