package cli

import (
	"bytes"
	"io"
	"log/slog"
	"maps"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// words are a command line without flags, for each command. A command that is not listed takes no
// argument.
var words = map[string][]string{
	"chat":         {"http://localhost:8080/r/lobby"},
	"backup":       {"copy.db"},
	"restore":      {"copy.db"},
	"bench report": {"figures.json"},
}

// A flagOf is a flag, and a command line that has it.
type flagOf struct {
	*kong.Flag
	command []string // up to the flag
	after   []string // arguments
}

func (f flagOf) line(flags ...string) []string { return slices.Concat(f.command, flags, f.after) }

// allFlags returns every flag of every command except --help.
func allFlags(t *testing.T) map[string]flagOf {
	t.Helper()
	all := map[string]flagOf{}
	var walk func(*kong.Node, []string)
	walk = func(n *kong.Node, path []string) {
		for _, child := range n.Children {
			walk(child, append(slices.Clone(path), child.Name))
		}
		line := path
		if len(path) > 0 && len(n.Children) > 0 {
			line = append(slices.Clone(path), n.Children[0].Name) // the command needs one of them
		}
		for _, f := range n.Flags {
			if f.Name != "help" {
				all[strings.Join(path, " ")+" --"+f.Name] = flagOf{f, line, words[strings.Join(line, " ")]}
			}
		}
	}
	walk(newParser(io.Discard, io.Discard, func(int) {}).Model.Node, nil)
	if len(all) < 60 {
		t.Fatalf("only %d flags", len(all))
	}
	return all
}

// inFolder runs the test in an empty folder, and fails if the folder is not empty at the end: a
// refused command must not write anything.
func inFolder(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	t.Cleanup(func() {
		left, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range left {
			if f.Name() != "figures.json" {
				t.Errorf("there is a file: %s", f.Name())
			}
		}
	})
	if err := os.WriteFile("figures.json", []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// refused runs a command line and returns why it was refused.
func refused(t *testing.T, args []string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), args, &stdout, &stderr)
	if status != 2 || stdout.Len() > 0 || strings.Count(stderr.String(), "\n") != 1 {
		t.Errorf("%q: exit status %d, %q, %q", args, status, stdout.String(), stderr.String())
	}
	return stderr.String()
}

// All flags of a command are empty at once, and then all their variables.
func TestAnEmptyFlagCountsAsUnset(t *testing.T) {
	inFolder(t)
	commands := map[string][]flagOf{}
	for _, f := range allFlags(t) {
		line := strings.Join(f.line(), " ")
		commands[line] = append(commands[line], f)
	}
	for line, flags := range commands {
		want := flagValues(t, flags[0].line()...)
		for _, empty := range []string{"", " ", "\t\r\n", ",", " , "} {
			var given []string
			for _, f := range flags {
				if strings.Contains(empty, ",") && !f.IsSlice() {
					continue
				}
				given = append(given, "--"+f.Name+"="+empty)
				t.Setenv(f.Envs[0], empty)
			}
			byVariable := flagValues(t, flags[0].line()...)
			for _, f := range flags {
				os.Unsetenv(f.Envs[0])
			}
			byFlag := flagValues(t, flags[0].line(given...)...)
			for flag, value := range want {
				if got := byVariable[flag]; !reflect.DeepEqual(got, value) {
					t.Errorf("%s: the variable of --%s is %q: %+v, want %+v", line, flag, empty, got, value)
				}
				if got := byFlag[flag]; !reflect.DeepEqual(got, value) {
					t.Errorf("%s: --%s=%q: %+v, want %+v", line, flag, empty, got, value)
				}
			}
		}
	}
}

// An empty flag counts as unset, so it does not override the variable.
func TestAnEmptyFlagLeavesTheVariable(t *testing.T) {
	inFolder(t)
	for _, tt := range [][3]string{
		{"serve", "--data", "elsewhere"},
		{"serve", "--idle-timeout", "5s"},
		{"serve", "--trusted-proxy", "10.0.0.1, ::1"},
		{"torture", "--seed", "7"},
	} {
		want := valueOf(t, tt[1], tt[0], tt[1], tt[2])
		t.Setenv("PARLEY_"+strings.ToUpper(strings.ReplaceAll(tt[1][2:], "-", "_")), tt[2])
		for _, args := range [][]string{{tt[0]}, {tt[0], tt[1] + "="}, {tt[0], tt[1], ""}} {
			if got := valueOf(t, tt[1], args...); !reflect.DeepEqual(got, want) {
				t.Errorf("%q: %+v, want %+v", args, got, want)
			}
		}
	}
}

// valueOf returns a flag's value after a command line was read.
func valueOf(t *testing.T, flag string, args ...string) any {
	t.Helper()
	value, ok := flagValues(t, args...)[strings.TrimPrefix(flag, "--")]
	if !ok {
		t.Fatalf("%q has no %s", args, flag)
	}
	return value
}

// flagValues returns the values of all flags after a command line has been read.
func flagValues(t *testing.T, args ...string) map[string]any {
	t.Helper()
	command, err := newParser(io.Discard, io.Discard, func(int) {}).Parse(args)
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	values := map[string]any{}
	for _, f := range command.Flags() {
		values[f.Name] = f.Target.Interface()
	}
	return values
}

// bad are invalid values by the flag's type.
var bad = map[reflect.Type][]string{
	reflect.TypeFor[time.Duration](): {"-1s", "5", "fast", "1 minute", "100000h", "NaN"},
	reflect.TypeFor[slog.Level]():    {"loud", "1", "info,debug"},
	reflect.TypeFor[netip.Prefix](): {
		"proxy", "127.0.0.1/33", "127.0.0", "127.0.0.1:80", "127.0.0.1/8/8", "::1%lo", "http://127.0.0.1", "-1",
	},
	reflect.TypeFor[*url.URL](): {
		"localhost", "localhost:8080", "ftp://localhost", "http://", "http://u@localhost", "javascript://x",
		"http://%zz",
	},
	reflect.TypeFor[int]():     {"-1", "many", "1.5", "1e3", "0x10", "99999999999", "1 000"},
	reflect.TypeFor[int64]():   {"-1", "many"},
	reflect.TypeFor[uint64]():  {"-1", "many", "1.5"},
	reflect.TypeFor[float64](): {"-1", "-0.5", "fast", "NaN", "Inf", "-Inf", "1e300", "1,5"},
	reflect.TypeFor[bool]():    {"maybe", "2", "-1"},
}

// texts has invalid values for each flag that takes a text; nil if any text is valid.
var texts = map[string][]string{
	"listen": {
		"8080", "localhost", "http://localhost:8080", "127.0.0.1:", ":99999", ":-1", "a b:80", "[::1]", "::1:8080",
		"1.2.3:80", "-1",
	},
	"http-listen":    nil, // as --listen, but only with --domain: see the table below
	"metrics-listen": {"9090", "http://localhost:9090", ":99999"},
	"domain": {
		"https://chat.example.org", "chat.example.org:443", "chat example.org", "*.example.org", "*", "localhost",
		"chat.localhost", "chat.example.org/",
		"127.0.0.1", "::1", "[::1]", "chat..example.org", ".example.org", "-", "u@chat.example.org",
		"a.example.org,https://b.example.org",
	},
	"allow-origin": {
		"*", "null", "example.org", "https://*.com", "javascript://x", "https://x.example/path", "https://u@x.example",
		"https://a.example.org,*",
	},
	"allow-host": {"*", "https://x.example", "x.example:80", "*.com", "*.github.io", "a b"},
	"acme-ca":    {"http://ca.example", "ca.example", "https://", "javascript://x"},
	"log-format": {"xml", "text,json", "TEXT"},
	"faults":     {"rain", "kill,rain"},
	"peers":      {"nobody", "bun,nobody"},
	"database": {
		"parley", "mysql://db.example.org/parley", "-1", "postgres://db.example.org:port/parley",
		"host='db.example.org", "postgres://db.example.org/parley?sslmode=always",
	},
	"database-password-file": {"/nonexistent"},                  // also without --database
	"cluster-listen":         {"7422", "http://localhost:7422"}, // these also without --database
	"cluster-peers":          {"10.0.0.2", "10.0.0.2:7422,"},
	"cluster-secret-file":    {"/nonexistent"},
	"cluster-cert":           {"/nonexistent"},
	"cluster-key":            {"/nonexistent"},
	"cluster-ca":             {"/nonexistent"},
	"bus":                    {"bus.example.org", "http://bus.example.org"},
	"bus-password-file":      {"/nonexistent"},
	"node-name":              {"a b"},
	"from":                   {"postgres://db.example.org:port/parley", "host='db.example.org"},
	"from-password-file":     {"/nonexistent"},
	"to":                     {"postgres://db.example.org:port/parley", "host='db.example.org"},
	"to-password-file":       {"/nonexistent"},
	"exchanges":              nil,                 // looked at by the scenario, with what this build of Go has
	"tls-cert":               nil, "tls-key": nil, // see the table below
	"data": nil, "name": nil, "server": nil, "evidence": nil, "peers-dir": nil, "dir": nil, "json": nil, "svg": nil,
	"docs": nil,
}

// The first flag of each type is given every bad value of the type, and each further flag one, since flags of a type
// are read by the same code.
func TestInvalidValuesAreRefusedBeforeAnythingStarts(t *testing.T) {
	inFolder(t)
	flags := allFlags(t)
	tried := map[reflect.Type]bool{}
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		f := flags[name]
		kind := f.Target.Type()
		if f.IsSlice() {
			kind = kind.Elem()
		}
		values, known := bad[kind]
		if kind.Kind() == reflect.String {
			values, known = texts[f.Name]
		}
		if !known {
			t.Errorf("%s is new: say in bad or texts what makes no sense for it", name)
		}
		if kind.Kind() != reflect.String {
			if tried[kind] {
				values = values[:1]
			}
			tried[kind] = true
		}
		if f.Tag.Get("min") != "" {
			zero := "0"
			if kind == reflect.TypeFor[time.Duration]() {
				zero = "0s"
			}
			values = append(slices.Clone(values), zero)
		}
		if f.Name == "domain" && f.command[0] == "serve" {
			values = append(values, "nas", "chat.local", "chat.internal", "com", "co.uk")
		}
		for i, v := range values {
			if f.IsSlice() && kind.Kind() != reflect.String && strings.Contains(v, ",") {
				continue
			}
			var with []string
			if f.Name == "acme-ca" {
				with = []string{"--domain", "chat.example.org"}
			}
			why := refused(t, f.line(append(with, "--"+f.Name+"="+v)...))
			if kind.Kind() != reflect.String {
				if !regexp.MustCompile(`^parley: --` + f.Name + `: write .*, not ".*"\n$`).MatchString(why) {
					t.Errorf("%s=%s: %s", name, v, why)
				}
				if strings.HasPrefix(v, "-") && kind.Kind() != reflect.Bool { // it would look like a flag
					if apart := refused(t, f.line("--"+f.Name, v)); apart != why {
						t.Errorf("%s %s: %s, want %s", name, v, apart, why)
					}
				}
			}
			if strings.Contains(why, "goroutine") || strings.Contains(why, "netip.") ||
				strings.Contains(why, "strconv") || strings.Contains(why, "invalid") {
				t.Errorf("%s=%s is answered in Go's words: %s", name, v, why)
			}
			if i > 0 {
				continue // a variable is read like a flag
			}
			t.Setenv(f.Envs[0], v)
			by := refused(t, f.line(with...))
			os.Unsetenv(f.Envs[0])
			if kind.Kind() != reflect.String {
				if want := strings.Replace(why, "--"+f.Name+":", f.Envs[0]+":", 1); by != want {
					t.Errorf("%s=%s: %s, want %s", f.Envs[0], v, by, want)
				}
			}
		}
	}
}

func TestFlagsThatDoNotGoTogetherAreRefusedBeforeAnythingStarts(t *testing.T) {
	inFolder(t)
	dir := t.TempDir()
	nothing, rubbish := filepath.Join(dir, "nothing"), filepath.Join(dir, "rubbish")
	if err := os.WriteFile(rubbish, []byte("-----BEGIN"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range [][2]string{
		{"--http-listen :8081", `--http-listen .*: add --domain, or leave it out`},
		{"--http-listen nonsense --domain chat.example.org", `--http-listen: write .*, not "nonsense"`},
		{"--acme-ca https://ca.example", `--acme-ca .*: add --domain, or leave it out`},
		{"--tls-cert " + rubbish, `--tls-cert .*: add --tls-key FILE`},
		{"--tls-key " + rubbish, `--tls-key .*: add --tls-cert FILE`},
		{"--tls-cert " + rubbish + " --tls-key " + nothing, `--tls-cert and --tls-key: name .*nothing.*`},
		{"--tls-cert " + rubbish + " --tls-key " + rubbish, `--tls-cert and --tls-key: name .*rubbish.*`},
		{"--tls-cert " + dir + " --tls-key " + rubbish, `--tls-cert and --tls-key: name .*`},
		{"--tls-cert a --tls-key b --domain chat.example.org", `--domain gets a certificate by itself: leave out .*`},
		{"--debug-echo", `--debug-echo answers whoever asks, .* such as 127\.0\.0\.1:8080, not :8080`},
		{"--debug-echo --listen 0.0.0.0:0", `--debug-echo .*, not 0\.0\.0\.0:0`},
		{"--debug-echo --listen box:8080", `--debug-echo .*, not box:8080`},
		{"--debug-echo --listen 127.0.0.1:0 --domain chat.example.org", `--debug-echo .*, not :80`},
		{"--domain chat.example.org --domain localhost", `--domain: .* localhost; write .*`},
		{"--domain localhost --acme-ca https://ca.example", `--domain: .* localhost; write .*`},
		{"--allow-host chat.example.org --allow-host https://chat.lan/", `--allow-host: write .*`},
	} {
		why := refused(t, append([]string{"serve"}, strings.Fields(tt[0])...))
		if !regexp.MustCompile("^parley: " + tt[1] + "\n$").MatchString(why) {
			t.Errorf("%s: %swant %s", tt[0], why, tt[1])
		}
	}
	for _, tt := range [][2]string{
		{"--to data", `--from: write a data folder, or a PostgreSQL database .*`},
		{"--from data", `--to: write a data folder, or a PostgreSQL database .*`},
		{"--from data --to other --unmark", `--unmark moves nothing: leave out --to`},
		{"--from data --to other --to-password-file " + rubbish, `--to-password-file is for a database, and other .*`},
		{"--from postgres://h/d --from-password-file " + nothing + " --to data", `--from-password-file: .*nothing.*`},
		{"--from data --to postgres://u@h:port/d", `--to: write a number for the port.*`},
	} {
		why := refused(t, append([]string{"move"}, strings.Fields(tt[0])...))
		if !regexp.MustCompile("^parley: " + tt[1] + "\n$").MatchString(why) {
			t.Errorf("move %s: %swant %s", tt[0], why, tt[1])
		}
	}
	for _, args := range [][]string{
		{"chat", "http://localhost:8080"},
		{"chat", "http://localhost:8080/lobby"},
		{"chat", "http://localhost:8080/r/?!"},
		{"chat", "http://localhost:8080/r/"},
		{"chat", ""},
		{"chat", "localhost/r/lobby"},
		{"backup", ""},
		{"backup", " "},
		{"bench", "report", "missing.json"},
	} {
		if why := refused(t, args); strings.Contains(why, "goroutine") {
			t.Errorf("%q: %s", args, why)
		}
	}
}

func TestValuesAreReadAsPeopleWriteThem(t *testing.T) {
	inFolder(t)
	t.Setenv("PARLEY_ALLOW_ORIGIN", "https://a.example.org, https://b.example.org ,")
	t.Setenv("PARLEY_MESSAGE_RATE", " 7\r")
	parser := newParser(io.Discard, io.Discard, func(int) {})
	command, err := parser.Parse([]string{
		"serve", "--domain", " Chat.Example.ORG. , bücher.example.org", "--trusted-proxy",
		"127.0.0.1, ::1 ,10.1.2.3/8,::ffff:10.0.0.1,::ffff:10.0.0.0/104", "--listen", " :8443 ",
	})
	if err == nil {
		err = check(command)
	}
	if err != nil {
		t.Fatal(err)
	}
	got := parser.Model.Target.Interface().(commands).Serve
	if want := []string{"chat.example.org", "xn--bcher-kva.example.org"}; !slices.Equal(got.HTTP.Domain, want) {
		t.Errorf("domains %q, want %q", got.HTTP.Domain, want)
	}
	var proxies []string
	for _, p := range got.HTTP.TrustedProxy {
		proxies = append(proxies, p.String())
	}
	if want := []string{"127.0.0.1/32", "::1/128", "10.0.0.0/8", "10.0.0.1/32", "10.0.0.0/8"}; !slices.Equal(proxies,
		want) {
		t.Errorf("proxies %q, want %q", proxies, want)
	}
	if want := []string{"https://a.example.org", "https://b.example.org"}; !slices.Equal(got.HTTP.AllowOrigin, want) {
		t.Errorf("origins %q, want %q", got.HTTP.AllowOrigin, want)
	}
	if n := valueOf(t, "--frame-size", "serve", "--frame-size", "010"); n != 10 {
		t.Errorf("--frame-size 010 is %v", n)
	}
	if got.Rooms.MessageRate != 7 || got.Listen != ":8443" {
		t.Errorf("--message-rate %v, --listen %q", got.Rooms.MessageRate, got.Listen)
	}
}

func TestTheNamesOfAMachine(t *testing.T) {
	const hosts = `127.0.0.1 localhost
127.0.1.1 Box.example.org box chat # this machine
192.168.1.9 nas.example.org nas
0.0.0.0 ads.example evil.example
`
	for host, want := range map[string][]string{
		"box":             {"box", "box.example.org", "chat"},
		"Box.Example.org": {"box", "box.example.org", "chat"},
		"other":           {"other"},
	} {
		if got := namesOf(host, hosts); !slices.Equal(got, want) {
			t.Errorf("%s is %q, want %q", host, got, want)
		}
	}
}

// TestEveryFlagIsDocumented requires each flag of each command to be named in docs/operating.md.
func TestEveryFlagIsDocumented(t *testing.T) {
	doc := readDoc(t, "operating.md")
	for _, command := range []string{"serve", "chat", "backup", "health", "version"} {
		var help bytes.Buffer
		if status := run(t.Context(), []string{command, "--help"}, &help, &help); status != 0 {
			t.Fatalf("parley %s --help: exit status %d", command, status)
		}
		for _, f := range regexp.MustCompile(`--[a-z][a-z-]+`).FindAllString(help.String(), -1) {
			if f != "--help" && !strings.Contains(doc, "`"+f+"`") {
				t.Errorf("docs/operating.md does not name `%s` of parley %s", f, command)
			}
		}
	}
}

func readDoc(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
