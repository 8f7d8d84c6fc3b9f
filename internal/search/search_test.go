package search

import (
	"testing"
)

func TestSearchFindsWhatWasSaid(t *testing.T) {
	l := newMemLog()
	one := l.say("lobby", "Ada Lovelace", "The Analytical Engine weaves algebraic patterns")
	two := l.say("lobby", "Grace", "Müller's parser parses *quickly*: https://example.org/cat.png")
	three := l.say("attic", "林さん", "明日は東京タワーへ行きます")
	four := l.say("attic", "Ada", "don't parse 3.14 twice, see www.example.org/paper.pdf")
	five := l.say("attic", "Zoë", "การประชุมเริ่มแล้ว 회의를 시작합니다 🎉")
	x := newIndex(t, l, t.TempDir())
	follow(t, x, l)
	for query, want := range map[string][]Place{
		"engine":                       {{"lobby", one}},
		"ENGINE analytical":            {{"lobby", one}},
		`"analytical engine"`:          {{"lobby", one}},
		`"engine analytical"`:          nil,
		`"analytical eng`:              nil,
		"muller":                       {{"lobby", two}},
		"MÜLLER":                       {{"lobby", two}},
		"pars*":                        {{"lobby", two}, {"attic", four}},
		"parse":                        {{"attic", four}},
		"don't":                        {{"attic", four}},
		"3.14":                         {{"attic", four}},
		"14.3":                         nil,
		"東京":                           {{"attic", three}},
		"京タ":                           {{"attic", three}},
		"東":                            {{"attic", three}},
		"す":                            {{"attic", three}},
		"東京 明日":                        {{"attic", three}},
		"東タ":                           nil,
		"ﾀﾜｰ":                          {{"attic", three}},
		"ประชุม":                       {{"attic", five}},
		"회의":                           {{"attic", five}},
		"🎉":                            {{"attic", five}},
		"from:ada":                     {{"lobby", one}, {"attic", four}},
		`from:"Ada Lovelace"`:          {{"lobby", one}},
		"from:love":                    {{"lobby", one}},
		"from:ovelace":                 nil,
		"from:zoe":                     {{"attic", five}},
		"from:林":                       {{"attic", three}},
		"from:grace from:zoe":          {{"lobby", two}, {"attic", five}},
		"from:ada in:attic":            {{"attic", four}},
		"in:lobby":                     {{"lobby", one}, {"lobby", two}},
		"in:#Lobby engine":             {{"lobby", one}},
		"has:link":                     {{"lobby", two}, {"attic", four}},
		"has:image":                    {{"lobby", two}},
		"has:file":                     {{"lobby", two}, {"attic", four}},
		"has:link has:image parser":    {{"lobby", two}},
		"before:2026-11-20":            nil,
		"after:2026-11-20":             nil,
		"before:2026-11-21 engine":     {{"lobby", one}},
		"after:2026-11-19 engine":      {{"lobby", one}},
		"after:2026-10 before:2027 🎉":  {{"attic", five}},
		"after:2026-11":                nil,
		"":                             nil,
		`"`:                            nil,
		"!!! ???":                      nil,
		"https://example.org":          {{"lobby", two}},
		`"weaves algebraic" patterns `: {{"lobby", one}},
	} {
		wantFound(t, x, query, want...)
	}
}
