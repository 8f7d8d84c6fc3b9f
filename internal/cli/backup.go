package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"parley/internal/files"
	"parley/internal/move"
	"parley/internal/store/postgres"
	"parley/internal/store/sqlite"
)

type backupCmd struct {
	dataFlag
	databaseFlags
	File string `arg:"" type:"path" help:"Where the copy goes; it must not exist yet."`
}

// Run copies the database while others use it. A server that runs on the data folder makes the copy and sends it, so
// that it never waits for this process. If no server can be asked, this process reads the database itself.
func (c *backupCmd) Run(ctx context.Context, con *console) error {
	if c.Database != "" {
		return c.fromPostgres(ctx, con)
	}
	err := c.fromServer(ctx)
	if errors.Is(err, errNoServer) {
		err = sqlite.Backup(ctx, c.Data, c.File)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(con.stdout, "copied to %s\n", c.File)
	return err
}

// fromPostgres copies what the PostgreSQL database holds at one moment.
func (c *backupCmd) fromPostgres(ctx context.Context, con *console) error {
	text, cfg, err := c.read()
	if err != nil {
		return err
	}
	from, err := postgres.OpenSnapshot(ctx, postgres.Config{URL: text})
	if err != nil {
		return databaseError(err, cfg)
	}
	var report move.Report
	err = sqlite.FillFile(ctx, c.File, func(ctx context.Context, to move.Target) (err error) {
		report, err = move.Copy(ctx, from, to, newProgress(con.stderr).tell)
		return err
	})
	if err = errors.Join(err, from.Close()); err != nil {
		return fmt.Errorf("backing up %s to %s: %w", databaseName(cfg), c.File, databaseError(err, cfg))
	}
	_, err = fmt.Fprintf(con.stdout, "copied to %s: %s\n", c.File, amounts(report))
	return err
}

// errNoServer means that no server can make the copy: none runs, it cannot be reached, or its disk
// has no space for the copy.
var errNoServer = errors.New("no server makes a copy")

// fromServer lets the server that uses the data folder make the copy, and receives it.
func (c *backupCmd) fromServer(ctx context.Context) error {
	dial, err := dialSocket(c.Data)
	if err != nil {
		return errNoServer
	}
	transport := &http.Transport{DialContext: dial, DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://parley/backup", nil)
	if err != nil {
		return err
	}
	answer, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("backing up %s: %w", c.Data, ctx.Err())
		}
		return errNoServer
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusInsufficientStorage:
		return errNoServer
	default:
		why, _ := io.ReadAll(io.LimitReader(answer.Body, 1000))
		return fmt.Errorf("backing up %s: %s", c.Data, strings.TrimSpace(string(why)))
	}
	err = files.New(c.File, func(partial string) error {
		f, err := os.OpenFile(partial, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		n, err := io.Copy(f, answer.Body)
		if err == nil && n != answer.ContentLength {
			err = io.ErrUnexpectedEOF
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New(
				"the server has given it up, because this end took too long, or because it stopped; try again")
		}
		return errors.Join(err, f.Close())
	})
	if err != nil {
		return fmt.Errorf("backing up %s to %s: %w", filepath.Clean(c.Data), c.File, err)
	}
	return nil
}
