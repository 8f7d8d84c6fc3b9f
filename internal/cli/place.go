package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/jackc/pgx/v5/pgconn"

	"parley/internal/move"
	"parley/internal/store/postgres"
	"parley/internal/store/sqlite"
)

// A place is where all rooms, people and sessions are: a data folder, or a PostgreSQL database.
type place struct {
	folder   string // "": it is a database
	database string // for pgx
	cfg      *pgconn.Config
}

// readPlace reads the value of a flag, and of the one with -password-file behind its name. It connects to nothing.
func readPlace(flag, text, passwordFile string) (p place, err error) {
	switch {
	case text == "":
		return p, fmt.Errorf("%s: write a data folder, or a PostgreSQL database such as "+
			"postgres://parley@db.example.org/parley", flag)
	case isDatabase(text):
		p.database, p.cfg, err = readDatabase(flag, text, passwordFile)
		return p, err
	case passwordFile != "":
		return p, fmt.Errorf("%s-password-file is for a database, and %s is a data folder: leave it out", flag, text)
	}
	p.folder, err = filepath.Abs(text)
	return p, err
}

// String names the place in messages, without a password.
func (p place) String() string {
	if p.folder != "" {
		return "the data folder " + p.folder
	}
	return "the database " + databaseName(p.cfg)
}

// A movedSource is a place that is moved, which nobody else can use until Close.
type movedSource interface {
	move.Source
	Epoch() string
	SetMoved(ctx context.Context, to string) error
	Close() error
}

// open opens the place to move it. With moved it may have been moved already.
func (p place) open(ctx context.Context, moved bool, logger *slog.Logger) (movedSource, error) {
	if p.folder == "" {
		s, err := postgres.OpenToMove(ctx, postgres.Config{URL: p.database, Moved: moved})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p, databaseError(err, p.cfg))
		}
		return s, nil
	}
	if !sqlite.HasDatabase(p.folder) {
		return nil, fmt.Errorf("%s has no parley.db", p)
	}
	return sqlite.Open(ctx, sqlite.Config{
		Dir: p.folder, Logger: logger, Version: buildVersion(), Moved: moved,
	})
}

// fill fills the place, which must be empty. Nothing is there if it fails, unless the error is move.ErrUnknown.
func (p place) fill(ctx context.Context, epoch string, fill func(context.Context, move.Target) error) error {
	if p.folder != "" {
		return sqlite.FillFolder(ctx, p.folder, epoch, fill)
	}
	err := postgres.Fill(ctx, postgres.Config{URL: p.database, Version: buildVersion()}, epoch, fill)
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("filling %s: %w", p, databaseError(err, p.cfg))
}
