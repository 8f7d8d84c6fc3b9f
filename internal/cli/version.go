package cli

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// version, commit and date are set by builds outside a git checkout, such as the Dockerfile's:
// -ldflags "-X parley/internal/cli.version=v1.2.3". If they are empty, the build information is
// used.
var version, commit, date string

type versionCmd struct{}

// Run prints the version, the commit with its date, the Go version and the platform.
func (versionCmd) Run(con *console) error {
	b := readBuild()
	var made []string
	if b.commit != "" {
		made = append(made, "commit "+b.commit)
	}
	if b.date != "" {
		made = append(made, b.date)
	}
	made = append(made, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
	_, err := fmt.Fprintf(con.stdout, "parley %s (%s)\n", b.version, strings.Join(made, ", "))
	return err
}

// buildVersion returns the program's version for logs and reports.
func buildVersion() string { return readBuild().version }

// A build describes what a program was built from.
type build struct {
	version string // a release's name, else the commit
	commit  string // "+changes" at its end if the checkout had changes; "" if unknown
	date    string // the commit's date in RFC 3339; "" if unknown
}

func readBuild() build {
	settings := map[string]string{}
	module := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		module = info.Main.Version
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
	}
	b := build{commit: cmp.Or(commit, settings["vcs.revision"]), date: cmp.Or(date, settings["vcs.time"])}
	if commit == "" && settings["vcs.modified"] == "true" {
		b.commit += "+changes"
	}
	if module == "(devel)" {
		module = ""
	}
	b.version = cmp.Or(version, module, b.commit, "devel")
	return b
}
