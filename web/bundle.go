package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// mainModule is the module from which the page starts.
const mainModule = "js/main.js"

// A bundle has the page's modules and styles in few files: one for each entry with all that it imports, and one for
// each module that is loaded by import(), with what only that one imports. What several of these import is in the file
// of the main module. The name of each file contains a hash of its content.
type bundle struct {
	files   map[string][]byte // by name, such as "settings-dialog-2LIXK2X4.js"
	entries map[string]string // the names of the entries' files, by the path of the entry: "js/main.js"
	shared  []string          // modules in files of their own, because several that are loaded late import them
}

// newBundle reads the entries, and all that they import, from files. It takes tens of milliseconds.
func newBundle(files fs.FS, entries []string) (*bundle, error) {
	b, err := bundleWith(files, entries, nil)
	if err != nil || len(b.shared) == 0 {
		return b, err
	}
	return bundleWith(files, entries, b.shared)
}

// bundleWith makes the bundle. The main module imports those of shared as well.
func bundleWith(files fs.FS, entries, shared []string) (*bundle, error) {
	source := source{files, shared}
	result := api.Build(api.BuildOptions{
		EntryPoints: entries,
		EntryNames:  "[name]-[hash]", ChunkNames: "[name]-[hash]",
		Outdir:           strings.TrimSuffix(prefix, "/"),
		Plugins:          []api.Plugin{{Name: "files", Setup: source.setUp}},
		Bundle:           true,
		Format:           api.FormatESModule,
		Target:           api.ES2023, // as in tsconfig.json
		Splitting:        true,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true,
		Charset:   api.CharsetUTF8,
		Sourcemap: api.SourceMapLinked, // with which a browser's tools show the modules as they were written
		Metafile:  true,
		LogLevel:  api.LogLevelSilent,
	})
	if len(result.Errors) > 0 {
		lines := api.FormatMessages(result.Errors, api.FormatMessagesOptions{})
		return nil, errors.New(strings.TrimSpace(strings.Join(lines, "")))
	}
	b := &bundle{files: map[string][]byte{}, entries: map[string]string{}}
	for _, f := range result.OutputFiles {
		b.files[base(f.Path)] = f.Contents
	}
	return b, b.readMeta(result.Metafile)
}

// base returns the last part of a path, also on Windows, where esbuild separates parts as Windows does.
func base(file string) string { return path.Base(strings.ReplaceAll(file, `\`, "/")) }

// readMeta reads from esbuild's description of its files which of them are entries, and what late modules share.
func (b *bundle) readMeta(meta string) error {
	var described struct {
		Outputs map[string]struct {
			EntryPoint string
			Imports    []struct{ Path, Kind string }
			Inputs     map[string]struct{}
		}
	}
	if err := json.Unmarshal([]byte(meta), &described); err != nil {
		return fmt.Errorf("read esbuild's description of the bundle: %w", err)
	}
	for file, output := range described.Outputs {
		name := base(file)
		entry, ok := strings.CutPrefix(output.EntryPoint, inFiles+":")
		if !ok {
			continue
		}
		// esbuild puts what is needed together with others into a file of its own, and leaves nothing but an import
		// of that.
		if len(output.Inputs) == 0 && len(output.Imports) == 1 {
			delete(b.files, name)
			delete(b.files, name+".map")
			name = base(output.Imports[0].Path)
		}
		b.entries[entry] = name
	}
	for file, output := range described.Outputs {
		if output.EntryPoint == "" && path.Ext(file) == ".js" && base(file) != b.entries[mainModule] {
			for input := range output.Inputs {
				b.shared = append(b.shared, strings.TrimPrefix(input, inFiles+":"))
			}
		}
	}
	slices.Sort(b.shared)
	return nil
}

// esbuild knows a file by its path and a namespace.
const (
	inFiles = "page" // a file as it was written
	loaded  = "late" // what an import() of the file loads
)

// A source is where esbuild reads modules and styles.
type source struct {
	files  fs.FS
	shared []string // what the main module imports, too
}

func (s source) setUp(b api.PluginBuild) {
	b.OnResolve(api.OnResolveOptions{Filter: ".*"}, resolve)
	b.OnLoad(api.OnLoadOptions{Filter: ".*"}, s.load)
}

func resolve(a api.OnResolveArgs) (api.OnResolveResult, error) {
	file, namespace := path.Clean(a.Path), inFiles // esbuild writes ./ if there is such a file where it runs
	if a.Kind != api.ResolveEntryPoint && strings.HasPrefix(a.Path, ".") {
		file = path.Join(path.Dir(a.Importer), file)
	}
	if a.Kind == api.ResolveJSDynamicImport {
		namespace = loaded
	}
	return api.OnResolveResult{Path: file, Namespace: namespace}, nil
}

func (s source) load(a api.OnLoadArgs) (api.OnLoadResult, error) {
	content, err := fs.ReadFile(s.files, a.Path)
	if err != nil {
		return api.OnLoadResult{}, err
	}
	text, loader := string(content), api.LoaderJS
	switch {
	case a.Namespace == loaded:
		text = lateModule(a.Path, content)
	case path.Ext(a.Path) == ".css":
		loader = api.LoaderCSS
	case a.Path == mainModule:
		for _, file := range s.shared {
			text += fmt.Sprintf("import %q;\n", file)
		}
	}
	return api.OnLoadResult{Contents: &text, Loader: loader}, nil
}

// lateModule returns a module that exports the same as the one that is loaded late, and imports the main module before
// it. That one is there already, so the import costs nothing. It tells esbuild that whatever the main module imports is
// needed together: without it, each set of modules that the main module has in common with some late ones would become
// a file of its own, and the page would begin with twenty requests.
func lateModule(file string, content []byte) string {
	text := fmt.Sprintf("import %q; export * from %q;", mainModule, file)
	if bytes.Contains(content, []byte("\nexport default ")) { // which export * leaves out
		text += fmt.Sprintf(" export { default } from %q;", file)
	}
	return text
}
