package server

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"parley/internal/chat"
)

// origins are those that an operator lets talk to this server besides its own.
type origins []origin

// An origin is a scheme and a host with its port, if that is not the scheme's
// own, in lower case. A host that begins with "." stands for all its
// sub-domains.
type origin struct {
	scheme string
	host   string
}

// parseOrigins reads the values of --allow-origin.
func parseOrigins(values []string) (origins, error) {
	var list origins
	for _, v := range values {
		o, ok := parseOrigin(v)
		if sub, wild := strings.CutPrefix(o.host, "*."); ok && wild {
			o.host = "." + sub
		}
		if !ok || strings.Contains(o.host, "*") || o.host == "." {
			return nil, fmt.Errorf("%q is not an origin such as https://chat.example.org or https://*.example.org", v)
		}
		list = append(list, o)
	}
	return list, nil
}

// parseOrigin reads an Origin header (RFC 6454 §7). "null" is none.
func parseOrigin(value string) (origin, bool) {
	u, err := url.Parse(value)
	if err != nil || u.Scheme == "" || u.Host == "" || u.Host[0] == '.' || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return origin{}, false
	}
	scheme := strings.ToLower(u.Scheme)
	return origin{scheme, hostOf(scheme, u.Host)}, true
}

// hostOf returns a host in lower case without a port that is the scheme's own.
func hostOf(scheme, host string) string {
	host = strings.ToLower(host)
	switch scheme {
	case "http":
		host = strings.TrimSuffix(host, ":80")
	case "https":
		host = strings.TrimSuffix(host, ":443")
	}
	return host
}

// lists reports whether an operator named o.
func (os origins) lists(o origin) bool {
	return slices.ContainsFunc(os, func(allowed origin) bool {
		return allowed.scheme == o.scheme &&
			(allowed.host == o.host || allowed.host[0] == '.' && strings.HasSuffix(o.host, allowed.host) && len(o.host) > len(allowed.host))
	})
}

// originAllowed reports whether a page from where r comes may open a
// connection here. The error has code ForbiddenOrigin. A request without an
// Origin is no browser's and passes. Browsers do not hold WebSockets to the
// same-origin policy, and for them an upgrade is a GET, so nothing else would
// keep a foreign page from talking in a visitor's name.
func (s *Server) originAllowed(r *http.Request) error {
	value := r.Header.Get("Origin")
	if value == "" {
		return nil
	}
	// A proxy that ends TLS leaves us with another scheme than the page's, so
	// that only hosts can be compared.
	o, ok := parseOrigin(value)
	if ok && (o.host == hostOf(o.scheme, r.Host) || s.origins.lists(o)) {
		return nil
	}
	return forbidden(value)
}

func forbidden(value string) error {
	return &chat.Error{Code: chat.ForbiddenOrigin, Message: fmt.Sprintf("Pages of %q may not talk to this server.", value)}
}

// guard lets through what may be asked across origins: reading, which browsers
// keep from pages of other origins by themselves, and anything from a listed
// origin, for which it answers what CORS asks for.
func (s *Server) guard(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o, ok := parseOrigin(r.Header.Get("Origin"))
		listed := ok && s.origins.lists(o)
		h := w.Header()
		if len(s.origins) > 0 {
			h.Add("Vary", "Origin")
		}
		if listed {
			h.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
			h.Set("Access-Control-Allow-Credentials", "true")
			h.Set("Access-Control-Expose-Headers", "Retry-After")
		}
		preflight := r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
		switch {
		case preflight && listed:
			h.Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, Last-Event-ID")
			h.Set("Access-Control-Max-Age", "600")
			w.WriteHeader(http.StatusNoContent)
		case preflight:
			s.refuse(w, r, forbidden(r.Header.Get("Origin")))
		case !listed && cross.Check(r) != nil:
			s.refuse(w, r, forbidden(r.Header.Get("Origin")))
		default:
			next.ServeHTTP(w, r)
		}
	})
}
