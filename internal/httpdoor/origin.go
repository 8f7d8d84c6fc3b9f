package httpdoor

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rs/cors"

	"parley/internal/chat"
)

// origins are the origins of --allow-origin: their pages may use this server, in addition to its
// own.
type origins []origin

// An origin is a scheme and a host in the form of authority. A name that begins with "." stands for
// all names below it.
type origin struct {
	scheme string
	host   string // with its port, unless that is the scheme's default
	name   string // without the port
}

// parseOrigins reads the values of --allow-origin.
func parseOrigins(values []string) (origins, error) {
	var list origins
	for _, v := range values {
		o, err := parseAllowedOrigin(v)
		if err != nil {
			return nil, fmt.Errorf("--allow-origin: %w", err)
		}
		list = append(list, o)
	}
	return list, nil
}

func parseAllowedOrigin(value string) (origin, error) {
	scheme, host, found := strings.Cut(strings.TrimSuffix(value, "/"), "://")
	sub, wild := strings.CutPrefix(host, "*.")
	o, ok := parseOrigin(scheme + "://" + sub)
	if !found || !ok {
		return o,
			fmt.Errorf("write a scheme and a host, such as https://chat.example.org or https://*.example.org, not %q",
				value)
	}
	if o.scheme != "http" && o.scheme != "https" {
		return o, fmt.Errorf("write http:// or https:// before the host, not %q", value)
	}
	if !wild {
		return o, nil
	}
	if err := checkWildcard(o.name); err != nil {
		return o, fmt.Errorf("%q %w", value, err)
	}
	o.host, o.name = "."+o.host, "."+o.name
	return o, nil
}

// parseOrigin reads an Origin header (RFC 6454 §7). It refuses "null".
func parseOrigin(value string) (origin, bool) {
	scheme, host, ok := strings.Cut(value, "://")
	if !ok || scheme == "" {
		return origin{}, false
	}
	scheme = strings.ToLower(scheme)
	name, _, ok := SplitHost(host)
	if !ok {
		return origin{}, false
	}
	host, ok = authority(scheme, host)
	return origin{scheme, host, name}, ok
}

// lists reports whether the value of an Origin header is one of the origins.
func (os origins) lists(header string) bool {
	o, ok := parseOrigin(header)
	return ok && slices.ContainsFunc(os, func(allowed origin) bool {
		return allowed.scheme == o.scheme &&
			(allowed.host == o.host || allowed.host[0] == '.' && strings.HasSuffix(o.host, allowed.host))
	})
}

// sameOrigin reports whether r comes from one of this server's own pages, or not from a browser. It
// is the one comparison for all doors: for WebSockets, to which browsers do not apply the
// same-origin policy and whose upgrade is a GET, and for requests that change something.
func sameOrigin(r *http.Request) bool {
	probe := &http.Request{Method: http.MethodPost, Host: r.Host, Header: http.Header{}}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		probe.Header.Set("Sec-Fetch-Site", site)
	}
	if value := r.Header.Get("Origin"); value != "" {
		probe.Header.Set("Origin", value)
		// Behind a proxy that handles TLS, the scheme differs from the page's, so only hosts can be
		// compared: both in the form for the page's scheme.
		if o, ok := parseOrigin(value); ok {
			probe.Header.Set("Origin", o.scheme+"://"+o.host)
			if host, ok := authority(o.scheme, r.Host); ok {
				probe.Host = host
			}
		}
	}
	return crossOrigin.Check(probe) == nil
}

// crossOrigin is the rule of the standard library: Sec-Fetch-Site decides or, in an old browser,
// whether Origin equals Host.
var crossOrigin = http.NewCrossOriginProtection()

// originListed reports whether r comes from a page of a listed origin.
func (d *Door) originListed(r *http.Request) bool {
	return d.origins.lists(r.Header.Get("Origin"))
}

// OriginAllowed reports whether the page that sent r may change something or open a connection
// here. The error has code ForbiddenOrigin.
func (d *Door) OriginAllowed(r *http.Request) error {
	if sameOrigin(r) || d.originListed(r) {
		return nil
	}
	return forbidden(r.Header.Get("Origin"))
}

func forbidden(value string) error {
	return &chat.Error{
		Code: chat.ForbiddenOrigin, Message: fmt.Sprintf("Pages of %q may not talk to this server.", value),
	}
}

// CORS lets through reads, which browsers themselves hide from pages of other origins, and every
// request from a listed origin, and refuses others with a problem. Pages of listed origins get the
// headers that CORS requires, for the given methods.
func (d *Door) CORS(methods []string, next http.Handler) http.Handler {
	if len(d.origins) > 0 {
		next = cors.New(cors.Options{
			AllowOriginFunc:  d.origins.lists,
			AllowedMethods:   append([]string{http.MethodHead}, methods...), // a route for GET answers HEAD
			AllowedHeaders:   []string{"Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID"},
			ExposedHeaders:   []string{"Retry-After"},
			AllowCredentials: true,
			MaxAge:           int((10 * time.Minute).Seconds()),
		}).Handler(next)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		preflight := r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
		if preflight && !d.originListed(r) || !reads(r.Method) && d.OriginAllowed(r) != nil {
			d.Refuse(w, r, forbidden(r.Header.Get("Origin")))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// reads reports whether a method changes nothing (RFC 9110 §9.2.1).
func reads(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}
