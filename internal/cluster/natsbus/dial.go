package natsbus

import (
	"cmp"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
)

// DialConfig says which NATS server to use.
type DialConfig struct {
	URL      string       // nats://host:port or tls://host:port, several with commas between them; may name a user
	Password string       // of the user in the URL or, without one, a token; default: what the URL says
	TLS      *tls.Config  // default: TLS with the system's authorities if the URL or the server wants it
	Prefix   string       // of all subjects, so that several installations can share a NATS server
	Logger   *slog.Logger // gets what NATS has to say, as debug lines; default: discard
}

// Dial connects to a NATS server that somebody else runs. It succeeds even if the server cannot be reached now: it
// tries on.
func Dial(cfg DialConfig) (*Bus, error) {
	user, err := CheckURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	var options []nats.Option
	switch {
	case cfg.Password == "":
	case user != "":
		options = append(options, nats.UserInfoHandler(func() (string, string) { return user, cfg.Password }))
	default:
		options = append(options, nats.TokenHandler(func() string { return cfg.Password }))
	}
	if cfg.TLS != nil {
		options = append(options, nats.Secure(cfg.TLS))
	}
	return connect(withoutUsers(cfg.URL, cfg.Password != ""), cfg.Prefix,
		cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler)), options...)
}

// errURL quotes nothing, because a password may be anywhere in what could not be taken apart.
var errURL = errors.New("write nats://host:port or tls://host:port, several with commas between them; " +
	"in names and passwords write special characters as %40")

// CheckURL checks the URLs of NATS servers and returns the user in the first one, or "". No error contains a password.
func CheckURL(text string) (user string, err error) {
	for i, part := range strings.Split(text, ",") {
		u, err := url.Parse(strings.TrimSpace(part))
		if err != nil || !slices.Contains([]string{"nats", "tls"}, u.Scheme) || u.Hostname() == "" ||
			strings.Trim(u.Path, "/") != "" {
			return "", errURL
		}
		if i == 0 && u.User != nil {
			user = u.User.Username()
		}
	}
	return user, nil
}

// withoutUsers removes the users from URLs if remove is set, because they would count more than the options.
func withoutUsers(text string, remove bool) string {
	if !remove {
		return text
	}
	var urls []string
	for part := range strings.SplitSeq(text, ",") {
		if u, err := url.Parse(strings.TrimSpace(part)); err == nil {
			u.User = nil
			urls = append(urls, u.String())
		}
	}
	return strings.Join(urls, ",")
}
