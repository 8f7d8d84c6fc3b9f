package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"parley/internal/chat"
)

var updateDeps = flag.Bool("update-deps", false, "write testdata/deps.txt anew")

// mayImport says which of the project's packages a package may import. cli may
// import all, because it is the one place that knows every part.
var mayImport = map[string][]string{
	"parley":                 {"parley/internal/cli"},
	"parley/test/durability": {},
	"parley/internal/chat":   {},
	"parley/internal/certs":  {},
	"parley/internal/format": {"parley/internal/chat"},
	"parley/internal/wire":   {"parley/internal/chat", "parley/internal/format"},
	"parley/internal/files":  {},
	"parley/internal/move":   {},
	"parley/internal/await":  {},
	"parley/internal/store":  {"parley/internal/access", "parley/internal/chat", "parley/internal/format"},
	"parley/internal/store/sqlite": {
		"parley/internal/access", "parley/internal/chat", "parley/internal/files", "parley/internal/format",
		"parley/internal/move",
		"parley/internal/store", "parley/internal/store/schema",
	},
	"parley/internal/store/postgres": {
		"parley/internal/access", "parley/internal/chat", "parley/internal/format", "parley/internal/move",
		"parley/internal/store", "parley/internal/store/schema",
	},
	"parley/internal/store/schema":          {},
	"parley/internal/store/postgres/pgtest": {"parley/internal/pgserver"},
	"parley/internal/store/storetest": {
		"parley/internal/access", "parley/internal/chat", "parley/internal/format", "parley/internal/store",
	},
	"parley/internal/cluster": {
		"parley/internal/account", "parley/internal/chat", "parley/internal/rates", "parley/internal/room",
	},
	"parley/internal/cluster/clustertest": {"parley/internal/cluster"},
	"parley/internal/cluster/natsbus":     {"parley/internal/cluster"},
	"parley/internal/rates":               {},
	"parley/internal/access":              {"parley/internal/chat"},
	"parley/internal/link":                {"parley/internal/chat", "parley/internal/room", "parley/internal/wire"},
	"parley/internal/room": {
		"parley/internal/access", "parley/internal/chat", "parley/internal/format", "parley/internal/rates",
	},
	"parley/internal/account": {"parley/internal/chat", "parley/internal/rates", "parley/internal/room"},
	"parley/internal/httpdoor": {
		"parley/internal/account", "parley/internal/chat", "parley/internal/rates", "parley/internal/room",
		"parley/internal/wire",
	},
	"parley/internal/rest": {
		"parley/internal/account", "parley/internal/chat", "parley/internal/httpdoor", "parley/internal/rates",
		"parley/internal/room", "parley/internal/wire",
	},
	"parley/internal/server": {
		"parley/internal/account", "parley/internal/certs", "parley/internal/chat", "parley/internal/httpdoor",
		"parley/internal/link", "parley/internal/rates", "parley/internal/rest", "parley/internal/room",
		"parley/internal/wire", "parley/web",
	},
	"parley/internal/tui": {
		"parley/client", "parley/internal/chat", "parley/internal/files", "parley/internal/format",
	},
	"parley/internal/bench":    {"parley/client", "parley/internal/pgserver"},
	"parley/internal/search":   {"parley/internal/chat", "parley/internal/format"},
	"parley/internal/torture":  {"parley/client", "parley/internal/netns", "parley/internal/pgserver"},
	"parley/internal/pgserver": {"parley/internal/netns"},
	"parley/internal/netns":    {},
	"parley/client":            {},
	"parley/web":               {},
	"parley/ci/platforms":      {},
	"parley/ci/cluster":        {"parley/internal/netns", "parley/internal/pgserver"},
	"parley/ci/withpostgres":   {"parley/internal/pgserver"},
}

type listed struct {
	ImportPath, Doc  string
	Imports, GoFiles []string
	Standard         bool
	Module           *struct{ Path string }
}

// goList returns the output of `go list -json` for packages.
func goList(t *testing.T, args ...string) (packages []listed) {
	t.Helper()
	out, err := exec.Command("go",
		append([]string{"list", "-json=ImportPath,Doc,Imports,GoFiles,Standard,Module"}, args...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p listed
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	return packages
}

func TestPackagesImportOnlyWhatTheyMayKnow(t *testing.T) {
	for _, p := range goList(t, "./...") {
		allowed, known := mayImport[p.ImportPath]
		if p.ImportPath == "parley/internal/cli" {
			continue
		}
		if !known {
			t.Errorf("%s is new: add to mayImport what it may import", p.ImportPath)
		}
		for _, i := range p.Imports {
			if strings.HasPrefix(i, "parley/") && !slices.Contains(allowed, i) {
				t.Errorf("%s imports %s, which it must not know", p.ImportPath, i)
			}
		}
		if p.Doc == "" {
			t.Errorf("%s does not say what it is for", p.ImportPath)
		}
		for _, name := range []string{
			"util", "utils", "common", "core", "service", "model", "config", "mock", "helpers",
		} {
			if filepath.Base(p.ImportPath) == name {
				t.Errorf("%s: name a package for what it is about", p.ImportPath)
			}
		}
	}
}

// TestDependenciesAreChosen compares the modules in the binary with a list, so
// that a new one shows in the diff. `go test -run Dependencies -update-deps .`
// writes the list.
func TestDependenciesAreChosen(t *testing.T) {
	var modules []string
	for _, p := range goList(t, "-deps", ".") {
		if !p.Standard && p.Module != nil && p.Module.Path != "parley" && !slices.Contains(modules, p.Module.Path) {
			modules = append(modules, p.Module.Path)
		}
	}
	slices.Sort(modules)
	got := strings.Join(modules, "\n") + "\n"
	const file = "testdata/deps.txt"
	if *updateDeps {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the modules in the binary are not those of %s, but\n%s", file, got)
	}
}

// TestCodeKeepsTheHouse reads every Go file for what is not done here.
func TestCodeKeepsTheHouse(t *testing.T) {
	files := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || path != "." && strings.HasPrefix(d.Name(), ".")) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		f, err := parser.ParseFile(files, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		if leavesOutLinters(f) {
			t.Errorf("%s: the linters see what the race detector sees, so no file may be for one of both builds", path)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				keepHouse(t, files, path, f, call)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// leavesOutLinters reports whether a file is only for builds with the race detector, or only for those without.
func leavesOutLinters(f *ast.File) bool {
	for _, group := range f.Comments {
		for _, c := range group.List {
			words := strings.FieldsFunc(c.Text, func(r rune) bool { return !unicode.IsLetter(r) })
			if strings.HasPrefix(c.Text, "//go:build") && slices.Contains(words, "race") {
				return true
			}
		}
	}
	return false
}

func keepHouse(t *testing.T, files *token.FileSet, path string, f *ast.File, call *ast.CallExpr) {
	t.Helper()
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return
	}
	pkg, ok := sel.X.(*ast.Ident)
	if !ok {
		return
	}
	test := strings.HasSuffix(path, "_test.go")
	at := files.Position(call.Pos())
	switch name := pkg.Name + "." + sel.Sel.Name; {
	case name == "context.TODO":
		t.Errorf("%s: context.TODO stands for unfinished code", at)
	case strings.HasPrefix(name, "fmt.Print") && f.Name.Name != "main" && f.Name.Name != "cli":
		t.Errorf("%s: only commands print", at)
	case waits[name] && test && !imports(f, "testing/synctest"):
		t.Errorf("%s: a test waits for an event, not for time, except in a synctest bubble; "+
			"to give up, use context.WithTimeout", at)
	}
}

// waits are the functions with which a test would wait for time to pass.
var waits = map[string]bool{"time.Sleep": true, "time.After": true, "time.Tick": true}

func imports(f *ast.File, path string) bool {
	return slices.ContainsFunc(f.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"`+path+`"` })
}

// TestEveryCodeIsDocumented looks for a row of the protocol's table for each
// code, with what a client does about it.
func TestEveryCodeIsDocumented(t *testing.T) {
	doc := readDoc(t, "protocol.md")
	for _, code := range chat.Codes {
		if !regexp.MustCompile("(?m)^\\| `" + string(code) + "` \\| .* \\| .+ \\|").MatchString(doc) {
			t.Errorf("docs/protocol.md has no row for %s", code)
		}
	}
	for row := range strings.Lines(doc[strings.Index(doc, "## Errors"):]) {
		if m := regexp.MustCompile("^\\| `([a-z_]+)` \\|").FindStringSubmatch(row); m != nil &&
			!slices.Contains(chat.Codes, chat.Code(m[1])) {
			t.Errorf("docs/protocol.md has a row for %s, which is no code", m[1])
		}
	}
}

func readDoc(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
