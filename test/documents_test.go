package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A flag that README or a page of doc/ names in backquotes is one of ferry, or of rclone and said
// to mean nothing here.
func TestDocumentsNameFlagsThatAreThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if out, err := exec.Command(ferryBinary, "manual", "man", dir).CombinedOutput(); err != nil {
		t.Fatalf("ferry manual: %v\n%s", err, out)
	}
	manual, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(manual) < 20 {
		t.Fatalf("pages %v, %v", manual, err)
	}
	flag := regexp.MustCompile(`--[a-z][a-z0-9]*(-[a-z0-9]+)*`)
	known := map[string]bool{}
	for _, page := range manual {
		for _, name := range flag.FindAllString(strings.ReplaceAll(read(t, page), `\-`, "-"), -1) {
			known[name] = true
		}
	}
	var documents []string
	for _, pattern := range []string{"../README.md", "../doc/*.md", "../doc/manual/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v, %v", pattern, found, err)
		}
		documents = append(documents, found...)
	}
	quoted := regexp.MustCompile("`--[^`\n]*`")
	for _, document := range documents {
		for _, words := range quoted.FindAllString(read(t, document), -1) {
			for _, name := range flag.FindAllString(words, -1) {
				if !known[name] {
					t.Errorf("%s: there is no flag %s", document, name)
				}
			}
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
