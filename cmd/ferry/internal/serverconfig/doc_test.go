package serverconfig

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ferry/cmd/ferry/internal/flags"
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sections are the names of all sections.
func sections() []string {
	var names []string
	for _, g := range flags.All(&flags.Options{}) {
		if !g.IsHidden() {
			names = append(names, g.Section())
		}
	}
	return names
}

// The example is one, as it is and with all that is commented out, and has every section.
func TestTheExampleIsRight(t *testing.T) {
	text := read(t, "../../../../contrib/ferry.toml")
	f, err := Parse("ferry.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if f.Users == nil || f.Remote == "" || len(f.Said) < 10 {
		t.Errorf("the example says little: %+v", f)
	}
	all := regexp.MustCompile(`(?m)^#(\S)`).ReplaceAllString(text, "$1")
	all = strings.ReplaceAll(all, "users = \"users.toml\"\n", "") // they are in tables
	if _, err := Parse("ferry.toml", []byte(all)); err != nil {
		t.Errorf("with all that is commented out: %v", err)
	}
	for _, name := range sections() {
		if !strings.Contains(text, "\n["+name+"]\n") {
			t.Errorf("the section [%s] is missing", name)
		}
	}
}

// The examples of the document are right, and it has each flag that can change while the server
// runs, with when.
func TestTheDocumentIsTrue(t *testing.T) {
	text := read(t, "../../../../doc/configuration.md")
	for _, example := range strings.Split(text, "```toml\n")[1:] {
		example, _, _ = strings.Cut(example, "```")
		if _, err := Parse("doc/configuration.md", []byte(example)); err != nil {
			t.Errorf("%s\n%v", example, err)
		}
	}
	said := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`.*`) \\| (.*) \\|$").FindAllStringSubmatch(text, -1) {
		for _, name := range strings.Split(row[1], ", ") {
			said[strings.Trim(name, "`")] = row[2]
		}
	}
	for _, g := range flags.All(&flags.Options{}) {
		for _, row := range g.Flags {
			if name := row.Key(); said[name] != flags.LiveWhen(name) {
				t.Errorf("%s: the document says %q, the table %q", name, said[name], flags.LiveWhen(name))
			}
		}
	}
}

// Every flag whose help says that it is a file is one, so that its path is relative to that of the
// file; every flag of the table of what can change exists.
func TestFlagsThatNameFiles(t *testing.T) {
	var names []string
	for _, g := range flags.All(&flags.Options{}) {
		if g.IsHidden() {
			continue
		}
		for _, row := range g.Flags {
			names = append(names, row.Key())
			if regexp.MustCompile(`^(File|Directory) |(certificate|key) file`).MatchString(row.Usage) && !row.IsFile() {
				t.Errorf("--%s is a path by its help (%s), and a %s by its value", row.Key(), row.Usage, row.Value.Type())
			}
		}
	}
	for _, name := range flags.Live() {
		if !slices.Contains(names, name) {
			t.Errorf("there is no flag %s that could change", name)
		}
	}
}
