package server

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"parley/internal/room"
)

// TestExamplesOfTheProtocolAreTrue sends every line of docs/protocol.md that
// begins with "> " on one connection, and compares what comes back with the
// lines that begin with "< ".
func TestExamplesOfTheProtocolAreTrue(t *testing.T) {
	doc, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	ts := startServer(t, Config{FrameSize: 65536, RoomsPerConnection: 100}, room.Config{MessageLength: 4000})
	c := ts.dial(t, "/ws")
	var heard [][]byte // and not asked for yet
	sent := 0
	for line := range strings.Lines(string(doc)) {
		line = strings.TrimSpace(line)
		if command, ok := strings.CutPrefix(line, "> "); ok {
			c.put(ws.NewTextFrame([]byte(command)))
			sent++
		}
		if want, ok := strings.CutPrefix(line, "< "); ok {
			var found bool
			if heard, found = c.hearLike(heard, want); !found {
				t.Errorf("nothing like %s came, only\n%s", want, heard)
			}
		}
	}
	if sent < 8 {
		t.Errorf("only %d examples were found", sent)
	}
}

// hearLike takes the frame that is like want from those that were heard, or
// from the next few.
func (c *talker) hearLike(heard [][]byte, want string) (left [][]byte, found bool) {
	for i, frame := range heard {
		if like(c.t, want, frame) {
			return append(heard[:i], heard[i+1:]...), true
		}
	}
	for range 3 {
		frame := c.frame().Payload
		if like(c.t, want, frame) {
			return heard, true
		}
		heard = append(heard, frame)
	}
	return heard, false
}

// like compares two JSON values; "…" in want stands for anything.
func like(t testing.TB, want string, got []byte) bool {
	t.Helper()
	var w, g any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("%s: %v", want, err)
	}
	if err := json.Unmarshal(got, &g); err != nil {
		t.Fatalf("%s: %v", got, err)
	}
	return likeValue(w, g)
}

func likeValue(want, got any) bool {
	switch w := want.(type) {
	case string:
		g, ok := got.(string)
		return ok && (w == "…" || w == g)
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(w) != len(g) {
			return false
		}
		for k := range w {
			if _, ok := g[k]; !ok || !likeValue(w[k], g[k]) {
				return false
			}
		}
		return true
	case []any:
		g, ok := got.([]any)
		if !ok || len(w) != len(g) {
			return false
		}
		for i := range w {
			if !likeValue(w[i], g[i]) {
				return false
			}
		}
		return true
	}
	return fmt.Sprint(want) == fmt.Sprint(got)
}
