package server

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"rsc.io/qr"

	"parley/internal/chat"
	"parley/internal/room"
)

type linkBody struct {
	Link     string
	OnlyHere bool `json:"only_here"`
	QR       []string
}

func TestALinkWorksForOthers(t *testing.T) {
	const network, here = "http://192.168.1.20:8080", "http://localhost/r/lobby"
	longest := "/r/" + url.PathEscape(strings.Repeat("𠀀", chat.MaxRoomName)) // each letter has four bytes
	known := func() []string { return []string{network} }
	for name, tt := range map[string]struct {
		to, host string
		urls     func() []string
		from     string // as a trusted proxy says it; "": from this machine
		want     string
		onlyHere bool
	}{
		"localhost": {
			to: "http://localhost:9000/r/lobby", host: "localhost:9000", urls: known, want: network + "/r/lobby",
		},
		"a loopback": {
			to: "http://127.1.2.3:8080/r/é#7", host: "127.1.2.3:8080", urls: known, want: network + "/r/%C3%A9#7",
		},
		"the longest name": {
			to: "http://localhost:9000" + longest, host: "localhost:9000", urls: known, want: network + longest,
		},
		"IPv6":        {to: "http://[::1]:80/r/lobby", host: "[::1]:80", urls: known, want: network + "/r/lobby"},
		"the network": {to: network + "/r/lobby", host: "192.168.1.20:8080", urls: known, want: network + "/r/lobby"},
		"a domain": {
			to: "https://chat.example.org/r/lobby", host: "localhost", urls: known,
			want: "https://chat.example.org/r/lobby",
		},
		"no network": {to: here, host: "localhost", want: here, onlyHere: true},
		"somebody else": {
			to: here, host: "localhost", urls: known, from: "203.0.113.9", want: here, onlyHere: true,
		},
		"by another name": {to: here, host: "192.168.1.20", urls: known, want: here, onlyHere: true},
	} {
		t.Run(name, func(t *testing.T) {
			ts := startServer(t, Config{NetworkURLs: tt.urls, TrustedProxy: prefixes("127.0.0.1/32")}, room.Config{})
			header := []string{"Host", tt.host}
			if tt.from != "" {
				header = append(header, "X-Forwarded-For", tt.from)
			}
			got := decode[linkBody](t, ts.ask(t, http.MethodGet, "/api/link?to="+url.QueryEscape(tt.to), "", header...))
			if got.Link != tt.want || got.OnlyHere != tt.onlyHere {
				t.Errorf("%+v, want %s", got, tt.want)
			}
			code, err := qr.Encode(tt.want, qr.M)
			if err != nil || len(got.QR) != code.Size {
				t.Fatalf("a QR code of %d rows, want %d: %v", len(got.QR), code.Size, err)
			}
			for y, row := range got.QR {
				for x, r := range row {
					if (r == '1') != code.Black(x, y) {
						t.Fatalf("module %d,%d is %q", x, y, r)
					}
				}
			}
		})
	}
	ts := startServer(t, Config{}, room.Config{})
	for _, to := range []string{
		"", "lobby", "javascript:alert(1)", "http://", "http://a:b@c/", "http://a/" + strings.Repeat("x", 1200),
	} {
		if a := ts.ask(t, http.MethodGet, "/api/link?to="+url.QueryEscape(to), ""); a.StatusCode != 400 {
			t.Errorf("%q: %d %s", to, a.StatusCode, a.body)
		}
	}
}
