package format

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestEveryEmojiIsWhatItsShortCodesBecome(t *testing.T) {
	all := Emoji()
	if len(all) < 1800 {
		t.Fatalf("only %d emoji", len(all))
	}
	if first, last := all[0],
		all[len(all)-1]; first.Emoji != "😀" || first.Name != "grinning face" ||
		!strings.HasPrefix(last.Name, "flag: ") {
		t.Errorf("from %v to %v", first, last)
	}
	for _, e := range all {
		if e.Emoji == "" || strings.ContainsRune(e.Emoji, '\uFFFD') || e.Name == "" || len(e.ShortCodes) == 0 {
			t.Errorf("%+v lacks something", e)
		}
		for _, code := range e.ShortCodes {
			if got, want := renderAll(":"+code+":"), "<p>"+e.Emoji+"</p>"; got != want {
				t.Errorf(":%s: becomes %s, want %s", code, got, want)
			}
			if code == "octocat" {
				t.Error("a picture of one company is no emoji")
			}
		}
	}
}

// The page offers short-codes where a message would have the emoji.
func TestAShortCodeBeginsWhereThePageCompletesIt(t *testing.T) {
	file, err := os.ReadFile("../chat/testdata/mentions.json")
	if err != nil {
		t.Fatal(err)
	}
	var table struct {
		Beginnings []struct {
			Before string
			Code   bool
		}
	}
	if err := json.Unmarshal(file, &table); err != nil || len(table.Beginnings) == 0 {
		t.Fatal(err, len(table.Beginnings))
	}
	for _, tt := range table.Beginnings {
		if got := strings.Contains(HTML(tt.Before+":smile:", nil), "😄"); got != tt.Code {
			t.Errorf("after %q: %v", tt.Before, got)
		}
	}
}
