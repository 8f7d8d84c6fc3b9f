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

// addresses are the URLs at which a server can be reached.
type addresses struct {
	local  string   // on this machine, or by its domain
	others []string // from other machines, the most likely first
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

// lanAddresses returns this machine's addresses in local networks, IPv4 first, because these are
// easier to type.
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
	return append(v4, v6...)
}

// welcome prints the server's address: one line for programs, and for a person at a terminal also
// the addresses for other devices, with a QR code.
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
