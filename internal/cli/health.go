package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"parley/internal/server"
)

// healthTimeout is how long a server may take to answer.
const healthTimeout = 5 * time.Second

// healthCmd shares the flags of serve that say where a server listens, so that it finds a server
// with the same environment.
type healthCmd struct {
	URL     *url.URL `name:"url" placeholder:"URL" help:"Where the server is. Default: on this machine, as the flags below say."`
	Listen  string   `placeholder:"ADDRESS" help:"The server's --listen."`
	Domain  []string `placeholder:"NAME" help:"The server's --domain."`
	TLSCert string   `name:"tls-cert" placeholder:"FILE" help:"The server's --tls-cert."`
}

func (c *healthCmd) check() error {
	if c.Listen != "" {
		if err := checkListen("--listen", c.Listen); err != nil {
			return err
		}
	}
	return server.CheckDomains(c.Domain)
}

// Run requests /healthz. It is the health check for containers, which have no shell and no curl.
func (c *healthCmd) Run(ctx context.Context, con *console) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	at, err := c.url()
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at.JoinPath("/healthz").String(), nil)
	if err != nil {
		return fmt.Errorf("health of %s: %w", at, err)
	}
	tlsConfig := &tls.Config{}
	if isLoopback(at.Hostname()) {
		// The certificate is for the server's public name, and nobody can intercept connections
		// within this machine.
		tlsConfig.InsecureSkipVerify = true
		if len(c.Domain) > 0 {
			tlsConfig.ServerName = c.Domain[0]
		}
	}
	transport := &http.Transport{TLSClientConfig: tlsConfig}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		var problem struct{ Detail string }
		json.NewDecoder(io.LimitReader(answer.Body, 64<<10)).Decode(&problem) // the answer may not come from Parley
		return fmt.Errorf("%s is not well: %s", at, cmp.Or(problem.Detail, answer.Status))
	}
	_, err = fmt.Fprintln(con.stdout, "ok")
	return err
}

// url returns the address to request: by default that of a server with the same flags.
func (c *healthCmd) url() (*url.URL, error) {
	if c.URL != nil {
		return c.URL, nil
	}
	scheme, listen := "http", ":8080"
	if c.TLSCert != "" {
		scheme = "https"
	}
	if len(c.Domain) > 0 {
		scheme, listen = "https", ":443"
	}
	listen = cmp.Or(c.Listen, listen)
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, fmt.Errorf("--listen %s: %w", listen, err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return &url.URL{Scheme: scheme, Host: net.JoinHostPort(host, port)}, nil
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
