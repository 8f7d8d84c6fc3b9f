package cli

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"rsc.io/qr"

	"parley/internal/server"
)

// at is a socket with a made-up address.
type at struct {
	net.Listener
	addr string
}

func (l at) Addr() net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(l.addr)) }

func TestTheAddressesToOpen(t *testing.T) {
	tests := map[string]struct {
		bound string
		http  server.Config
		want  string
	}{
		"one address":      {bound: "192.0.2.1:8080", want: "http://192.0.2.1:8080"},
		"IPv6":             {bound: "[::1]:8080", want: "http://[::1]:8080"},
		"IPv6, usual port": {bound: "[::1]:80", want: "http://[::1]"},
		"any address":      {bound: "[::]:8080", want: "http://127.0.0.1:8080"},
		"the usual port":   {bound: "0.0.0.0:80", want: "http://127.0.0.1"},
		"TLS": {
			bound: "127.0.0.1:8443", http: server.Config{TLSCert: "cert.pem"}, want: "https://127.0.0.1:8443",
		},
		"a domain": {
			bound: "[::]:443", http: server.Config{Domain: []string{"chat.example.org"}},
			want: "https://chat.example.org",
		},
		"a domain's own port": {
			bound: "[::]:8443", http: server.Config{Domain: []string{"chat.example.org"}},
			want: "https://chat.example.org:8443",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := (&serveCmd{HTTP: tt.http}).addresses(at{addr: tt.bound})
			if got.local != tt.want {
				t.Errorf("local = %s, want %s", got.local, tt.want)
			}
			if bound := strings.HasPrefix(tt.bound, "192") ||
				strings.HasPrefix(tt.bound, "[::1]"); bound && len(got.others) > 0 {
				t.Errorf("others = %v, but it listens there only", got.others)
			}
		})
	}
}

func TestTheQRCodeIsDrawnAsItIs(t *testing.T) {
	const text = "http://192.168.1.20:8080"
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	drawQR(&b, text)
	var rows [][]bool
	for line := range strings.Lines(b.String()) {
		_, line, _ = strings.Cut(line, "m")
		line, _, _ = strings.Cut(line, "\x1b")
		var top, bottom []bool
		for _, r := range line {
			top = append(top, r == '█' || r == '▀')
			bottom = append(bottom, r == '█' || r == '▄')
		}
		rows = append(rows, top, bottom)
	}
	if want := code.Size + 2*quiet; len(rows) < want || len(rows[0]) != want {
		t.Fatalf("%d rows of %d modules, want %d", len(rows), len(rows[0]), want)
	}
	for y, row := range rows {
		for x, black := range row {
			if black != code.Black(x-quiet, y-quiet) {
				t.Fatalf("module %d,%d is black: %v", x, y, black)
			}
		}
	}
	for _, edge := range [][]bool{rows[0], rows[1]} {
		if slices.Contains(edge, true) {
			t.Error("there is no light border")
		}
	}
}
