package server

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"parley/internal/chat"
	"parley/internal/link"
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
			s := &Server{cfg: Config{TrustedProxy: prefixes(tt.trusted...)}}
			if got := s.address(r); got != netip.MustParseAddr(tt.want) {
				t.Errorf("address = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestConnectionsFromOneAddressAreLimited(t *testing.T) {
	s := &Server{addresses: addresses{limit: 2}, links: link.New(link.Config{})}
	one, other := netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("203.0.113.10")
	for range 2 {
		if err := s.admit(one); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.admit(one); chat.CodeOf(err) != chat.TooManyConnections {
		t.Fatalf("the third: %v", err)
	}
	if err := s.admit(other); err != nil {
		t.Errorf("another address: %v", err)
	}
	s.release(one)
	if err := s.admit(one); err != nil {
		t.Errorf("after one has gone: %v", err)
	}
	if err := s.admit(one); err == nil {
		t.Error("one has gone and two have come")
	}
	if got := s.addresses.count(); got != 3 {
		t.Errorf("%d connections, want 3", got)
	}
}

func TestASubscribersIPv6NetworkIsOneAddress(t *testing.T) {
	a := addresses{limit: 1}
	first, second := netip.MustParseAddr("2001:db8:1:2::1"), netip.MustParseAddr("2001:db8:1:2:ffff::9")
	if err := a.enter(network(first)); err != nil {
		t.Fatal(err)
	}
	if err := a.enter(network(second)); err == nil {
		t.Error("two addresses of one /64 count apart")
	}
	if err := a.enter(network(netip.MustParseAddr("2001:db8:1:3::1"))); err != nil {
		t.Errorf("another /64: %v", err)
	}
	a.leave(network(first))
	if len(a.open) != 1 {
		t.Errorf("%d addresses are remembered, want 1", len(a.open))
	}
}
