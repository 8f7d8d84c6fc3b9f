package cli

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"parley/internal/chat"
	"parley/internal/store/sqlite"
)

// rolledBack runs parley rollback and returns its exit status and output.
func rolledBack(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(t.Context(), append([]string{"rollback"}, args...), &out, &errs)
	return status, out.String(), errs.String()
}

func TestRollbackSaysWhatIsLostAndAsks(t *testing.T) {
	dir := t.TempDir()
	dump, err := os.ReadFile("../store/sqlite/testdata/schema/0003.sql")
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(filepath.Join(dir, "parley.db")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), string(dump)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := rolledBack(t, "--data", dir); status != 1 ||
		!regexp.MustCompile(`there is no way back`).MatchString(stderr) {
		t.Errorf("before the upgrade: status %d, %s", status, stderr)
	}
	log, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir, Version: "v2"})
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- log.Run(context.Background()) }()
	ada := chat.Person{ID: "ada", Name: "Ada"}
	for _, d := range []chat.Draft{{Text: "new"}, {Text: "newer"}, {Kind: chat.Delete, Target: 1}} {
		d.Room, d.From = "lobby", ada
		stored := make(chan chat.Commit, 1)
		log.Append(d, func(c chat.Commit) { stored <- c })
		if c := <-stored; c.Err != nil {
			t.Fatal(c.Err)
		}
	}
	if status, _, stderr := rolledBack(t, "--data", dir, "--yes"); status != 1 ||
		!regexp.MustCompile(`in use by another parley`).MatchString(stderr) {
		t.Errorf("under a server: status %d, %s", status, stderr)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ran; err != nil {
		t.Fatal(err)
	}
	for range 2 { // without --yes it changes nothing
		status, stdout, stderr := rolledBack(t, "--data", dir)
		want := `was upgraded on \d{4}-\d\d-\d\d, from an earlier version \(schema 3\)\.\nWritten since, and lost ` +
			`by going back: 2 messages and 1 change in 1 room, the first at \d{4}-\d\d-\d\d \d\d:\d\d UTC\. What 1 ` +
			`deletion took away would be there again\.\n$`
		if status != 1 || !regexp.MustCompile(want).MatchString(stdout) ||
			!regexp.MustCompile(`nothing has been changed; .* --yes`).MatchString(stderr) {
			t.Errorf("asked: status %d, %q, %q", status, stdout, stderr)
		}
	}
	status, stdout, stderr := rolledBack(t, "--data", dir, "--yes")
	done := regexp.MustCompile("as it was before the upgrade.*older program" +
		`(?s).*kept as parley-undone-schema-\d+-.* remove it when`)
	if status != 0 || !done.MatchString(stdout) {
		t.Errorf("done: status %d, %q, %q", status, stdout, stderr)
	}
	if status, _, _ := rolledBack(t, "--data", filepath.Join(dir, "nowhere")); status != 1 {
		t.Errorf("of no folder: status %d", status)
	}
	if _, err := os.Stat(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a folder was made")
	}
}
