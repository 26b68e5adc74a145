package main

import (
	_ "embed"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
	"ferry/config"
	"ferry/registry"
)

// recordedFlags are the flags of rclone serve ftp: name, letter and type.
//
//go:embed testdata/rclone-flags.txt
var recordedFlags string

// A foreignFlag is a flag of rclone.
type foreignFlag struct{ name, short, kind string }

// takesValue reports whether it needs one. The help of one flag names a command where others have
// their type.
func (f foreignFlag) takesValue() bool {
	return f.kind != "" && f.kind != "count" && f.kind != "rclone size"
}

var flagLine = regexp.MustCompile(`^\s+(?:-(\w), )?\s*--([a-z0-9-]+)(?: ([^ ].*?))?\s{2,}\S`)

// rcloneFlags returns those that were recorded, and those of the program that RCLONE_BIN names.
func rcloneFlags(t *testing.T) []foreignFlag {
	t.Helper()
	var known []foreignFlag
	for line := range strings.Lines(recordedFlags) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(name, "--") {
			continue
		}
		f := foreignFlag{name: strings.TrimPrefix(name, "--"), kind: rest}
		if len(rest) >= 2 && rest[0] == '-' {
			f.short, f.kind = rest[1:2], strings.TrimSpace(rest[2:])
		}
		known = append(known, f)
	}
	if len(known) < 500 {
		t.Fatalf("%d flags are recorded", len(known))
	}
	bin := os.Getenv("RCLONE_BIN")
	if bin == "" {
		return known
	}
	for _, args := range [][]string{{"serve", "ftp", "--help"}, {"help", "flags"}} {
		out, err := exec.Command(bin, args...).Output()
		if err != nil {
			t.Fatal(err)
		}
		_, text, _ := strings.Cut(string(out), "\nFlags")
		_, text, _ = strings.Cut(text, "\n")
		text, ofTypes, _ := strings.Cut(text, "\nBackend-only flags")
		known = append(known, parseHelp(text, func(string) bool { return true })...)
		known = append(known, parseHelp(ofTypes, isOfADriver)...)
	}
	return known
}

func parseHelp(text string, wanted func(name string) bool) []foreignFlag {
	var all []foreignFlag
	for line := range strings.Lines(text) {
		if m := flagLine.FindStringSubmatch(line); m != nil && wanted(m[2]) && m[2] != "group" && m[2] != "name" {
			all = append(all, foreignFlag{m[2], m[1], m[3]})
		}
	}
	return all
}

// isOfADriver reports whether a flag begins with the name of a type that there is here.
func isOfADriver(name string) bool {
	kind, _, _ := strings.Cut(name, "-")
	return slices.ContainsFunc(registry.Types(), func(t config.Type) bool { return flags.TopicName(t) == kind })
}

// groupOf returns the flags of a group; those with a letter have it behind a slash.
func groupOf(t *testing.T, title string) []flags.Flag {
	t.Helper()
	for _, g := range flags.All(&flags.Options{}) {
		if g.Title == title {
			return g.Flags
		}
	}
	t.Fatalf("there is no group %q", title)
	return nil
}

// serveFTPOf returns the command itself.
func serveFTPOf(t *testing.T) *cobra.Command {
	t.Helper()
	cmd, _, err := process{}.rootCommand().Find([]string{"serve", "ftp"})
	if err != nil {
		t.Fatal(err)
	}
	cmd.InitDefaultHelpFlag()
	if err := cmd.ParseFlags(nil); err != nil { // which merges those of the commands above
		t.Fatal(err)
	}
	return cmd
}

// Every flag of rclone serve ftp is one here, with its letter, and stands alone where it does
// there.
func TestRcloneFlagsAreKnown(t *testing.T) {
	flags := serveFTPOf(t).Flags()
	missing := 0
	for _, f := range rcloneFlags(t) {
		ours := flags.Lookup(f.name)
		if ours == nil {
			missing++
			t.Errorf("--%s %s is missing", f.name, f.kind)
			continue
		}
		if f.takesValue() != (ours.NoOptDefVal == "") {
			t.Errorf("--%s %s: it has %q for no value", f.name, f.kind, ours.NoOptDefVal)
		}
		if f.short != "" && ours.Shorthand != f.short {
			t.Errorf("--%s has the letter %q, not %q", f.name, ours.Shorthand, f.short)
		}
	}
	t.Logf("%d of %d are missing", missing, len(rcloneFlags(t)))
}

// Any of them starts a server, alone, with a value of its kind. One that means nothing is one
// warning with the reason.
func TestRcloneCommandLinesStart(t *testing.T) {
	without := map[string]string{}
	for _, row := range groupOf(t, "Accepted") {
		without["--"+strings.Split(row.Name, "/")[0]] = row.Usage
	}
	r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0", "--fast-list", "-P", "--stats-one-line", "--retries", "5", "-M", "--metrics-pass=sesame",
		"--vfs-read-wait", "20ms", "--checksum=false", "--links", "-l", "--user-agent", "x", "--s3-versions", "--drive-less", "1")
	if status := r.wait(t); status != exitUsage { // --drive-less is no flag
		t.Errorf("status %d", status)
	}
	r = start(t, []string{"RCLONE_TRANSFERS=2", "RCLONE_SYSLOG=true"}, ":memory:", "--addr", "127.0.0.1:0", "--fast-list", "-P", "--stats-one-line",
		"--retries", "5", "-M", "--metrics-pass=sesame", "--vfs-read-wait", "20ms", "--checksum=false", "-l", "--user-agent", "x",
		"--s3-versions", "--memory-discard")
	r.url(t)
	warned := 0
	for line := range strings.Lines(r.logged()) {
		if strings.Contains(line, "WARN") {
			warned++
		}
	}
	for _, flag := range []string{"--fast-list", "--progress", "--stats-one-line", "--retries", "--metadata", "--metrics-pass", "--vfs-read-wait", "--links", "--syslog"} {
		if why := without[flag]; why == "" || strings.Count(r.logged(), flag+" has no effect: "+why) != 1 {
			t.Errorf("%s is not told once", flag)
		}
	}
	if warned != 10 || !strings.Contains(r.logged(), `option "discard" (--memory-discard) has no effect`) || strings.Contains(r.logged(), "sesame") {
		t.Errorf("%d warnings:\n%s", warned, r.logged())
	}
}

// What guards a server is not left out silently.
func TestFlagsThatGuardAreRefused(t *testing.T) {
	for _, row := range groupOf(t, "Not there") {
		status, _, stderr := runNow(t, nil, "serve", "ftp", ".", "--"+row.Name, "x")
		if status != exitUsage || !strings.Contains(stderr, row.Name) || !strings.Contains(stderr, row.Usage) {
			t.Errorf("--%s: status %d: %s", row.Name, status, stderr)
		}
	}
}

func TestHelpOnRclonesFlags(t *testing.T) {
	_, help, _ := runNow(t, nil, "help", "rclone")
	for _, row := range slices.Concat(groupOf(t, "Accepted"), groupOf(t, "Not there")) {
		if !strings.Contains(help, "--"+strings.Split(row.Name, "/")[0]) || !strings.Contains(help, row.Usage) {
			t.Errorf("--%s is missing", row.Name)
		}
	}
}
