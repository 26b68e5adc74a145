package manual

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
)

// tree is a small program with everything that pages have.
func tree() *cobra.Command {
	root := &cobra.Command{Use: "ferry", Short: "Serve", Args: flags.NoArgs, RunE: func(*cobra.Command, []string) error { return nil }}
	flags.Add(root.PersistentFlags(), flags.Logging(&flags.Options{}))
	serve := &cobra.Command{
		Use: "serve remote:path", Short: "Serve it", Long: "First.\n\n.dots and 'quotes' \\ begin lines.\n\n  kept\n  as it is",
		Example: "  ferry serve .", RunE: root.RunE,
	}
	flags.Add(serve.Flags(), flags.Serve(&flags.Options{})...)
	root.AddCommand(serve, &cobra.Command{Use: "secret", Hidden: true, RunE: root.RunE})
	root.AddCommand(flags.Topics()...)
	return root
}

// Each command has a page, and groff finds nothing wrong with it.
func TestPages(t *testing.T) {
	dir := t.TempDir()
	if err := WritePages(tree(), dir, Edition{Version: "1.2", Date: time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)}); err != nil {
		t.Fatal(err)
	}
	all, _ := filepath.Glob(filepath.Join(dir, "*"))
	var names []string
	for _, p := range all {
		names = append(names, filepath.Base(p))
	}
	if got, want := strings.Join(names, " "), "ferry-backends.7 ferry-rclone.7 ferry-serve.1 ferry.1"; got != want {
		t.Errorf("pages %s, not %s", got, want)
	}
	page, err := os.ReadFile(filepath.Join(dir, "ferry-serve.1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`.TH FERRY\-SERVE 1 "2026-11-30" "ferry 1.2"`, "\n\\&.dots and 'quotes' \\e begin lines.\n", ".nf\n  kept\n  as it is\n.fi",
		".SS Server\n", "\\fB\\-\\-addr\\fR \\fIhost:port\\fR\n", "(default localhost:2121)", "\\fB\\-v\\fR, \\fB\\-\\-verbose\\fR", "\\fBferry\\fR(1)",
	} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("the page of serve lacks %q", want)
		}
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("groff is missing")
	}
	for _, p := range all {
		if out, err := exec.Command(groff, "-man", "-ww", "-z", "-Kutf8", p).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", filepath.Base(p), err, out)
		}
	}
}

// The reference has every flag that is shown, once, and none that is hidden.
func TestReference(t *testing.T) {
	var rows strings.Builder
	for line := range strings.SplitSeq(Reference(tree()), "\n") {
		if strings.HasPrefix(line, "| `-") {
			rows.WriteString(strings.ReplaceAll(line, " string`", "`") + "\n")
		}
	}
	for _, g := range append(flags.Serve(&flags.Options{}), flags.Logging(&flags.Options{})) {
		want := 1
		if g.Title == "Accepted" || g.Title == "Not there" {
			want = 0
		}
		for _, row := range g.Flags {
			name, _, _ := strings.Cut(row.Name, "/")
			if n := strings.Count(rows.String(), "`--"+name+"`") + strings.Count(rows.String(), "`--"+name+" "); n != want {
				t.Errorf("--%s of %s is there %d times, not %d", name, g.Title, n, want)
			}
		}
	}
}
