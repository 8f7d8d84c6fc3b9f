package cli

import (
	"cmp"
	"context"
	"fmt"

	"parley/internal/store"
	"parley/internal/store/postgres"
	"parley/internal/store/sqlite"
)

type checkCmd struct {
	dataFlag
	databaseFlags
	File string `arg:"" optional:"" type:"path" help:"A back-up to check, in place of the data folder or the database."`
}

// Run checks a whole data folder, database or back-up and prints what is wrong with it.
func (c *checkCmd) Run(ctx context.Context, con *console) error {
	what, checked, err := c.look(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(con.stdout, "%s: %d rooms, %d people, %d events, schema %d\n", what, checked.Rooms, checked.People,
		checked.Events, checked.Schema)
	for _, found := range checked.Found {
		fmt.Fprintf(con.stdout, "wrong: %s\n", found)
	}
	for _, note := range checked.Notes {
		fmt.Fprintf(con.stdout, "note: %s\n", note)
	}
	if len(checked.Found) > 0 {
		return fmt.Errorf("%s is damaged; restore a back-up, and keep the damaged files until you have looked at them",
			what)
	}
	_, err = fmt.Fprintln(con.stdout, "it is whole")
	return err
}

// look checks what the command names, and returns its name.
func (c *checkCmd) look(ctx context.Context) (what string, checked store.CheckReport, err error) {
	if c.Database == "" || c.File != "" {
		what = cmp.Or(c.File, c.Data)
		checked, err = sqlite.Check(ctx, what)
		return what, checked, err
	}
	text, cfg, err := c.read()
	if err != nil {
		return "", checked, err
	}
	checked, err = postgres.Check(ctx, postgres.Config{URL: text})
	if err != nil {
		err = fmt.Errorf("checking %s: %w", databaseName(cfg), databaseError(err, cfg))
	}
	return databaseName(cfg), checked, err
}
