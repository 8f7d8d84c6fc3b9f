package cli

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// withoutPG unsets the variables that pgx reads, and points it at no files of the user.
func withoutPG(t *testing.T) {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "PG") {
			t.Setenv(name, "")
			os.Unsetenv(name)
		}
	}
	t.Setenv("HOME", t.TempDir())
}

func TestDatabaseIsReadAsLibpqReadsIt(t *testing.T) {
	withoutPG(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	passwords := write("pgpass", "db.example.org:5432:parley:parley:from pgpass\n")
	services := write("services", "[chat]\nhost=db.example.org\nuser=parley\npassword=from the service\ndbname=chat\n")
	file := write("password", `from the +%4 'file'&\`+"\r\nnot this\n")
	tests := map[string]struct {
		database, file           string
		env                      map[string]string
		host, user, name, secret string
		fallbacks                int
	}{
		"a URL": {
			database: "postgres://parley:s%40crt@db.example.org:6543/chat?sslmode=disable",
			host:     "db.example.org:6543", user: "parley", name: "chat", secret: "s@crt",
		},
		"pairs": {
			database: "host=/run/postgresql user=parley dbname='chat of us' password='a b'",
			host:     "/run/postgresql/.s.PGSQL.5432", user: "parley", name: "chat of us", secret: "a b",
		},
		"the password in the environment": {
			database: "postgres://parley@db.example.org/chat?sslmode=disable",
			env:      map[string]string{"PGPASSWORD": "from env"},
			host:     "db.example.org:5432", user: "parley", name: "chat", secret: "from env",
		},
		"the password in .pgpass": {
			database: "postgresql://parley@db.example.org/parley?sslmode=disable",
			env:      map[string]string{"PGPASSFILE": passwords},
			host:     "db.example.org:5432", user: "parley", name: "parley", secret: "from pgpass",
		},
		"a service": {
			database: "service=chat sslmode=disable", env: map[string]string{"PGSERVICEFILE": services},
			host: "db.example.org:5432", user: "parley", name: "chat", secret: "from the service",
		},
		"the password in a file, before others": {
			database: "postgres://parley@db.example.org/chat?sslmode=disable", file: file,
			env:  map[string]string{"PGPASSWORD": "from env"},
			host: "db.example.org:5432", user: "parley", name: "chat", secret: `from the +%4 'file'&\`,
		},
		"the password in a file, for pairs": {
			database: "host=db.example.org user=parley dbname=chat password=another", file: file,
			host: "db.example.org:5432", user: "parley", name: "chat", secret: `from the +%4 'file'&\`, fallbacks: 1,
		},
		"the password in a file, for a URL with nothing else": {
			database: "postgres://parley:another@db.example.org/chat", file: file,
			host: "db.example.org:5432", user: "parley", name: "chat", secret: `from the +%4 'file'&\`, fallbacks: 1,
		},
		"several hosts": {
			database: "postgres://parley@a.example.org,b.example.org:5433/chat?sslmode=disable&" +
				"target_session_attrs=read-write",
			host: "a.example.org:5432", user: "parley", name: "chat", fallbacks: 1,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for k, v := range tt.env {
				t.Setenv(k, v)
			}
			_, is, err := databaseFlags{Database: tt.database, DatabasePasswordFile: tt.file}.read()
			if err != nil {
				t.Fatal(err)
			}
			at := host(is.Host, is.Port)
			if at != tt.host || is.User != tt.user || is.Database != tt.name || is.Password != tt.secret ||
				len(is.Fallbacks) != tt.fallbacks {
				t.Errorf("%s, user %q, database %q, password %q, %d fallbacks", at, is.User, is.Database, is.Password,
					len(is.Fallbacks))
			}
		})
	}
}

func TestDatabaseThatCannotBeReadIsRefusedWithoutItsPassword(t *testing.T) {
	withoutPG(t)
	const secret = "s3cr3t"
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\nx"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := "postgres://parley:" + secret + "@db.example.org/chat"
	tests := map[string]struct{ database, file, want string }{
		"no URL":                 {"parley:" + secret + "@db", "", "write a URL such as"},
		"another kind of URL":    {"mysql://u:" + secret + "@h/d", "", "write a URL such as"},
		"a path":                 {"data/parley.db", "", "write a URL such as"},
		"no port":                {"postgres://u:" + secret + "@h:port/d", "", "a number for the port"},
		"half an escape":         {"postgres://u:%" + secret + "@h/d", "", "cannot be taken apart"},
		"blanks in a password":   {"host=h password=a " + secret, "", "cannot be taken apart"},
		"an open quote":          {"host=h password='" + secret, "", "cannot be taken apart"},
		"a TLS mode":             {good + "?sslmode=always", "", "sslmode"},
		"attributes of sessions": {good + "?target_session_attrs=best", "", "target_session_attrs"},
		"no root certificate":    {good + "?sslmode=verify-full&sslrootcert=/nonexistent", "", "/nonexistent"},
		"a pool":                 {good + "?pool_max_conns=many", "", "pool_max_conns"},
		"no service":             {"service=nobody password=" + secret, "", "service"},
		"no password file":       {good, "/nonexistent", "--database-password-file: "},
		"an empty password file": {good, empty, "is empty"},
		"a password file alone":  {"", empty, "add --database"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := databaseFlags{Database: tt.database, DatabasePasswordFile: tt.file}.check()
			switch {
			case err == nil:
				t.Error("it is taken")
			case !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), secret) ||
				!strings.HasPrefix(err.Error(), "--database") || strings.Contains(err.Error(), "\n"):
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

func TestDatabaseErrorsSayWhatToDo(t *testing.T) {
	withoutPG(t)
	cfg, err := pgx.ParseConfig("postgres://ada:s3cr3t@127.0.0.1:1,127.0.0.1:2/chat?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	_, refused := pgconn.ConnectConfig(t.Context(), &cfg.Config)
	if refused == nil {
		t.Fatal("somebody answers at port 1 or 2")
	}
	other := errors.New("schema 9 is newer than this program")
	tests := map[string]struct {
		err  error
		want []string
	}{
		"nobody listens": {
			refused, []string{"chat at 127.0.0.1:1, 127.0.0.1:2", "cannot be reached", "listen_addresses"},
		},
		"a password": {
			&pgconn.PgError{Code: "28P01", Message: `password authentication failed for user "ada"`},
			[]string{"password authentication failed", "user ada exists", "pg_hba.conf"},
		},
		"no database": {
			&pgconn.PgError{Code: "3D000", Message: "does not exist"}, []string{"createdb --owner=ada chat"},
		},
		"no right": {
			&pgconn.PgError{Code: "42501", Message: "denied"}, []string{"GRANT CREATE ON SCHEMA public TO ada"},
		},
		"it starts": {&pgconn.PgError{Code: "57P03", Message: "is starting"}, []string{"in a moment"}},
		"a name":    {&net.DNSError{Err: "no such host", Name: "db"}, []string{"no such host"}},
		"another":   {other, []string{other.Error()}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := databaseError(tt.err, &cfg.Config).Error()
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("%s: it does not say %q", got, want)
				}
			}
			if strings.Contains(got, "s3cr3t") || strings.Contains(got, "\n") {
				t.Error(got)
			}
		})
	}
}

func TestServerEndsWhenTheLogBecomesAnotherOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var epoch atomic.Pointer[string]
		first, second := "a", "b"
		epoch.Store(&first)
		watch := sameEpoch(func() string { return *epoch.Load() })
		done := make(chan error, 1)
		go func() { done <- watch(t.Context()) }()
		time.Sleep(time.Minute)
		synctest.Wait()
		select {
		case err := <-done:
			t.Errorf("it ends: %v", err)
		default:
		}
		epoch.Store(&second)
		if err := <-done; err == nil || !strings.Contains(err.Error(), "another epoch") {
			t.Error(err)
		}
	})
}
