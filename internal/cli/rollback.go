package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"parley/internal/store/sqlite"
)

type rollbackCmd struct {
	dataFlag
	Yes bool `help:"Do it, after a look at what would be lost."`
}

// Run prints what has been written since the upgrade and, with --yes, restores the database from
// before it.
func (c *rollbackCmd) Run(ctx context.Context, con *console) (err error) {
	r, err := sqlite.NewRollback(ctx, c.Data, buildVersion())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	fmt.Fprintf(con.stdout, "%s was upgraded on %s, from %s.\n%s\n", c.Data, r.Day.Format(time.DateOnly), programOf(r),
		lost(r))
	if !c.Yes {
		return errors.New("nothing has been changed; to go back, and lose that, add --yes")
	}
	undone, err := r.Do(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(con.stdout,
		"%s is as it was before the upgrade. Now start the older program: this one would upgrade it again.\n", c.Data)
	if undone != "" {
		fmt.Fprintf(con.stdout, "What was undone is kept as %s. %s\n", undone, whoRemoves(r))
	}
	return nil
}

// whoRemoves says who removes the database that was replaced.
func whoRemoves(r *sqlite.Rollback) string {
	if r.Program == "unknown" { // that program is older than the copies, so it does not know them
		return "The older program leaves that there: remove it when you do not need it any more, as it holds all " +
			"messages."
	}
	return "It is removed after two weeks."
}

func programOf(r *sqlite.Rollback) string {
	if r.Program == "unknown" {
		return fmt.Sprintf("an earlier version (schema %d)", r.Schema)
	}
	return fmt.Sprintf("version %s (schema %d)", r.Program, r.Schema)
}

// lost describes what going back would lose.
func lost(r *sqlite.Rollback) string {
	if r.Since.IsZero() && r.People == 0 {
		return "Nothing has been written since."
	}
	var b strings.Builder
	if r.Since.IsZero() {
		b.WriteString("Nothing has been written since.")
	} else {
		fmt.Fprintf(&b, "Written since, and lost by going back: %s and %s in %s, the first at %s.",
			count(r.Messages, "message"), count(r.Changes, "change"), count(r.Rooms, "room"),
			r.Since.Format("2006-01-02 15:04 MST"))
	}
	if r.Deletes > 0 {
		fmt.Fprintf(&b, " What %s took away would be there again.", count(r.Deletes, "deletion"))
	}
	if r.People > 0 {
		fmt.Fprintf(&b, " Not known any more, and asked for a name again: %s.", count(r.People, "new guest"))
	}
	return b.String()
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprint(n, " ", what)
}
