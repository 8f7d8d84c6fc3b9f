package httpdoor

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"parley/internal/chat"
)

// SplitHost reads a Host header or the authority of an Origin. The name is in lower case, spelled
// as in the DNS, without a dot at its end; an address has no brackets and no zone. port is "" if
// there is none.
func SplitHost(hostport string) (name, port string, ok bool) {
	name = hostport
	if i := strings.LastIndexByte(name, ':'); i >= 0 && !strings.HasSuffix(name, "]") {
		name, port = name[:i], name[i+1:]
		if n, err := strconv.ParseUint(port, 10, 16); err == nil {
			port = strconv.FormatUint(n, 10)
		} else if port != "" {
			return "", "", false
		}
	}
	if inner, bracketed := strings.CutPrefix(name, "["); bracketed {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return addr.WithZone("").String(), port, err == nil && addr.Is6() && strings.HasSuffix(inner, "]")
	}
	name, ok = CanonicalName(name)
	return name, port, ok
}

// CanonicalName returns a host's name, or its IPv4 address, in lower case, spelled as in the DNS,
// without a dot at its end.
func CanonicalName(name string) (string, bool) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if !isASCII(name) {
		ascii, err := idna.Lookup.ToASCII(name)
		if err != nil {
			return "", false
		}
		name = ascii
	}
	if name == "" || len(name) > 253 {
		return "", false
	}
	for label := range strings.SplitSeq(name, ".") {
		if !isLabel(label) {
			return "", false
		}
	}
	return name, true
}

// isLabel reports whether s, in lower case, can be one label of a name.
func isLabel(s string) bool {
	return s != "" && len(s) <= 63 && s[0] != '-' && s[len(s)-1] != '-' &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}

// authority returns host in one form for comparisons: the name as returned by splitHost, with its
// port unless that is the scheme's default.
func authority(scheme, host string) (string, bool) {
	name, port, ok := SplitHost(host)
	if port == "" || scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		if strings.Contains(name, ":") {
			name = "[" + name + "]"
		}
		return name, ok
	}
	return net.JoinHostPort(name, port), ok
}

// hosts are the names of this server, in addition to those that nobody on the Internet can own
// (isLocal). A request for another name is refused. Otherwise the owner of a name could let it
// point here for a moment, and a page of that name in a visitor's browser could use a server that
// only the visitor can reach (DNS rebinding).
type hosts struct {
	names []string // in full
	above []string // ".example.org" stands for every name below example.org

	mu     sync.Mutex
	logged map[string]bool // hosts that were logged
	since  time.Time       // when logged was last emptied
}

// The log names each refused host once, and at most maxLoggedHosts within relogHostsAfter, because
// clients can invent names.
const (
	maxLoggedHosts  = 100
	relogHostsAfter = time.Hour
)

// newHosts collects the names that cfg gives this server.
func newHosts(cfg *Config, origins origins) (*hosts, error) {
	h := &hosts{names: slices.Clone(cfg.OwnNames)}
	for _, name := range cfg.Domain {
		if name, ok := CanonicalName(name); ok {
			h.names = append(h.names, name)
		}
	}
	for _, o := range origins {
		h.add(o.name)
	}
	for _, v := range cfg.AllowHost {
		name, err := parseAllowedHost(v)
		if err != nil {
			return nil, err
		}
		h.add(name)
	}
	return h, nil
}

// add adds one name; one that begins with "." stands for all names below it.
func (h *hosts) add(name string) {
	if strings.HasPrefix(name, ".") {
		h.above = append(h.above, name)
	} else {
		h.names = append(h.names, name)
	}
}

// parseAllowedHost reads a value of --allow-host: a name, or "*." and a name. For the latter it
// returns "." and the name.
func parseAllowedHost(value string) (string, error) {
	name, wild := strings.CutPrefix(value, "*.")
	if strings.Contains(name, "/") || strings.Contains(name, "*") {
		return "",
			fmt.Errorf("--allow-host: write only a host's name, such as chat.example.org or *.example.org, not %q",
				value)
	}
	if strings.Contains(name, ":") && !strings.HasPrefix(name, "[") {
		return "", fmt.Errorf("--allow-host: write the name without a port, not %q; it counts with every port", value)
	}
	name, _, ok := SplitHost(name)
	if !ok {
		return "",
			fmt.Errorf("--allow-host: write a host's name, such as chat.example.org or *.example.org, not %q", value)
	}
	if !wild {
		return name, nil
	}
	if err := checkWildcard(name); err != nil {
		return "", fmt.Errorf("--allow-host: %q %w", value, err)
	}
	return "." + name, nil
}

// checkWildcard returns an error if anybody can register names below name, as below com, co.uk or
// github.io: allowing all of them would admit every stranger.
func checkWildcard(name string) error {
	if _, err := netip.ParseAddr(name); err == nil {
		return errors.New("is no name: there is nothing below an address; leave it out, as addresses always count")
	}
	if suffix, _ := publicsuffix.PublicSuffix(name); suffix == name && name != "localhost" {
		return fmt.Errorf(
			"lets in everybody who has a name below %s; name a domain that is yours, such as *.example.org", name)
	}
	return nil
}

// has reports whether name, as returned by splitHost, is one of this server's.
func (h *hosts) has(name string) bool {
	return isLocal(name) || slices.Contains(h.names, name) ||
		slices.ContainsFunc(h.above, func(above string) bool { return strings.HasSuffix(name, above) })
}

// isLocal reports whether nobody on the Internet can control where name points: it is an address,
// this machine, or a name that is resolved only in the local network (RFC 6761, RFC 6762).
func isLocal(name string) bool {
	if IsAddress(name) || IsLoopbackName(name) {
		return true
	}
	return !strings.Contains(name, ".") || strings.HasSuffix(name, ".local")
}

// IsAddress reports whether a browser takes name for an address, also in a short form such as 127.1
// (the URL standard's "ends in a number").
func IsAddress(name string) bool {
	if strings.Contains(name, ":") {
		return true
	}
	return strings.Trim(name[strings.LastIndexByte(name, '.')+1:], "0123456789") == ""
}

// IsLoopbackName reports whether name is localhost or below it (RFC 6761 §6.3).
func IsLoopbackName(name string) bool {
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// shouldLog reports whether to log a refused host: it was not logged yet, and not too many others
// were. At most maxLoggedHosts names are remembered.
func (h *hosts) shouldLog(name string, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.logged == nil || now.Sub(h.since) >= relogHostsAfter {
		h.logged, h.since = map[string]bool{}, now
	}
	if h.logged[name] || len(h.logged) >= maxLoggedHosts {
		return false
	}
	h.logged[name] = true
	return true
}

// answersFor reports whether r is for one of this server's hosts.
func (d *Door) answersFor(r *http.Request) bool {
	if r.Host == "" {
		return true // HTTP/1.0 needs no Host, and every browser sends one
	}
	if d.trusted(peer(r)) {
		return true // the proxy decides which hosts it serves
	}
	name, _, ok := SplitHost(r.Host)
	return ok && (d.hosts.has(name) || r.TLS != nil && d.cfg.Certified(name))
}

// anyHostPaths are answered for every host, because monitors use many names, and the answers
// contain nothing about people.
var anyHostPaths = []string{"/healthz", "/readyz", "/metrics"}

// KnownHosts lets through requests for this server's hosts, and answers others with the flag that
// the operator should set.
func (d *Door) KnownHosts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !d.answersFor(r) && !slices.Contains(anyHostPaths, r.URL.Path) {
			d.misdirected(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// misdirected answers a request for a host that is not this server's, with the status 421 (RFC 9110
// §15.5.20): a page for people, a problem for programs.
func (d *Door) misdirected(w http.ResponseWriter, r *http.Request) {
	host := r.Host
	if name, _, ok := SplitHost(host); ok {
		host = name
	} else if len(host) > 100 {
		host = strings.ToValidUTF8(host[:100], "") + "…"
	}
	if d.hosts.shouldLog(host, time.Now()) {
		d.logger.LogAttrs(r.Context(), slog.LevelWarn,
			"host refused: allow it with --allow-host, or name the proxy with --trusted-proxy",
			slog.String("host", host), slog.String("addr", peer(r).String()))
	}
	w.Header().Set("Connection", "close") // the next request may be for another host
	if WantsPage(r) {
		d.cfg.Counted(chat.UnknownHost)
		writeHostPage(w, host)
		return
	}
	d.Refuse(w, r, &chat.Error{Code: chat.UnknownHost, Message: fmt.Sprintf(
		"This server does not answer for the host %q. Whoever runs it has to allow that name with --allow-host, "+
			"or name the proxy before it with --trusted-proxy.", host)})
}
