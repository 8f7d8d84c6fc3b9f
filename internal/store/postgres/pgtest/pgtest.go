// Package pgtest starts a PostgreSQL for tests. One server serves all tests of a process and ends
// with it, also if the process is killed. A test without PostgreSQL is skipped. Start reading at
// Database.
//
// It knows no tables.
package pgtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Database returns the URL of a new database, which is dropped when the test ends. Each is a copy
// of one that prepare is called for, once in a process: it makes the tables.
func Database(t testing.TB, prepare func(ctx context.Context, url string) error) string {
	t.Helper()
	s := shared(t)
	s.template.Do(func() {
		if s.unprepared = s.create(t.Context(), templateName, ""); s.unprepared == nil {
			s.unprepared = prepare(t.Context(), s.url(templateName))
		}
	})
	if s.unprepared != nil {
		t.Fatal(s.unprepared)
	}
	return s.newDatabase(t, templateName)
}

// Empty returns the URL of a new database without any tables.
func Empty(t testing.TB) string {
	t.Helper()
	return shared(t).newDatabase(t, "")
}

const templateName = "prepared"

// A Server is a PostgreSQL that runs for tests.
type Server struct {
	dir     string // its data and its socket
	alive   io.Closer
	command *exec.Cmd

	template   sync.Once
	unprepared error // of the template
	databases  atomic.Int64
}

var (
	starting sync.Once
	server   *Server
	missing  error
)

// shared returns the server of the process. Its shell ends it when the process ends.
func shared(t testing.TB) *Server {
	t.Helper()
	starting.Do(func() { server, missing = start() })
	var none *exec.Error
	if errors.As(missing, &none) {
		t.Skip("no PostgreSQL: its programs initdb and postgres are neither in PATH nor in /usr/lib/postgresql")
	}
	if missing != nil {
		t.Fatal(missing)
	}
	return server
}

// Start starts a server of the test's own, with further settings, such as "wal_level=replica". It
// ends with the test.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	shared(t) // skips
	s, err := start(settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return s
}

// URL returns the URL of a new database of the server.
func (s *Server) URL(t testing.TB) string {
	t.Helper()
	return s.newDatabase(t, "")
}

// Dir returns the folder of the server's socket.
func (s *Server) Dir() string { return s.dir }

// defaults are settings for speed: a test's server need not survive a power cut.
var defaults = []string{
	"fsync=off", "full_page_writes=off", "listen_addresses=", "shared_buffers=64MB", "max_connections=200",
	"log_min_messages=log", "max_wal_size=256MB",
}

// shell runs a server until standard input ends, which it does with this process, and then removes
// its folder.
const shell = `dir=$1; shift; trap '' INT TERM; "$@" 2>&1 & read _; kill -QUIT $!; wait $!; rm -rf "$dir"`

func start(settings ...string) (_ *Server, err error) {
	initdb, err := program("initdb")
	if err != nil {
		return nil, err
	}
	postgres, err := program("postgres")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pgtest")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	as, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	command := append(slices.Clone(as), initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C",
		"--no-sync")
	if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	command = append(slices.Clone(as), "/bin/sh", "-c", shell, "sh", dir, postgres, "-D", data, "-k", dir)
	for _, setting := range append(slices.Clone(defaults), settings...) {
		command = append(command, "-c", setting)
	}
	s := &Server{dir: dir, command: exec.Command(command[0], command[1:]...)}
	s.command.Dir = dir
	if s.alive, err = s.command.StdinPipe(); err != nil {
		return nil, err
	}
	return s, s.await()
}

// await starts the server's shell and waits until it accepts connections.
func (s *Server) await() error {
	out, err := s.command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.command.Start(); err != nil {
		return err
	}
	var told strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "database system is ready to accept connections") {
			go io.Copy(io.Discard, out) // until the server ends
			return nil
		}
		fmt.Fprintln(&told, lines.Text())
	}
	s.stop()
	return fmt.Errorf("PostgreSQL does not start:\n%s", &told)
}

func (s *Server) stop() {
	s.alive.Close()
	s.command.Wait() // its status says that it was told to end
}

// program returns the path of one of PostgreSQL's programs, the newest one outside PATH. The error
// is an *exec.Error if there is none.
func program(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name) // the pattern is valid
	if len(found) == 0 {
		return "", err
	}
	return found[len(found)-1], nil
}

// unprivileged gives dir to the user postgres if this process is root's, as PostgreSQL refuses
// root, and returns the command that runs others as that user.
func unprivileged(dir string) ([]string, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, err
	}
	uid, _ := strconv.Atoi(u.Uid) // both are numbers where there is a root
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		return nil, err
	}
	return []string{"setpriv", "--reuid=" + u.Uid, "--regid=" + u.Gid, "--clear-groups"}, nil
}

func (s *Server) url(database string) string {
	return "postgres:///" + database + "?" + url.Values{"host": {s.dir}, "user": {"postgres"}}.Encode()
}

func (s *Server) newDatabase(t testing.TB, template string) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", s.databases.Add(1))
	if err := s.create(t.Context(), name, template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.exec(context.Background(), `DROP DATABASE `+name+` WITH (FORCE)`); err != nil {
			t.Error(err)
		}
	})
	return s.url(name)
}

func (s *Server) create(ctx context.Context, name, template string) error {
	text := `CREATE DATABASE ` + name
	if template != "" {
		text += ` TEMPLATE ` + template
	}
	return s.exec(ctx, text)
}

func (s *Server) exec(ctx context.Context, text string) error {
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, text)
	return err
}
