package cli

import (
	"cmp"
	"context"
	"fmt"

	"parley/internal/store/sqlite"
)

type checkCmd struct {
	dataFlag
	File string `arg:"" optional:"" type:"path" help:"A back-up to check, in place of the data folder."`
}

// Run checks a whole data folder or back-up and prints what is wrong with it.
func (c *checkCmd) Run(ctx context.Context, con *console) error {
	what := cmp.Or(c.File, c.Data)
	checked, err := sqlite.Check(ctx, what)
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
