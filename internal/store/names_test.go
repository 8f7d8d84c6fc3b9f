package store

import (
	"strings"
	"testing"
)

func TestMostMessagesNameNobodyAtOnce(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "hi": false, "a@b.example": false, "@": false, "@ x": false, "x @": false,
		"é@x": false, "1@x": false, "_@x": false,
		"@x": true, "(@x": true, "a@b @x": true, "@@": true, strings.Repeat("a@b", 1000) + " @x": true,
	} {
		if got := mayMention(text); got != want {
			t.Errorf("%.20q: %v", text, got)
		}
	}
}
