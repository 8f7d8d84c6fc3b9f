package cli

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"rsc.io/qr"
)

// addresses are the URLs at which a server can be reached.
type addresses struct {
	local  string   // on this machine, or by its domain
	others []string // from other machines, the most likely first, or by its further domains
	public bool     // local is one that others can use too
}

// forOthers returns the URLs at which other machines reach the server.
func (a addresses) forOthers() []string {
	if a.public {
		return append([]string{a.local}, a.others...)
	}
	return a.others
}

// addresses returns where ln can be reached.
func (c *serveCmd) addresses(ln net.Listener) addresses {
	bound, ok := ln.Addr().(*net.TCPAddr)
	if !ok {
		return addresses{local: ln.Addr().String()}
	}
	scheme, usual := "http", 80
	if c.HTTP.TLSCert != "" || len(c.HTTP.Domain) > 0 {
		scheme, usual = "https", 443
	}
	at := func(host string) string {
		if bound.Port != usual {
			host = net.JoinHostPort(host, strconv.Itoa(bound.Port))
		} else if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return (&url.URL{Scheme: scheme, Host: host}).String()
	}
	if names := c.HTTP.Domain; len(names) > 0 {
		a := addresses{local: at(names[0]), public: true}
		for _, name := range names[1:] {
			a.others = append(a.others, at(name))
		}
		return a
	}
	if !bound.IP.IsUnspecified() {
		return addresses{local: at(bound.IP.String()), public: !bound.IP.IsLoopback()}
	}
	a := addresses{local: at("127.0.0.1")}
	for _, addr := range lanAddresses() {
		a.others = append(a.others, at(addr.String()))
	}
	return a
}

// lanAddresses returns this machine's addresses in local networks: first the one by which it reaches other networks,
// then IPv4, because these are easier to type.
func lanAddresses() []netip.Addr {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil // then fewer addresses are printed
	}
	var v4, v6 []netip.Addr
	for _, a := range all {
		p, err := netip.ParsePrefix(a.String())
		switch addr := p.Addr(); {
		case err != nil, !addr.IsGlobalUnicast():
		case addr.Is4():
			v4 = append(v4, addr)
		default:
			v6 = append(v6, addr)
		}
	}
	addrs := append(v4, v6...)
	if i := slices.Index(addrs, mainAddress()); i > 0 {
		main := addrs[i]
		addrs = slices.Insert(slices.Delete(addrs, i, i+1), 0, main)
	}
	return addrs
}

// mainAddress returns the address from which this machine speaks to other networks; the zero Addr if there is none. A
// bridge to containers has addresses too, which nobody else can reach. No packet is sent.
func mainAddress() netip.Addr {
	conn, err := net.Dial("udp4", "192.0.2.1:9") // an address of nobody (RFC 5737)
	if err != nil {
		return netip.Addr{}
	}
	defer conn.Close()
	if own, ok := conn.LocalAddr().(*net.UDPAddr); ok {
		return own.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// firstRoom is the path of the room to begin with.
const firstRoom = "/r/lobby"

// maxPrinted is how many addresses for other machines are printed. IPv6 may give a machine a dozen.
const maxPrinted = 3

// welcome prints the server's address: one line for programs, and for a person at a terminal the addresses of a room
// for this machine and for other ones, with a QR code.
func welcome(stdout, stderr io.Writer, person bool, a addresses) {
	fmt.Fprintf(stdout, "listening on %s\n", a.local)
	if !person {
		return
	}
	show := func(url string) { fmt.Fprintf(stderr, "      \x1b[1m%s\x1b[0m\n", url+firstRoom) }
	fmt.Fprint(stderr, "\n  Parley is running. Open this room in your browser:\n\n")
	show(a.local)
	switch {
	case a.public:
		fmt.Fprintln(stderr)
		drawQR(stderr, a.local+firstRoom)
	case len(a.others) > 0:
		fmt.Fprint(stderr, "\n  Others in your network open this, or point a phone's camera at it:\n\n")
		for _, other := range a.others[:min(len(a.others), maxPrinted)] {
			show(other)
		}
		fmt.Fprintln(stderr)
		drawQR(stderr, a.others[0]+firstRoom)
	}
	fmt.Fprint(stderr, "\n  Any name after /r/ is a room. Stop with Ctrl+C.\n\n")
}

// quiet is the width of the light border of a QR code, in modules. ISO/IEC 18004 requires 4; every
// phone accepts 2.
const quiet = 2

// drawQR draws a QR code for text, with two modules in each character. It sets both colours,
// because not every phone reads an inverted code.
func drawQR(w io.Writer, text string) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return // the text is too long; the address is printed above anyway
	}
	for y := -quiet; y < code.Size+quiet; y += 2 {
		var line strings.Builder
		for x := -quiet; x < code.Size+quiet; x++ {
			// Draw half blocks in black on white.
			switch top, bottom := code.Black(x, y), code.Black(x, y+1); {
			case top && bottom:
				line.WriteRune('█')
			case top:
				line.WriteRune('▀')
			case bottom:
				line.WriteRune('▄')
			default:
				line.WriteRune(' ')
			}
		}
		fmt.Fprintf(w, "  \x1b[30;107m%s\x1b[0m\n", line.String())
	}
}
