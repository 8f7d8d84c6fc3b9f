package cli

import (
	"context"
	"errors"
	"fmt"

	"parley/internal/move"
	"parley/internal/store/sqlite"
)

type restoreCmd struct {
	dataFlag
	databaseFlags
	File string `arg:"" type:"path" help:"A back-up that parley backup has made."`
}

// Run restores a back-up into a data folder without a database, or into an empty PostgreSQL database.
func (c *restoreCmd) Run(ctx context.Context, con *console) error {
	if c.Database == "" {
		if err := sqlite.Restore(ctx, c.File, c.Data); err != nil {
			return err
		}
		_, err := fmt.Fprintf(con.stdout, "restored to %s\n", c.Data)
		return err
	}
	text, cfg, err := c.read()
	if err != nil {
		return err
	}
	from, err := sqlite.OpenBackup(ctx, c.File)
	if err != nil {
		return err
	}
	to := place{database: text, cfg: cfg}
	var report move.Report
	err = to.fill(ctx, "", func(ctx context.Context, target move.Target) (err error) {
		report, err = move.Copy(ctx, from, target, newProgress(con.stderr).tell)
		return err
	})
	if err = errors.Join(err, from.Close()); err != nil {
		return fmt.Errorf("restoring %s: %w", c.File, err)
	}
	_, err = fmt.Fprintf(con.stdout, "restored to %s: %s\n", to, amounts(report))
	return err
}
