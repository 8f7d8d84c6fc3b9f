package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"parley/internal/files"
	"parley/internal/server"
	"parley/internal/store/postgres"
)

// databaseFlags are the flags of the commands that can use a PostgreSQL database.
type databaseFlags struct {
	Database             string `placeholder:"URL" help:"PostgreSQL database for all rooms, people and sessions, in place of a SQLite file in the data folder, which then holds only what this machine needs: the search index and a lock. A URL such as postgres://parley@db.example.org/parley?sslmode=verify-full, or pairs such as 'host=/run/postgresql dbname=parley', as libpq takes them. Leave the password to --database-password-file, PGPASSWORD, ~/.pgpass or a service file: other users see command lines."`
	DatabasePasswordFile string `placeholder:"FILE" help:"With --database: file with the password, in its first line."`
}

// keyword matches the beginning of connection parameters that are written as key=value pairs.
var keyword = regexp.MustCompile(`^\s*[A-Za-z_]+\s*=`)

// check reads the flags, and files that they name, but connects to nothing.
func (f databaseFlags) check() error {
	if f.Database == "" && f.DatabasePasswordFile != "" {
		return errors.New("--database-password-file is for the database of --database: add --database, or leave it out")
	}
	if f.Database == "" {
		return nil
	}
	_, _, err := f.read()
	return err
}

// read returns what --database and --database-password-file say, as a text for pgx and as pgx understands it. No error
// contains the password.
func (f databaseFlags) read() (text string, cfg *pgconn.Config, err error) {
	return readDatabase("--database", f.Database, f.DatabasePasswordFile)
}

// readDatabase reads the value of the flag and the password file of the flag with -password-file behind its name.
func readDatabase(flag, text, passwordFile string) (_ string, cfg *pgconn.Config, err error) {
	if !isDatabase(text) {
		return "", nil, fmt.Errorf("%s: write a URL such as postgres://parley@db.example.org/parley, or "+
			"pairs such as 'host=db.example.org dbname=parley'", flag)
	}
	if passwordFile != "" {
		password, err := firstLine(passwordFile)
		if err != nil {
			return "", nil, fmt.Errorf("%s-password-file: %w", flag, err)
		}
		text = withPassword(text, password)
	}
	pool, err := pgxpool.ParseConfig(text)
	if err != nil {
		return "", nil, fmt.Errorf("%s: %s", flag, unparsed(err))
	}
	return text, &pool.ConnConfig.Config, nil
}

// isDatabase reports whether a text names a PostgreSQL database, well or badly.
func isDatabase(text string) bool { return isURL(text) || keyword.MatchString(text) }

func isURL(database string) bool {
	return strings.HasPrefix(database, "postgres://") || strings.HasPrefix(database, "postgresql://")
}

// firstLine returns the first line of a file, which must not be empty.
func firstLine(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", fmt.Errorf("the first line of %s is empty; write the password there", path)
	}
	return line, nil
}

// withPassword adds a password to connection parameters. It is the last one, so it counts.
func withPassword(database, password string) string {
	if !isURL(database) {
		return database + ` password='` + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(password) + `'`
	}
	separator := "?"
	if strings.Contains(database, "?") {
		separator = "&"
	}
	return database + separator + "password=" + strings.ReplaceAll(url.QueryEscape(password), "+", "%20")
}

// unparsed says why connection parameters were refused. It quotes nothing of a text that could not be taken apart,
// because the password may be anywhere in it.
func unparsed(err error) string {
	text := err.Error()
	if _, ok := errors.AsType[*pgconn.ParseConfigError](err); !ok { // pool_max_conns and its kind
		text, _, _ = strings.Cut(text, " (")
		return text
	}
	if strings.Contains(text, "failed to parse as") {
		return "it cannot be taken apart; in a URL write special characters of names and passwords as %40, in pairs " +
			"put values with blanks into '…'"
	}
	// What comes before is the text that was given, with the passwords that pgx finds masked.
	if at := strings.LastIndex(text, "`: "); at >= 0 {
		text = text[at+len("`: "):]
	}
	return inOurWords.Replace(text)
}

var inOurWords = strings.NewReplacer(
	"failed to configure TLS (sslmode is invalid)",
	"sslmode: write disable, allow, prefer, require, verify-ca or verify-full",
	"failed to configure TLS", "TLS",
	"failed to read service", "the service",
	"failed to read", "cannot read",
	"invalid port", "write a number for the port",
	"invalid ", "not a valid ",
)

// A postgresStore is a PostgreSQL store, and the data folder of this machine, which it locks.
type postgresStore struct {
	*postgres.Store
	folder *os.Root
	lock   *os.File
}

// openPostgres opens the database that the flags name, and takes the data folder for what this machine needs.
func openPostgres(
	ctx context.Context, flags databaseFlags, cluster clusterFlags, data string, metrics *server.Metrics,
	logger *slog.Logger,
) (_ *postgresStore, err error) {
	text, cfg, err := flags.read()
	if err != nil {
		return nil, err
	}
	s := &postgresStore{}
	if s.folder, s.lock, err = files.TakeFolder(data); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.lock.Close(), s.folder.Close())
		}
	}()
	if _, err := s.folder.Stat("parley.db"); err == nil {
		logger.LogAttrs(ctx, slog.LevelWarn,
			"the data folder has a database too, which is not used: --database names another")
	}
	s.Store, err = postgres.Open(ctx, postgres.Config{
		URL: text, Logger: logger, Committed: metrics.Committed, Version: buildVersion(),
		Alone: !cluster.isNode(), Name: cluster.name(),
	})
	if err != nil {
		return nil, databaseError(err, cfg)
	}
	logger.LogAttrs(ctx, slog.LevelInfo, "the log is in PostgreSQL",
		slog.String("database", databaseName(cfg)), slog.String("server", s.ServerVersion()))
	return s, nil
}

// Close closes the store and unlocks the folder.
func (s *postgresStore) Close() error {
	return errors.Join(s.Store.Close(), s.lock.Close(), s.folder.Close())
}

// databaseName returns what to call a database in messages: its name, and where it is.
func databaseName(cfg *pgconn.Config) string {
	hosts := []string{host(cfg.Host, cfg.Port)}
	for _, other := range cfg.Fallbacks {
		if h := host(other.Host, other.Port); !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	return cmp.Or(cfg.Database, cfg.User) + " at " + strings.Join(hosts, ", ")
}

func host(name string, port uint16) string {
	_, address := pgconn.NetworkAddress(name, port)
	return address
}

// databaseError says what an operator can do about a database that refuses to be used. It returns other errors as they
// are.
func databaseError(err error, cfg *pgconn.Config) error {
	name := databaseName(cfg)
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		if advice := advice(e.Code, cfg); advice != "" {
			return fmt.Errorf("the database %s: %s (%s); %s", name, e.Message, e.Code, advice)
		}
		return err
	}
	connecting, ok := errors.AsType[*pgconn.ConnectError](err)
	if !ok {
		return err
	}
	why := reason(connecting)
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("the database %s cannot be reached: %s; see whether PostgreSQL runs there and listens to "+
			"this machine (listen_addresses, firewall)", name, why)
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Errorf("the database %s cannot be reached: %s; see whether the name is right", name, why)
	}
	return fmt.Errorf("the database %s cannot be used: %s", name, why)
}

// reason returns in one line why connecting failed. pgx tells each attempt in a line of its own, and some twice.
func reason(err *pgconn.ConnectError) string {
	var reasons []string
	for line := range strings.Lines(errors.Unwrap(err).Error()) {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(reasons, line) {
			reasons = append(reasons, line)
		}
	}
	return strings.Join(reasons, "; ")
}

// advice returns what to do about an error that PostgreSQL gives to who connects, by its code; "" if nothing is known.
// The codes are in PostgreSQL's manual, appendix A.
func advice(code string, cfg *pgconn.Config) string {
	switch code {
	case "28P01", "28000":
		return fmt.Sprintf("see whether the user %s exists, what the password is (--database-password-file, "+
			"PGPASSWORD or ~/.pgpass), and whether pg_hba.conf lets this machine in", cfg.User)
	case "3D000":
		return fmt.Sprintf("make it: createdb --owner=%s %s", cfg.User, cfg.Database)
	case "42501":
		return fmt.Sprintf("make %s the owner of the database, or let it make tables: "+
			"GRANT CREATE ON SCHEMA public TO %[1]s", cfg.User)
	case "57P03":
		return "PostgreSQL is starting or stopping: start Parley again in a moment"
	case "53300":
		return "PostgreSQL has no connection left: raise max_connections"
	case "25006":
		return "it is a standby, which takes no writes: name the primary, or all hosts with " +
			"target_session_attrs=read-write"
	}
	return ""
}

// sameEpoch fails when the log becomes another one, because a standby without its newest events has taken over: what
// this process has in memory is not of that log.
func sameEpoch(epoch func() string) func(context.Context) error {
	first := epoch()
	return func(ctx context.Context) error {
		look := time.NewTicker(time.Second)
		defer look.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-look.C:
				if epoch() != first {
					return errors.New("the database has lost messages that were acknowledged, so it is another log " +
						"now, with another epoch; start again")
				}
			}
		}
	}
}
