// Package pgserver runs a PostgreSQL server of its own, from the programs that are installed, for tests,
// measurements and torture. It can be killed, frozen and started again, and have a standby that takes over. Start
// reading at Start.
//
// It knows no tables, and nothing of who connects.
package pgserver

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/internal/netns"
)

// ErrNone says that no PostgreSQL is installed.
var ErrNone = errors.New("no PostgreSQL is installed: its programs initdb and postgres are neither in PATH nor in " +
	"/usr/lib/postgresql")

// A Server is a PostgreSQL server with a data folder of its own.
type Server struct {
	dir      string // has the data folder
	port     int    // 0 before the first start
	password string
	settings []string
	as       []string // runs a program as the user who owns the folder
	log      *os.File
	machine  *netns.Machine

	process   *exec.Cmd      // a shell, the parent of the postmaster
	input     io.WriteCloser // its standard input: a line, or its end, makes it end the postmaster
	databases atomic.Int64   // made so far
}

// startTimeout is how long a server may take to accept connections, also after a crash.
const startTimeout = 60 * time.Second

// Start makes a data folder in dir ("": the folder for temporary files) and starts a server on it, on a port of this
// machine's own. Settings are like "fsync=off". The server and its folder end with this process, also if that is
// killed. The error is ErrNone if there is no PostgreSQL.
func Start(ctx context.Context, dir string, settings ...string) (*Server, error) {
	return StartOn(ctx, nil, dir, settings...)
}

// StartOn is Start on a machine of a network, whose other machines can connect too.
func StartOn(ctx context.Context, m *netns.Machine, dir string, settings ...string) (_ *Server, err error) {
	s, err := newServer(m, dir, rand.Text(), settings)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
		}
	}()
	secret := filepath.Join(s.dir, "password")
	if err := os.WriteFile(secret, []byte(s.password), 0o600); err != nil {
		return nil, err
	}
	if s.as, err = unprivileged(s.dir, secret); err != nil {
		return nil, err
	}
	if err := s.run(ctx, "initdb", "-D", s.Data(), "-U", "parley", "-A", "scram-sha-256", "--pwfile", secret,
		"-E", "UTF8", "--locale=C", "--no-sync"); err != nil {
		return nil, err
	}
	if m != nil { // initdb has written the lines for the loopback interface
		err := appendTo(filepath.Join(s.Data(), "pg_hba.conf"),
			"host all all samenet scram-sha-256\nhost replication all samenet scram-sha-256\n")
		if err != nil {
			return nil, err
		}
	}
	return s, s.Restart(ctx)
}

// newServer returns a server with a folder in dir, but without data.
func newServer(m *netns.Machine, dir, password string, settings []string) (_ *Server, err error) {
	if !Installed() {
		return nil, ErrNone
	}
	s := &Server{machine: m, password: password, settings: settings}
	if dir != "" { // its programs run in other folders
		if dir, err = filepath.Abs(dir); err != nil {
			return nil, err
		}
	}
	if s.dir, err = os.MkdirTemp(dir, "parley-postgres-"); err != nil {
		return nil, err
	}
	if s.log, err = os.Create(filepath.Join(s.dir, "log")); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// Data returns the server's data folder.
func (s *Server) Data() string { return filepath.Join(s.dir, "data") }

// run runs one of PostgreSQL's programs until it ends.
func (s *Server) run(ctx context.Context, name string, args ...string) error {
	path, err := find(name)
	if err != nil {
		return ErrNone
	}
	command := slices.Concat(s.as, []string{path}, args)
	program := exec.CommandContext(ctx, command[0], command[1:]...)
	var out bytes.Buffer
	program.Dir, program.Stdout, program.Stderr = s.dir, &out, &out
	if err = s.machine.Do(program.Start); err == nil {
		err = program.Wait()
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, lastLine(out.Bytes()))
	}
	return nil
}

// lastLine returns the last line of a program's output, which says why it failed.
func lastLine(out []byte) string {
	text := strings.TrimSpace(string(out))
	return text[strings.LastIndex(text, "\n")+1:]
}

// shell runs a server until a line comes on standard input. If the input ends without one, the process that started
// the server is gone, so the server's folder is removed too.
const shell = `dir=$1; shift; trap '' INT TERM; "$@" &
if read -r _; then kill -INT $! 2>/dev/null; wait $!
else kill -QUIT $! 2>/dev/null; wait $!; rm -rf "$dir"
fi`

// Restart starts the server after Kill, and returns when it accepts connections.
func (s *Server) Restart(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if s.port == 0 { // only now: other programs could take the port before the server does
		if err := s.machine.Do(s.takePort); err != nil {
			return err
		}
	}
	for {
		err := s.launch(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			text, _ := os.ReadFile(s.log.Name()) // only to say more
			return fmt.Errorf("PostgreSQL does not start: %w\n%s", err, text[max(0, len(text)-2000):])
		}
		// Processes of the killed server may still hold its shared memory.
		if err := s.end(); err != nil {
			return err
		}
	}
}

// launch starts the server once and waits until it accepts connections or has ended.
func (s *Server) launch(ctx context.Context) (err error) {
	postgres, err := find("postgres")
	if err != nil {
		return ErrNone
	}
	command := slices.Concat(s.as, []string{
		"/bin/sh", "-c", shell, "sh", s.dir, postgres, "-D", s.Data(), "-c",
		"listen_addresses=" + s.machine.Address(), "-c", fmt.Sprint("port=", s.port), "-c", "unix_socket_directories=",
	})
	for _, setting := range s.settings {
		command = append(command, "-c", setting)
	}
	s.process = exec.Command(command[0], command[1:]...)
	apart(s.process)
	s.process.Dir, s.process.Stdout, s.process.Stderr = s.dir, s.log, s.log
	if s.input, err = s.process.StdinPipe(); err != nil {
		return err
	}
	if err := s.machine.Do(s.process.Start); err != nil {
		return err
	}
	for began := time.Now(); ; pause(ctx) {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		// A postmaster that cannot start ends soon.
		if ctx.Err() != nil || time.Since(began) > time.Second && s.postmaster() == 0 {
			return err
		}
	}
}

func pause(ctx context.Context) {
	select {
	case <-time.After(20 * time.Millisecond):
	case <-ctx.Done():
	}
}

// end ends the server's processes, if they run, and waits for them.
func (s *Server) end() error {
	if s.process == nil {
		return nil
	}
	io.WriteString(s.input, "\n") // an error says that the shell has ended
	s.input.Close()
	s.process.Wait() // its status says that it was told to end
	s.process = nil
	return nil
}

// Stop ends the server and removes its folder.
func (s *Server) Stop() error {
	err := s.end()
	if s.log != nil {
		err = errors.Join(err, s.log.Close())
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// Address returns where the server listens: host:port.
func (s *Server) Address() string { return net.JoinHostPort(s.machine.Address(), strconv.Itoa(s.port)) }

// Machine returns where the server runs; nil: on this machine.
func (s *Server) Machine() *netns.Machine { return s.machine }

// URL returns the URL of a database of the server.
func (s *Server) URL(database string) string { return s.URLBy(database, s.Address()) }

// URLBy is URL through other addresses: one that leads to the server, or several, of which a client takes that of the
// primary.
func (s *Server) URLBy(database string, addresses ...string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword("parley", s.password), Host: strings.Join(addresses, ","),
		Path: "/" + database, RawQuery: "sslmode=disable",
	}
	if len(addresses) > 1 {
		u.RawQuery += "&target_session_attrs=read-write"
	}
	return u.String()
}

// NewDatabase makes an empty database and returns its name.
func (s *Server) NewDatabase(ctx context.Context) (string, error) {
	return s.CopyDatabase(ctx, "template1")
}

// CopyDatabase makes a copy of a database to which nobody is connected, and returns the copy's name.
func (s *Server) CopyDatabase(ctx context.Context, name string) (string, error) {
	made := fmt.Sprintf("parley_%d", s.databases.Add(1))
	if err := s.ask(ctx, nil, `CREATE DATABASE `+made+` TEMPLATE `+name); err != nil {
		return "", err
	}
	return made, nil
}

// DropDatabase removes a database and ends the connections to it.
func (s *Server) DropDatabase(ctx context.Context, name string) error {
	return s.ask(ctx, nil, `DROP DATABASE `+name+` WITH (FORCE)`)
}

// Installed reports whether Start finds a PostgreSQL.
func Installed() bool {
	_, err1 := find("initdb")
	_, err2 := find("postgres")
	return err1 == nil && err2 == nil
}

// find returns the path of one of PostgreSQL's programs: that in PATH, or the newest one of Debian's folders.
func find(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name) // the pattern is valid
	if len(found) == 0 {
		return "", err
	}
	slices.SortFunc(found, func(a, b string) int { return release(a) - release(b) })
	return found[len(found)-1], nil
}

// release returns the number in a path like /usr/lib/postgresql/15/bin/initdb.
func release(path string) int {
	n, _ := strconv.Atoi(strings.Split(path, "/")[4]) // another name is older than all numbers
	return n
}

// unprivileged returns how to run a command as an ordinary user, and gives that user the paths. PostgreSQL refuses to
// be run by root; for others there is nothing to do.
func unprivileged(paths ...string) ([]string, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	for _, path := range paths {
		if err := os.Chown(path, uid, gid); err != nil {
			return nil, err
		}
	}
	return []string{"setpriv", "--reuid=" + u.Uid, "--regid=" + u.Gid, "--clear-groups"}, nil
}

// takePort chooses a port on which nobody listens.
func (s *Server) takePort() error {
	ln, err := net.Listen("tcp", net.JoinHostPort(s.machine.Address(), "0"))
	if err != nil {
		return err
	}
	s.port = ln.Addr().(*net.TCPAddr).Port
	return ln.Close()
}
