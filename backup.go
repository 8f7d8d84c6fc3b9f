package main

import (
	"context"
	"fmt"

	"parley/internal/store"
)

type backupCmd struct {
	dataFlag
	File string `arg:"" type:"path" help:"Where the copy goes; it must not exist yet."`
}

// Run copies the log while whoever uses it goes on.
func (c *backupCmd) Run(ctx context.Context, con *console) error {
	if err := store.Backup(ctx, c.Data, c.File); err != nil {
		return err
	}
	_, err := fmt.Fprintf(con.stdout, "copied to %s\n", c.File)
	return err
}
