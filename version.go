package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by whoever builds a release:
// -ldflags "-X main.version=v1.2.3". Else the build says what it was made from.
var version string

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(con *console) error {
	_, err := fmt.Fprintf(con.stdout, "parley %s %s %s/%s\n", buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

func buildVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	v := cmp.Or(settings["vcs.revision"], "devel")
	if settings["vcs.modified"] == "true" {
		v += "+changes"
	}
	return v
}
