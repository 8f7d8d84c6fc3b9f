package httpdoor

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Address returns the client's address. Behind a trusted proxy it is read from
// X-Forwarded-For, from the right: each proxy appends the address that it serves. So
// the first address that is not a trusted proxy's is the client's. The client itself
// may have written the addresses before that one, so they are ignored.
func (d *Door) Address(r *http.Request) netip.Addr {
	addr := peer(r)
	if !d.trusted(addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		next, ok := parseHop(hop)
		if !ok {
			return addr
		}
		if addr = next; !d.trusted(addr) {
			return addr
		}
	}
	return addr
}

// Secure reports whether the client came by TLS, as far as we or a trusted
// proxy before us can tell.
func (d *Door) Secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	proto, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	return d.trusted(peer(r)) && strings.EqualFold(strings.TrimSpace(proto), "https")
}

func (d *Door) trusted(addr netip.Addr) bool {
	return slices.ContainsFunc(d.cfg.TrustedProxy, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// peer returns the address at the other end of the connection; the zero Addr
// if it has none.
func peer(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

// parseHop reads one element of X-Forwarded-For: an address, with a port as
// some proxies add it, or without.
func parseHop(hop string) (netip.Addr, bool) {
	hop = strings.TrimSpace(hop)
	if ap, err := netip.ParseAddrPort(hop); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	addr, err := netip.ParseAddr(strings.Trim(hop, "[]"))
	return addr.Unmap().WithZone(""), err == nil
}

// Network returns what stands for an address when connections are counted: for
// IPv6 its /64, as that is what one subscriber gets (RFC 6177).
func Network(addr netip.Addr) netip.Addr {
	if !addr.Is6() {
		return addr
	}
	return netip.PrefixFrom(addr, 64).Masked().Addr()
}
