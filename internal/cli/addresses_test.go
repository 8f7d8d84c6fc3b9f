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

func TestAPersonIsToldWhereToBegin(t *testing.T) {
	const here = "http://127.0.0.1:8080"
	lan := addresses{local: here, others: []string{"http://192.168.1.20:8080", "http://[2001:db8::1]:8080", "c", "d"}}
	for name, tt := range map[string]struct {
		person  bool
		a       addresses
		told    []string
		notTold []string
		camera  string // what the QR code says
	}{
		"a program": {a: lan, notTold: []string{"lobby", "192.168"}},
		"in a network": {
			person: true, a: lan, camera: "http://192.168.1.20:8080/r/lobby",
			told:    []string{here + "/r/lobby", "http://192.168.1.20:8080/r/lobby", "//[2001:db8::1]:8080/r/lobby"},
			notTold: []string{"d/r/lobby"},
		},
		"alone": {
			person: true, a: addresses{local: here}, told: []string{here + "/r/lobby"}, notTold: []string{"Others"},
		},
		"a domain": {
			person: true, a: addresses{local: "https://chat.example.org", public: true},
			told: []string{"https://chat.example.org/r/lobby"}, notTold: []string{"Others"},
			camera: "https://chat.example.org/r/lobby",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr, camera strings.Builder
			welcome(&stdout, &stderr, tt.person, tt.a)
			if want := "listening on " + tt.a.local + "\n"; stdout.String() != want {
				t.Errorf("standard output %q, want %q", stdout.String(), want)
			}
			for _, s := range tt.told {
				if !strings.Contains(stderr.String(), s) {
					t.Errorf("%q is missing in\n%s", s, &stderr)
				}
			}
			for _, s := range tt.notTold {
				if strings.Contains(stderr.String(), s) {
					t.Errorf("%q is in\n%s", s, &stderr)
				}
			}
			if drawQR(&camera, tt.camera); tt.camera != "" && !strings.Contains(stderr.String(), camera.String()) {
				t.Errorf("no QR code of %s in\n%s", tt.camera, &stderr)
			}
			if tt.camera == "" && strings.Contains(stderr.String(), "█") {
				t.Errorf("a QR code in\n%s", &stderr)
			}
		})
	}
}
