package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"ferry/cmd/ferry/internal/flags"

	"github.com/spf13/cobra"
)

func (p process) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version",
		Args:  flags.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintf(p.stdout, "ferry %s\n", version())
			commit, date := source()
			if commit != "" {
				fmt.Fprintf(p.stdout, "- commit: %s\n- date: %s\n", commit, date)
			}
			_, err := fmt.Fprintf(p.stdout, "- go: %s\n- os: %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// version returns what the build knows of itself: a release, or the revision of the source, or
// "(devel)".
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// source returns the commit that the program was built from, and its date; "" where the build does
// not know.
func source() (commit, date string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", ""
	}
	changed := ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			commit = s.Value
		case "vcs.time":
			date = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				changed = ", with changes"
			}
		}
	}
	return commit + changed, date
}
