package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/client"
	"parley/internal/await"
	"parley/internal/pgserver"
	"parley/internal/store/postgres/pgtest"
)

// The search index of a node finds what another one has stored, and forgets what that one has deleted, whether they
// hear each other or not.
func TestIndexForgetsWhatAnotherNodeHasDeleted(t *testing.T) {
	if !pgserver.Installed() {
		t.Skip("no PostgreSQL")
	}
	for name, hears := range map[string]bool{"nodes hear each other": true, "nodes do not": false} {
		t.Run(name, func(t *testing.T) {
			flags := []string{"--database", pgtest.Empty(t), "--cluster-listen", "127.0.0.1:0", "--search-rate", "0"}
			a := startNode(t, flags...)
			address := a.logs(t, `msg="this server is one of several" .*addr=(\S+)`)[1]
			if hears {
				flags = append(flags, "--cluster-peers", address)
			}
			data := t.TempDir()
			b := startNode(t, append(flags, "--data", data)...)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			ada, err := client.Dial(ctx, a.url(t), client.Options{Name: "Ada"})
			if err != nil {
				t.Fatal(err)
			}
			defer ada.Close()
			if hears {
				b.logs(t, `msg="a node joined"`)
			}
			sent, err := ada.Send(ctx, "lobby", "the password is swordfish")
			if err != nil {
				t.Fatal(err)
			}
			await.True(t, "the other node finds the message", func() bool {
				return finds(t, b.url(t), ada.Session(), "swordfish") == 1
			})
			if !indexHas(t, data, "swordfish") {
				t.Fatal("the word is not in the files of the index")
			}
			if _, err := ada.Delete(ctx, "lobby", sent.Seq); err != nil {
				t.Fatal(err)
			}
			await.True(t, "the other node's index has forgotten it", func() bool {
				return !indexHas(t, data, "swordfish")
			})
			await.True(t, "the other node finds nothing", func() bool {
				return finds(t, b.url(t), ada.Session(), "swordfish") == 0
			})
		})
	}
}

// finds returns how many messages a server's index finds in the lobby, or -1 if it has not read all that was sent.
func finds(t *testing.T, server, session, word string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server+"/api/search?room=lobby&q="+word,
		strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+session)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var found struct {
		Hits     []struct{}
		Complete bool
	}
	if err := json.NewDecoder(answer.Body).Decode(&found); err != nil {
		t.Fatal(err)
	}
	if !found.Complete {
		return -1
	}
	return len(found.Hits)
}

// indexHas reports whether a word is in a file of the search index in a data folder.
func indexHas(t *testing.T, data, word string) bool {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(data, "search.db*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte(word)) {
			return true
		}
	}
	return false
}
