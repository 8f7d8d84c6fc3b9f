package search

import (
	"testing"

	"parley/internal/chat"
)

func TestSearchFindsMessages(t *testing.T) {
	l := newMemLog()
	one := l.say("lobby", "Ada Lovelace", "The Analytical Engine weaves algebraic patterns")
	two := l.say("lobby", "Grace", "Müller's parser parses *quickly*: https://example.org/cat.png")
	three := l.say("attic", "林さん", "明日は東京タワーへ行きます")
	four := l.say("attic", "Ada", "don't parse 3.14 twice, see www.example.org/paper.pdf")
	five := l.say("attic", "Zoë", "การประชุมเริ่มแล้ว 회의를 시작합니다 🎉")
	six := l.say("majlis", "أحمد", "مـَرْحـَـبًا بكم في المدرسة، رقم ٤٢")
	seven := l.say("majlis", "דנה", "בְּרֵאשִׁית ＦＵＬＬ ｶﾞﾗｽ")
	x := newIndex(t, l, t.TempDir())
	follow(t, x, l)
	for query, want := range map[string][]chat.MessageRef{
		"engine":                       {{Room: "lobby", Seq: one}},
		"ENGINE analytical":            {{Room: "lobby", Seq: one}},
		`"analytical engine"`:          {{Room: "lobby", Seq: one}},
		`"engine analytical"`:          nil,
		`"analytical eng`:              nil,
		"muller":                       {{Room: "lobby", Seq: two}},
		"MÜLLER":                       {{Room: "lobby", Seq: two}},
		"pars*":                        {{Room: "lobby", Seq: two}, {Room: "attic", Seq: four}},
		"parse":                        {{Room: "attic", Seq: four}},
		"don't":                        {{Room: "attic", Seq: four}},
		"3.14":                         {{Room: "attic", Seq: four}},
		"14.3":                         nil,
		"東京":                           {{Room: "attic", Seq: three}},
		"京タ":                           {{Room: "attic", Seq: three}},
		"東":                            {{Room: "attic", Seq: three}},
		"す":                            {{Room: "attic", Seq: three}},
		"東京 明日":                        {{Room: "attic", Seq: three}},
		"東タ":                           nil,
		"ﾀﾜｰ":                          {{Room: "attic", Seq: three}},
		"ประชุม":                       {{Room: "attic", Seq: five}},
		"회의":                           {{Room: "attic", Seq: five}},
		"🎉":                            {{Room: "attic", Seq: five}},
		"مرحبا":                        {{Room: "majlis", Seq: six}},
		"مَرحبًا":                      {{Room: "majlis", Seq: six}},
		"مرحـــبا":                     {{Room: "majlis", Seq: six}},
		"المدرسه":                      {{Room: "majlis", Seq: six}},
		"42":                           {{Room: "majlis", Seq: six}},
		"from:احمد":                    {{Room: "majlis", Seq: six}},
		"בראשית":                       {{Room: "majlis", Seq: seven}},
		"full":                         {{Room: "majlis", Seq: seven}},
		"ガラス":                          {{Room: "majlis", Seq: seven}},
		"from:ada":                     {{Room: "lobby", Seq: one}, {Room: "attic", Seq: four}},
		`from:"Ada Lovelace"`:          {{Room: "lobby", Seq: one}},
		"from:love":                    {{Room: "lobby", Seq: one}},
		"from:ovelace":                 nil,
		"from:zoe":                     {{Room: "attic", Seq: five}},
		"from:林":                       {{Room: "attic", Seq: three}},
		"from:grace from:zoe":          {{Room: "lobby", Seq: two}, {Room: "attic", Seq: five}},
		"from:ada in:attic":            {{Room: "attic", Seq: four}},
		"in:lobby":                     {{Room: "lobby", Seq: one}, {Room: "lobby", Seq: two}},
		"in:#Lobby engine":             {{Room: "lobby", Seq: one}},
		"has:link":                     {{Room: "lobby", Seq: two}, {Room: "attic", Seq: four}},
		"has:image":                    {{Room: "lobby", Seq: two}},
		"has:file":                     {{Room: "lobby", Seq: two}, {Room: "attic", Seq: four}},
		"has:link has:image parser":    {{Room: "lobby", Seq: two}},
		"before:2026-11-20":            nil,
		"after:2026-11-20":             nil,
		"before:2026-11-21 engine":     {{Room: "lobby", Seq: one}},
		"after:2026-11-19 engine":      {{Room: "lobby", Seq: one}},
		"after:2026-10 before:2027 🎉":  {{Room: "attic", Seq: five}},
		"after:2026-11":                nil,
		"":                             nil,
		`"`:                            nil,
		"!!! ???":                      nil,
		"https://example.org":          {{Room: "lobby", Seq: two}},
		`"weaves algebraic" patterns `: {{Room: "lobby", Seq: one}},
	} {
		wantFound(t, x, query, want...)
	}
}
