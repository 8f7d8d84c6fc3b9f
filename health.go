package main

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
)

// healthTimeout is how long a server may take to answer.
const healthTimeout = 5 * time.Second

type healthCmd struct {
	URL *url.URL `name:"url" default:"http://127.0.0.1:8080" placeholder:"URL" help:"Where the server is."`
}

// Run asks /healthz: what the health check of a container needs that has no
// shell and no curl.
func (c *healthCmd) Run(ctx context.Context, con *console) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	address := c.URL.JoinPath("/healthz").String()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("health of %s: %w", c.URL, err)
	}
	// On this machine the certificate, which is for the server's public name,
	// cannot fit, and there is nobody between.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: isLoopback(c.URL.Hostname())}}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		var problem struct{ Detail string }
		json.NewDecoder(io.LimitReader(answer.Body, 64<<10)).Decode(&problem) // it may be no server of ours
		return fmt.Errorf("%s is not well: %s", c.URL, cmp.Or(problem.Detail, answer.Status))
	}
	_, err = fmt.Fprintln(con.stdout, "ok")
	return err
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
