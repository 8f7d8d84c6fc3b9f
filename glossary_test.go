package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// A term is one row of the glossary in docs/architecture.md.
type term struct {
	word string
	code []string // names of Go ("room.Hub.flush") and JavaScript ("js:Outbox") that stand for it
	not  []string // words that no name may contain instead
}

// A goName is a name that Go code declares: "pkg.Name" or "pkg.Type.member".
type goName struct {
	name     string
	at       token.Position
	exported bool // an exported type
}

// bare returns the name without its package.
func (n goName) bare() string {
	_, name, _ := strings.Cut(n.name, ".")
	return name
}

// glossed are the packages whose exported types must be explained: each in the
// glossary or, if it needs no explanation, in testdata/plain-names.txt.
var glossed = []string{"access", "account", "chat", "room", "wire"}

// TestGlossaryAndNamesAgree holds the glossary and the names in the code
// together. testdata/kept-names.txt lists names that contain an avoided word,
// each with the reason.
func TestGlossaryAndNamesAgree(t *testing.T) {
	terms := readTerms(readDoc(t, "architecture.md"))
	if len(terms) < 50 {
		t.Fatalf("found %d rows of the glossary", len(terms))
	}
	mistakes := checkNames(terms, goNames(t), readNames(t, "kept-names.txt"), readNames(t, "plain-names.txt"))
	js := readScripts(t)
	for _, tm := range terms {
		for _, name := range tm.code {
			name, isJS := strings.CutPrefix(name, "js:")
			if isJS && !regexp.MustCompile(`\b`+name+`\b`).MatchString(js) {
				mistakes = append(mistakes, fmt.Sprintf("%s: the page has no name %s", tm.word, name))
			}
		}
	}
	for _, m := range mistakes {
		t.Error(m)
	}
}

// checkNames returns the contradictions between the glossary and the names in
// the code. kept and plain are the lists of exceptions.
func checkNames(terms []term, names []goName, kept, plain []string) (mistakes []string) {
	declared, bare := map[string]bool{}, map[string]bool{}
	for _, n := range names {
		declared[n.name], bare[n.bare()] = true, true
	}
	instead, explained := map[string]string{}, map[string]bool{}
	for _, tm := range terms {
		for _, name := range tm.code {
			if !strings.HasPrefix(name, "js:") && !declared[name] {
				mistakes = append(mistakes, fmt.Sprintf("%s: no code declares %s", tm.word, name))
			}
			explained[firstTwo(name)] = true
		}
		for _, word := range tm.not {
			instead[word] = tm.word
		}
	}
	for _, n := range names {
		for _, word := range wordsOf(n.bare()) {
			if say := instead[word]; say != "" && !slices.Contains(kept, n.bare()) {
				mistakes = append(mistakes, fmt.Sprintf("%s: %s contains %q: say %s", n.at, n.bare(), word, say))
			}
		}
		pkg, _, _ := strings.Cut(n.name, ".")
		if n.exported && slices.Contains(glossed, pkg) && !explained[n.name] && !slices.Contains(plain, n.name) {
			mistakes = append(mistakes,
				fmt.Sprintf("%s: %s is neither in the glossary nor in plain-names.txt", n.at, n.name))
		}
	}
	for _, name := range kept {
		if !bare[name] {
			mistakes = append(mistakes, "kept-names.txt: no code declares "+name+": remove the line")
		}
	}
	for _, name := range plain {
		if !declared[name] {
			mistakes = append(mistakes, "plain-names.txt: no code declares "+name+": remove the line")
		}
	}
	return mistakes
}

// firstTwo returns "pkg.Type" of "pkg.Type.member".
func firstTwo(name string) string {
	parts := strings.SplitN(name, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// wordsOf splits a name at its capitals: "Hub.sseClient" has hub, sse and client.
func wordsOf(name string) (words []string) {
	r := []rune(name)
	start := 0
	for i := 1; i <= len(r); i++ {
		if i < len(r) && r[i] != '.' && r[i-1] != '.' && (!unicode.IsUpper(r[i]) ||
			unicode.IsUpper(r[i-1]) && (i+1 == len(r) || !unicode.IsLower(r[i+1]))) {
			continue
		}
		if w := strings.Trim(strings.ToLower(string(r[start:i])), "."); w != "" {
			words = append(words, w)
		}
		start = i
	}
	return words
}

// readTerms returns the rows of the glossary's table.
func readTerms(doc string) (terms []term) {
	_, table, _ := strings.Cut(doc, "\n| word | in code |")
	code := regexp.MustCompile("`([^`]+)`")
	for line := range strings.Lines(table[strings.IndexByte(table, '\n')+1:]) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 7 {
			break
		}
		tm := term{word: strings.TrimSpace(cells[1])}
		if strings.HasPrefix(tm.word, "---") {
			continue
		}
		for _, m := range code.FindAllStringSubmatch(cells[2], -1) {
			tm.code = append(tm.code, m[1])
		}
		for word := range strings.SplitSeq(cells[5], ",") {
			if word = strings.TrimSpace(word); word != "" {
				tm.not = append(tm.not, word)
			}
		}
		terms = append(terms, tm)
	}
	return terms
}

// goNames returns all names that the project's Go code declares outside
// functions, without tests.
func goNames(t *testing.T) (names []goName) {
	t.Helper()
	eachFile(t, ".go", func(path string, content []byte) {
		path = filepath.ToSlash(path)
		if strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "bench/") ||
			strings.Contains(path, "storetest/") {
			return
		}
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, path, content, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			names = append(names, namesOf(files, f.Name.Name, d)...)
		}
	})
	return names
}

// namesOf returns the names of one declaration, with fields and methods.
func namesOf(files *token.FileSet, pkg string, decl ast.Decl) (names []goName) {
	add := func(id *ast.Ident, owner string, isType bool) {
		if id.Name != "_" {
			names = append(names,
				goName{pkg + "." + owner + id.Name, files.Position(id.Pos()), isType && id.IsExported()})
		}
	}
	members := func(list *ast.FieldList, owner string) {
		for _, field := range list.List {
			for _, id := range field.Names {
				add(id, owner+".", false)
			}
		}
	}
	switch d := decl.(type) {
	case *ast.FuncDecl:
		owner := ""
		if d.Recv != nil {
			owner = receiver(d.Recv.List[0].Type) + "."
		}
		add(d.Name, owner, false)
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				add(s.Name, "", true)
				switch typ := s.Type.(type) {
				case *ast.StructType:
					members(typ.Fields, s.Name.Name)
				case *ast.InterfaceType:
					members(typ.Methods, s.Name.Name)
				}
			case *ast.ValueSpec:
				for _, id := range s.Names {
					add(id, "", false)
				}
			}
		}
	}
	return names
}

// receiver returns the name of a receiver's type.
func receiver(typ ast.Expr) string {
	switch typ := typ.(type) {
	case *ast.StarExpr:
		return receiver(typ.X)
	case *ast.IndexExpr:
		return receiver(typ.X)
	case *ast.IndexListExpr:
		return receiver(typ.X)
	case *ast.Ident:
		return typ.Name
	}
	return ""
}

// readNames returns the first word of each line of a file in testdata.
func readNames(t *testing.T, file string) (names []string) {
	t.Helper()
	for _, line := range readLines(t, file) {
		names = append(names, strings.Fields(line)[0])
	}
	return names
}

// readLines returns the lines of a file in testdata without comments. They must
// be sorted, each once.
func readLines(t *testing.T, file string) (lines []string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	if !slices.IsSorted(lines) || len(slices.Compact(slices.Clone(lines))) != len(lines) {
		t.Errorf("testdata/%s is not sorted, or has a line twice", file)
	}
	return lines
}

// readScripts returns all modules of the page.
func readScripts(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	eachFile(t, ".js", func(path string, content []byte) {
		if strings.HasPrefix(filepath.ToSlash(path), "web/js/") {
			all.Write(content)
		}
	})
	return all.String()
}

// eachFile calls do for each of the project's files whose name ends in one of
// the extensions in suffixes, which are separated by spaces.
func eachFile(t *testing.T, suffixes string, do func(path string, content []byte)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == "node_modules" || path == "dist" || path != "." && strings.HasPrefix(d.Name(), ".") {
				return filepath.SkipDir
			}
			return nil
		}
		if ext := filepath.Ext(path); ext == "" || !slices.Contains(strings.Fields(suffixes), ext) {
			return nil
		}
		content, err := os.ReadFile(path)
		if err == nil {
			do(path, content)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestGlossaryCheckFindsContradictions(t *testing.T) {
	doc := "text\n\n| word | in code | means | wire | not |\n| --- | --- | --- | --- | --- |\n" +
		"| blocked | `room.Reader`, `js:Row` | full | | parked, lagging |\n"
	reader := goName{name: "room.Reader", exported: true}
	for name, tt := range map[string]struct {
		names       []goName
		kept, plain []string
		want        string // part of the only mistake; "": none
	}{
		"agree":          {names: []goName{reader}},
		"a name is gone": {want: "no code declares room.Reader"},
		"an avoided word": {
			names: []goName{reader, {name: "room.Reader.isParked"}}, want: `contains "parked": say blocked`,
		},
		"another word":     {names: []goName{reader, {name: "room.Reader.sparked"}}},
		"a kept name":      {names: []goName{reader, {name: "room.parkedAt"}}, kept: []string{"parkedAt"}},
		"a dead exception": {names: []goName{reader}, kept: []string{"parkedAt"}, want: "remove the line"},
		"a type unexplained": {
			names: []goName{reader, {name: "room.Config", exported: true}}, want: "neither in the glossary",
		},
		"a plain type": {
			names: []goName{reader, {name: "room.Config", exported: true}}, plain: []string{"room.Config"},
		},
		"another package":     {names: []goName{reader, {name: "bench.Config", exported: true}}},
		"a dead plain name":   {names: []goName{reader}, plain: []string{"room.Config"}, want: "remove the line"},
		"an acronym in front": {names: []goName{reader, {name: "room.SSEParked"}}, want: `contains "parked"`},
	} {
		t.Run(name, func(t *testing.T) {
			got := checkNames(readTerms(doc), tt.names, tt.kept, tt.plain)
			if tt.want == "" && len(got) > 0 || tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], tt.want)) {
				t.Errorf("mistakes %q, want %q", got, tt.want)
			}
		})
	}
}
