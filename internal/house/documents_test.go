package house_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
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
