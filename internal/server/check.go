package server

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"

	"parley/internal/certs"
	"parley/internal/httpdoor"
)

// Check reads the flags before anything is started: it returns a sentence that
// says what to write instead, and brings names into the form in which they are
// compared.
func (c *Config) Check() error {
	door := c.door()
	if err := door.Check(); err != nil {
		return err
	}
	if err := c.checkTLS(); err != nil {
		return err
	}
	if c.TLSCert != "" {
		if err := certs.CheckPair(c.TLSCert, c.TLSKey); err != nil {
			return fmt.Errorf("--tls-cert and --tls-key: name the PEM files of a certificate and of its private key, "+
				"which this user can read; %w", err)
		}
	}
	for i, name := range c.Domain {
		var err error
		if c.Domain[i], err = checkDomain(name, c.ACMECA != ""); err != nil {
			return err
		}
	}
	if c.ACMECA != "" {
		if u, err := url.Parse(c.ACMECA); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
			return fmt.Errorf("--acme-ca: write the URL of an ACME directory, such as "+
				"https://acme-staging-v02.api.letsencrypt.org/directory, not %q", c.ACMECA)
		}
	}
	return nil
}

// door returns the part of the flags that is about all HTTP doors.
func (c *Config) door() httpdoor.Config {
	return httpdoor.Config{
		AllowOrigin: c.AllowOrigin, AllowHost: c.AllowHost, OwnNames: c.OwnNames, Domain: c.Domain,
		TrustedProxy: c.TrustedProxy, RoomRate: c.RoomRate,
	}
}

// checkTLS returns an error if flags do not go together.
func (c *Config) checkTLS() error {
	switch {
	case len(c.Domain) > 0 && c.TLSCert+c.TLSKey != "":
		return errors.New("--domain gets a certificate by itself: leave out --tls-cert and --tls-key, or --domain")
	case len(c.Domain) == 0 && c.ACMECA != "":
		return errors.New("--acme-ca says whom to ask for the certificate of --domain: add --domain, or leave it out")
	case c.TLSCert != "" && c.TLSKey == "":
		return errors.New("--tls-cert needs the certificate's private key too: add --tls-key FILE")
	case c.TLSKey != "" && c.TLSCert == "":
		return errors.New("--tls-key needs the certificate too: add --tls-cert FILE")
	}
	return nil
}

// checkDomain returns a value of --domain in its usual form. Public authorities
// give certificates only for names below a public suffix; one's own may know
// others.
func checkDomain(value string, ownAuthority bool) (string, error) {
	name, ok := httpdoor.CanonicalName(value)
	if !ok {
		return "", fmt.Errorf("--domain: write only a name, such as chat.example.org, not %q", value)
	}
	if httpdoor.IsAddress(name) || httpdoor.IsLoopbackName(name) {
		return "", fmt.Errorf("--domain: nobody gives a certificate for %s; "+
			"write a name such as chat.example.org, or leave it out", name)
	}
	if ownAuthority {
		return name, nil
	}
	suffix, icann := publicsuffix.PublicSuffix(name)
	if known := icann || strings.Contains(suffix, "."); !known || icann && suffix == name {
		return "",
			fmt.Errorf(
				"--domain: Let's Encrypt gives no certificate for %s; write a public name such as chat.example.org, "+
					"or name an authority of your own with --acme-ca", name)
	}
	return name, nil
}

// CheckDomains checks the values of --domain as Check does, for a command that only
// looks for a server. It requires only that they are names.
func CheckDomains(values []string) error {
	for i, value := range values {
		var err error
		if values[i], err = checkDomain(value, true); err != nil {
			return err
		}
	}
	return nil
}
