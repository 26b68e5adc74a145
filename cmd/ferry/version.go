package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"ferry/cmd/ferry/internal/flags"

	"github.com/spf13/cobra"
)

// What "make package" says of the program that it builds (go build -ldflags -X). It is "" in any
// other build, of which Go knows what it finds out by itself.
var release, commit, date = "", "", ""

func (p process) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version",
		Args:  flags.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintf(p.stdout, "ferry %s\n", version())
			if revision, when := source(); revision != "" {
				fmt.Fprintf(p.stdout, "- commit: %s\n- date: %s\n", revision, when)
			}
			_, err := fmt.Fprintf(p.stdout, "- go: %s\n- os: %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// version returns what the build knows of itself: a release, or the revision of the source, or
// "(devel)".
func version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// source returns the commit that the program was built from, and its date; "" where the build does
// not know.
func source() (revision, when string) {
	revision, when = commit, date
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return revision, when
	}
	changed := ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value
		case "vcs.time":
			when = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				changed = ", with changes"
			}
		}
	}
	return revision + changed, when
}
