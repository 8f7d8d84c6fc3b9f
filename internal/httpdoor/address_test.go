package httpdoor

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func prefixes(list ...string) []netip.Prefix {
	var ps []netip.Prefix
	for _, p := range list {
		ps = append(ps, netip.MustParsePrefix(p))
	}
	return ps
}

func TestTheClientsAddress(t *testing.T) {
	tests := map[string]struct {
		peer      string
		forwarded []string
		trusted   []string
		want      string
	}{
		"direct": {peer: "203.0.113.9:1000", want: "203.0.113.9"},
		"direct, with a claim": {
			peer: "203.0.113.9:1000", forwarded: []string{"198.51.100.1"}, want: "203.0.113.9",
		},
		"a stranger with a claim": {
			peer: "203.0.113.9:1000", forwarded: []string{"198.51.100.1"}, trusted: []string{"10.0.0.0/8"},
			want: "203.0.113.9",
		},
		"one proxy": {
			peer: "10.0.0.1:1000", forwarded: []string{"198.51.100.1"}, trusted: []string{"10.0.0.0/8"},
			want: "198.51.100.1",
		},
		"one proxy, and a lie before": {
			peer: "10.0.0.1:1000", forwarded: []string{"1.1.1.1, 198.51.100.1"}, trusted: []string{"10.0.0.0/8"},
			want: "198.51.100.1",
		},
		"two proxies": {
			peer: "10.0.0.1:1000", forwarded: []string{"1.1.1.1, 198.51.100.1, 10.9.9.9"},
			trusted: []string{"10.0.0.0/8"}, want: "198.51.100.1",
		},
		"two proxies, two headers": {
			peer: "10.0.0.1:1000", forwarded: []string{"198.51.100.1", "10.9.9.9"}, trusted: []string{"10.0.0.0/8"},
			want: "198.51.100.1",
		},
		"only proxies": {
			peer: "10.0.0.1:1000", forwarded: []string{"10.1.1.1, 10.2.2.2"}, trusted: []string{"10.0.0.0/8"},
			want: "10.1.1.1",
		},
		"no header": {peer: "10.0.0.1:1000", trusted: []string{"10.0.0.0/8"}, want: "10.0.0.1"},
		"rubbish is where it ends": {
			peer: "10.0.0.1:1000", forwarded: []string{"198.51.100.1, unknown, 10.2.2.2"},
			trusted: []string{"10.0.0.0/8"}, want: "10.2.2.2",
		},
		"with a port": {
			peer: "10.0.0.1:1000", forwarded: []string{"198.51.100.1:4711"}, trusted: []string{"10.0.0.0/8"},
			want: "198.51.100.1",
		},
		"IPv6": {peer: "[2001:db8::1]:1000", want: "2001:db8::1"},
		"IPv6 in brackets": {
			peer: "[::1]:1000", forwarded: []string{"[2001:db8::7]:99"}, trusted: []string{"::1/128"},
			want: "2001:db8::7",
		},
		"IPv4 in IPv6": {
			peer: "[::ffff:10.0.0.1]:1000", forwarded: []string{"::ffff:198.51.100.1"}, trusted: []string{"10.0.0.0/8"},
			want: "198.51.100.1",
		},
		"a zone is no part of the place": {peer: "[fe80::1%eth0]:1000", want: "fe80::1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = tt.peer
			for _, f := range tt.forwarded {
				r.Header.Add("X-Forwarded-For", f)
			}
			d := &Door{cfg: Config{TrustedProxy: prefixes(tt.trusted...)}}
			if got := d.Address(r); got != netip.MustParseAddr(tt.want) {
				t.Errorf("address = %v, want %v", got, tt.want)
			}
		})
	}
}
