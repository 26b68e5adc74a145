package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The kinds of changes, in the order of the notes.
var kinds = []string{"Security", "Added", "Changed", "Fixed", "Removed"}

// releaseNotes returns the entries of a directory of the changelog as one document. Of each entry
// it has the title, and what happens now.
func releaseNotes(dir, version string) (string, error) {
	entries, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		return "", err
	}
	byKind := map[string][]string{}
	for _, path := range entries {
		kind, note, err := readEntry(path)
		if err != nil {
			return "", err
		}
		byKind[kind] = append(byKind[kind], note)
	}
	var b strings.Builder
	title := "Changes"
	if version != "" {
		title = "ferry " + version
	}
	fmt.Fprintf(&b, "# %s\n", title)
	for _, kind := range kinds {
		if notes := byKind[kind]; len(notes) > 0 {
			fmt.Fprintf(&b, "\n## %s\n\n%s", kind, strings.Join(notes, ""))
		}
	}
	return b.String(), nil
}

// readEntry returns the kind of an entry, and an item of a list that says what it says.
func readEntry(path string) (kind, note string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", "", err
	}
	head, body, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	kind, title, ok := strings.Cut(strings.TrimPrefix(head, "# "), ": ")
	paragraphs := strings.Split(strings.TrimSpace(body), "\n\n")
	if !ok || len(paragraphs) < 2 {
		return "", "", fmt.Errorf("%s is not in the form of changelog/TEMPLATE.md", path)
	}
	now := strings.Join(paragraphs[1:], "\n\n")
	return kind, fmt.Sprintf("- **%s**: %s\n", title, strings.ReplaceAll(now, "\n", "\n  ")), nil
}
