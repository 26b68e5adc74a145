package house_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestChangelogEntriesHaveTheForm(t *testing.T) {
	files, err := filepath.Glob("changelog/unreleased/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("no changelog entries: %v", err)
	}
	for _, name := range append(files, "changelog/TEMPLATE.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		report(t, checkChangelog(name, string(text)))
	}
}

// TestDecisionsAreNumbered checks that the records of decisions are numbered without gaps, each
// once, and that each begins with its number.
func TestDecisionsAreNumbered(t *testing.T) {
	files, err := filepath.Glob("doc/decisions/0*.md")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d records: %v", len(files), err)
	}
	for i, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%04d-", i+1); !strings.HasPrefix(filepath.Base(name), want) {
			t.Fatalf("%s: the next record is %s", name, want)
		}
		if !strings.HasPrefix(string(text), fmt.Sprintf("# %d. ", i+1)) {
			t.Errorf("%s does not begin with its number", name)
		}
	}
}

func TestLinksInDocumentsLeadSomewhere(t *testing.T) {
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".md" {
			return err
		}
		text, err := os.ReadFile(name)
		report(t, checkLinks(name, string(text), func(target string) bool {
			_, err := os.Stat(target)
			return err == nil
		}))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTheDesignLeadsThroughTheSources checks that the files exist which doc/design.md names, and
// that a STOR meets no more than a reader can hold.
func TestTheDesignLeadsThroughTheSources(t *testing.T) {
	text, err := os.ReadFile("doc/design.md")
	if err != nil {
		t.Fatal(err)
	}
	report(t, checkSourcesNamed(string(text), func(name string) bool {
		_, err := os.Stat(name)
		return err == nil
	}))
	stor := sourcesNamed(section(string(text), "### Follow a STOR"))
	if len(stor) < 10 || len(stor) > 25 {
		t.Errorf("a STOR leads through %d files, want 10 to 25", len(stor))
	}
}

var (
	changelogTitle = regexp.MustCompile(`^# (Added|Changed|Fixed|Removed|Security): [^ ].{8,100}[^ .]$`)
	changelogName  = regexp.MustCompile(`^([a-z0-9]+(-[a-z0-9]+)*|TEMPLATE)\.md$`)
)

// checkChangelog compares an entry with the form that changelog/README.md describes.
func checkChangelog(name, text string) []string {
	var findings []string
	wrong := func(what string) { findings = append(findings, name+": "+what) }
	if !changelogName.MatchString(filepath.Base(name)) {
		wrong("the file name is not lower-case words joined by hyphens")
	}
	if !strings.HasSuffix(text, "\n") || strings.HasSuffix(text, "\n\n") {
		wrong("does not end with exactly one line feed")
	}
	parts := strings.Split(strings.TrimSuffix(text, "\n"), "\n\n")
	if !changelogTitle.MatchString(parts[0]) {
		wrong("the first line is not \"# Kind: what changed\", followed by an empty line")
	}
	if len(parts) != 3 {
		wrong(fmt.Sprintf("%d paragraphs below the title, not two: what was, what is", len(parts)-1))
	}
	for _, part := range parts {
		if strings.TrimSpace(part) == "" {
			wrong("an empty paragraph")
		}
	}
	return findings
}

var source = regexp.MustCompile(`[a-z0-9]+(/[a-z0-9_]+)+\.go\b`)

// sourcesNamed returns the paths of sources in text, each once.
func sourcesNamed(text string) []string {
	names := source.FindAllString(text, -1)
	slices.Sort(names)
	return slices.Compact(names)
}

// checkSourcesNamed finds paths of sources that do not exist.
func checkSourcesNamed(text string, exists func(string) bool) []string {
	var findings []string
	for _, name := range sourcesNamed(text) {
		if !exists(name) {
			findings = append(findings, fmt.Sprintf("there is no %s", name))
		}
	}
	return findings
}

// section returns what stands in text below a heading, up to the next one.
func section(text, heading string) string {
	_, rest, _ := strings.Cut(text, heading+"\n")
	body, _, _ := strings.Cut(rest, "\n#")
	return body
}

// link is [text](target), the target without what stands behind # and without addresses elsewhere.
var link = regexp.MustCompile(`\]\(([^)#: ]+)(#[^)]*)?\)`)

// checkLinks finds links to files that do not exist.
func checkLinks(name, text string, exists func(string) bool) []string {
	var findings []string
	for _, m := range link.FindAllStringSubmatch(text, -1) {
		if !exists(filepath.Join(filepath.Dir(name), m[1])) {
			findings = append(findings, fmt.Sprintf("%s: the link to %s leads nowhere", name, m[1]))
		}
	}
	return findings
}
