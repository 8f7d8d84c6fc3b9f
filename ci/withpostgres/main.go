// Command withpostgres runs a command beside a PostgreSQL server, and names it empty databases in the variable
// PARLEY_TEST_DATABASES, one URL per word. Where there is no PostgreSQL it says so and does nothing.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"parley/internal/pgserver"
)

// databases is how many servers the command can start, each on a database of its own.
const databases = 4

func main() {
	err := run(context.Background(), os.Args[1:])
	if errors.Is(err, pgserver.ErrNone) {
		fmt.Fprintf(os.Stderr, "left out: %s: %v\n", strings.Join(os.Args[1:], " "), err)
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "withpostgres:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, command []string) (err error) {
	if len(command) == 0 {
		return errors.New("name a command")
	}
	s, err := pgserver.Start(ctx, "", "fsync=off")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	var urls []string
	for range databases {
		name, err := s.NewDatabase(ctx)
		if err != nil {
			return err
		}
		urls = append(urls, s.URL(name))
	}
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.Env = append(os.Environ(), "PARLEY_TEST_DATABASES="+strings.Join(urls, " "))
	return c.Run()
}
