package cli

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"rsc.io/qr"
)

// addresses are the URLs at which a server can be opened.
type addresses struct {
	local  string   // on this machine, or by its domain
	others []string // from other machines, the likeliest first
}

// addresses says where ln can be reached.
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
		a := addresses{local: at(names[0])}
		for _, name := range names[1:] {
			a.others = append(a.others, at(name))
		}
		return a
	}
	if !bound.IP.IsUnspecified() {
		return addresses{local: at(bound.IP.String())}
	}
	a := addresses{local: at("127.0.0.1")}
	for _, addr := range lanAddresses() {
		a.others = append(a.others, at(addr.String()))
	}
	return a
}

// lanAddresses returns this machine's addresses in local networks, IPv4 first,
// as they are what a person can type.
func lanAddresses() []netip.Addr {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil // then there are only fewer lines to show
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
	return append(v4, v6...)
}

// welcome tells a program where the server is, in one line, and a person who
// watches where to open it, also with a phone.
func welcome(stdout, stderr io.Writer, person bool, a addresses) {
	fmt.Fprintf(stdout, "listening on %s\n", a.local)
	if !person {
		return
	}
	fmt.Fprintf(stderr, "\n  On this machine:  %s\n", a.local)
	for i, other := range a.others {
		label := "In your network: "
		if i > 0 {
			label = strings.Repeat(" ", len(label))
		}
		fmt.Fprintf(stderr, "  %s %s\n", label, other)
	}
	if len(a.others) > 0 {
		fmt.Fprintln(stderr)
		drawQR(stderr, a.others[0])
	}
	fmt.Fprint(stderr, "\n  Stop with Ctrl+C.\n\n")
}

// quiet is the light border that a QR code needs around it, in modules (ISO/IEC
// 18004 asks for 4; every phone reads 2).
const quiet = 2

// drawQR draws a QR code for text with two modules in each character. It sets
// both colours, as a code in reverse is not read by every phone.
func drawQR(w io.Writer, text string) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return // too long a text; the address stands above anyway
	}
	for y := -quiet; y < code.Size+quiet; y += 2 {
		var line strings.Builder
		for x := -quiet; x < code.Size+quiet; x++ {
			// Half blocks in black on white.
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
