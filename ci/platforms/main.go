// Command platforms checks that Parley fits every platform that it is released for: it type-checks all packages
// as each platform sees them and runs go vet's analyzers on ours. Dependencies are only parsed and type-checked
// without their functions' bodies, so that a platform takes seconds and not the minutes that compiling it takes.
// Compiling the whole is what `make release` does.
package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/analysis/passes/atomic"
	"golang.org/x/tools/go/analysis/passes/bools"
	"golang.org/x/tools/go/analysis/passes/buildtag"
	"golang.org/x/tools/go/analysis/passes/copylock"
	"golang.org/x/tools/go/analysis/passes/directive"
	"golang.org/x/tools/go/analysis/passes/errorsas"
	"golang.org/x/tools/go/analysis/passes/ifaceassert"
	"golang.org/x/tools/go/analysis/passes/lostcancel"
	"golang.org/x/tools/go/analysis/passes/nilfunc"
	"golang.org/x/tools/go/analysis/passes/printf"
	"golang.org/x/tools/go/analysis/passes/shift"
	"golang.org/x/tools/go/analysis/passes/sigchanyzer"
	"golang.org/x/tools/go/analysis/passes/stringintconv"
	"golang.org/x/tools/go/analysis/passes/structtag"
	"golang.org/x/tools/go/analysis/passes/unreachable"
	"golang.org/x/tools/go/analysis/passes/unsafeptr"
	"golang.org/x/tools/go/analysis/passes/unusedresult"
	"golang.org/x/tools/go/packages"
)

// analyzers are those of go vet that can find something in the code of one platform alone.
var analyzers = []*analysis.Analyzer{
	atomic.Analyzer, bools.Analyzer, buildtag.Analyzer, copylock.Analyzer, directive.Analyzer, errorsas.Analyzer,
	ifaceassert.Analyzer, lostcancel.Analyzer, nilfunc.Analyzer, printf.Analyzer, shift.Analyzer,
	sigchanyzer.Analyzer, stringintconv.Analyzer, structtag.Analyzer, unreachable.Analyzer, unsafeptr.Analyzer,
	unusedresult.Analyzer,
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: platforms OS/ARCH...")
		os.Exit(2)
	}
	// A platform's packages take up to a gigabyte and are dropped at once: collect seldom.
	debug.SetGCPercent(200)
	failed := false
	deps := &dependencies{fset: token.NewFileSet()}
	for _, platform := range os.Args[1:] {
		began := time.Now()
		if err := check(platform, deps); err != nil {
			failed = true
			fmt.Fprintf(os.Stderr, "%s:\n%v\n", platform, err)
			continue
		}
		fmt.Printf("%s ok %.1fs\n", platform, time.Since(began).Seconds())
	}
	if failed {
		os.Exit(1)
	}
}

// check loads all of the module's packages for a platform, such as "windows/arm64", and returns what the type
// checker and the analyzers say of ours.
func check(platform string, deps *dependencies) error {
	goos, goarch, _ := strings.Cut(platform, "/")
	module, err := filepath.Abs(".")
	if err != nil {
		return err
	}
	pkgs, err := packages.Load(&packages.Config{
		Mode: packages.LoadAllSyntax | packages.NeedModule,
		Env:  append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0"),
		Fset: deps.fset,
		ParseFile: func(fset *token.FileSet, name string, src []byte) (*ast.File, error) {
			ours := strings.HasPrefix(name, module+string(filepath.Separator))
			if ours {
				return parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
			}
			return deps.parse(name, src)
		},
	}, "./...")
	if err != nil {
		return err
	}
	var found []error
	packages.Visit(pkgs, nil, func(p *packages.Package) {
		if ours(p) {
			for _, e := range p.Errors {
				found = append(found, e)
			}
		}
		p.IllTyped = false // a dependency without bodies has imports that it does not use
	})
	if len(found) > 0 {
		return errors.Join(found...)
	}
	graph, err := checker.Analyze(analyzers,
		slices.DeleteFunc(pkgs, func(p *packages.Package) bool { return !ours(p) }), nil)
	if err != nil {
		return err
	}
	for _, action := range graph.Roots {
		if action.Err != nil {
			found = append(found, action.Err)
		}
		for _, d := range action.Diagnostics {
			found = append(found, fmt.Errorf("%s: %s", action.Package.Fset.Position(d.Pos), d.Message))
		}
	}
	return errors.Join(found...)
}

func ours(p *packages.Package) bool { return p.Module != nil && p.Module.Main }

// dependencies are the files of all dependencies, of which most are the same on all platforms: they are parsed once.
type dependencies struct {
	fset  *token.FileSet
	files sync.Map // of *ast.File, by name
}

// parse parses a file and drops the bodies of its functions.
func (d *dependencies) parse(name string, src []byte) (*ast.File, error) {
	if f, ok := d.files.Load(name); ok {
		return f.(*ast.File), nil
	}
	f, err := parser.ParseFile(d.fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		return f, err
	}
	for _, decl := range f.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok {
			fn.Body = nil
		}
	}
	d.files.Store(name, f)
	return f, nil
}
