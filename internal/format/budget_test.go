package format

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// renderAll is render without a limit of time.
func renderAll(message string) string {
	colour := time.Hour
	html, _ := render(message, &colour)
	return html
}

// costly returns different texts with coloured code, or bold ones.
func costly(n int) string {
	return "```go\n" + strings.Repeat("x := "+strconv.Itoa(n)+" // is a number\n", 100) + "```"
}

func TestBudgetIsForAllMessagesOfARequest(t *testing.T) {
	const coloured = "<span"
	b := &Budget{All: time.Hour, Colour: time.Hour}
	if html := HTML(costly(-1), b); !strings.Contains(html, coloured) {
		t.Fatalf("with time for it code is plain: %s", html)
	}
	if b.All >= time.Hour || b.Colour >= time.Hour {
		t.Error("it has cost nothing")
	}

	b = &Budget{All: time.Hour, Colour: 1} // one nanosecond: the first token uses it up
	for i := range 3 {
		switch html := HTML(costly(i), b); {
		case strings.Contains(html, coloured):
			t.Errorf("message %d is coloured without time for it", i)
		case !strings.Contains(html, "<pre>"):
			t.Errorf("message %d is not even code: %q", i, html)
		}
	}
	if html := HTML("**bold** 0", b); html == "" {
		t.Error("what has no code was not formatted")
	}

	b = &Budget{All: 1, Colour: time.Hour}
	if html := HTML("**bold** 1", b); html == "" {
		t.Error("the first message was not formatted")
	}
	if !b.Spent() {
		t.Fatalf("a nanosecond is not used up: %v", b.All)
	}
	if html := HTML("**bold** 2", b); html != "" {
		t.Errorf("beyond the budget: %s", html)
	}
	if html := HTML("**bold** 1", b); html == "" {
		t.Error("what is known costs nothing, and was not given")
	}
}

func TestResultsThatABudgetCutShortAreNotCached(t *testing.T) {
	HTML(costly(100), &Budget{All: time.Hour, Colour: 1})
	HTML("**bold** 100", &Budget{})
	for _, text := range []string{costly(100), "**bold** 100"} {
		if html := HTML(text, nil); !strings.Contains(html, "<span") && !strings.Contains(html, "<strong>") {
			t.Errorf("it stays plain: %.80s", html)
		}
	}
}
