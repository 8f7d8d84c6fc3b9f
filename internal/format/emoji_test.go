package format

import (
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
