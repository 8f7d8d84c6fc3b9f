package client_test

import (
	"context"
	"net/http"
	"testing"

	"parley/client"
)

// A client of the real server learns that its session was signed out elsewhere.
func TestRealServerSignsOut(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the server")
	}
	s := startServer(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ada := s.dial(client.Options{Name: "Ada"})
	if _, err := ada.Join(ctx, "lobby"); err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodDelete, "http://"+s.address+"/api/session", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+ada.Session())
	answer, err := http.DefaultClient.Do(r)
	if err != nil || answer.StatusCode != http.StatusNoContent {
		t.Fatalf("%v, %v", answer, err)
	}
	answer.Body.Close()
	for err == nil {
		_, err = ada.Next(ctx)
	}
	wantCode(t, err, client.SessionEnded)
}
