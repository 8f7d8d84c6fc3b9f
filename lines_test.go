package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

const maxColumns = 120 // of a line; a tab counts 4

// TestLinesHaveAtMost120Columns reads Go, JavaScript, CSS and Markdown.
func TestLinesHaveAtMost120Columns(t *testing.T) {
	eachFile(t, ".go .js .css .md", func(path string, content []byte) {
		if first := longLine(path, string(content)); first > 0 {
			t.Errorf("%s:%d: a line has more than %d columns", filepath.ToSlash(path), first, maxColumns)
		}
	})
}

var (
	longLink   = regexp.MustCompile(`\S*://\S{60}`)
	structTag  = regexp.MustCompile("^\\t+\\w.*`[a-z]+:\"[^`]*`")
	docExample = regexp.MustCompile(`^([<>] )?\{"`) // a frame of the protocol, which is one line
)

// longLine returns the number of the first line that is too long, 0 if there is
// none. Tables and frames in Markdown, struct tags and long links do not count.
func longLine(path, content string) int {
	n := 0
	for line := range strings.Lines(content) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if columns(line) <= maxColumns || longLink.MatchString(line) {
			continue
		}
		switch filepath.Ext(path) {
		case ".md":
			if strings.HasPrefix(line, "|") || docExample.MatchString(line) {
				continue
			}
		case ".go":
			if strings.HasPrefix(line, "//go:") ||
				structTag.MatchString(line) && columns(beforeTag(line)) <= maxColumns {
				continue
			}
		}
		return n
	}
	return 0
}

func columns(line string) int { return utf8.RuneCountInString(line) + 3*strings.Count(line, "\t") }

func beforeTag(line string) string {
	code, _, _ := strings.Cut(line, "`")
	return code
}

func TestLongLineIsFound(t *testing.T) {
	long := strings.Repeat("x", maxColumns)
	for name, tt := range map[string]struct {
		file, line string
		long       bool
	}{
		"at the limit":        {file: "a.go", line: long},
		"one more":            {file: "a.go", line: long + "x", long: true},
		"letters, not bytes":  {file: "a.go", line: strings.Repeat("ä", maxColumns)},
		"a tab counts four":   {file: "a.go", line: "\t" + long[:maxColumns-3], long: true},
		"a table":             {file: "a.md", line: "| " + long},
		"a frame":             {file: "a.md", line: `< {"op":"` + long},
		"a sentence":          {file: "a.md", line: "A " + long, long: true},
		"a link":              {file: "a.md", line: "[a](https://" + long + ")"},
		"a struct tag":        {file: "a.go", line: "\tFlag string `help:\"" + long + "\"`"},
		"code before the tag": {file: "a.go", line: "\tFlag " + long + " `help:\"x\"`", long: true},
		"a raw string":        {file: "a.go", line: "\tf(`" + long + "`)", long: true},
		"a directive":         {file: "a.go", line: "//go:build " + long},
	} {
		t.Run(name, func(t *testing.T) {
			if got := longLine(tt.file, fmt.Sprintf("short\n%s\n", tt.line)); got != 0 != tt.long {
				t.Errorf("line %d is too long", got)
			}
		})
	}
}
