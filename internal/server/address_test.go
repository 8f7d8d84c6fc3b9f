package server

import (
	"net/netip"
	"testing"

	"parley/internal/chat"
	"parley/internal/httpdoor"
	"parley/internal/link"
)

func prefixes(list ...string) []netip.Prefix {
	var ps []netip.Prefix
	for _, p := range list {
		ps = append(ps, netip.MustParsePrefix(p))
	}
	return ps
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
	if err := a.enter(httpdoor.Network(first)); err != nil {
		t.Fatal(err)
	}
	if err := a.enter(httpdoor.Network(second)); err == nil {
		t.Error("two addresses of one /64 count apart")
	}
	if err := a.enter(httpdoor.Network(netip.MustParseAddr("2001:db8:1:3::1"))); err != nil {
		t.Errorf("another /64: %v", err)
	}
	a.leave(httpdoor.Network(first))
	if len(a.open) != 1 {
		t.Errorf("%d addresses are remembered, want 1", len(a.open))
	}
}
