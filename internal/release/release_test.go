package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestReleaseNotes(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"b.md": "# Fixed: a thing\n\nIt broke.\n\nIt works.\nIn two lines.\n",
		"a.md": "# Added: another\n\nIt was missing.\n\nIt is there.\n",
		"c.md": "# Fixed: more\n\nWas.\n\nIs.\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	notes, err := releaseNotes(dir, "1.2")
	want := "# ferry 1.2\n\n## Added\n\n- **another**: It is there.\n\n## Fixed\n\n- **a thing**: It works.\n  In two lines.\n- **more**: Is.\n"
	if err != nil || notes != want {
		t.Errorf("%v: notes\n%s\nwant\n%s", err, notes, want)
	}
	if err := os.WriteFile(filepath.Join(dir, "d.md"), []byte("Fixed something\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := releaseNotes(dir, ""); err == nil || !strings.Contains(err.Error(), "d.md") {
		t.Errorf("an entry without a form: %v", err)
	}
}

// The changelog of this tree can be made into notes, and nothing of it is lost.
func TestNotesOfThisTree(t *testing.T) {
	notes, err := releaseNotes("../../changelog/unreleased", "")
	if err != nil {
		t.Fatal(err)
	}
	entries, _ := filepath.Glob("../../changelog/unreleased/*.md")
	if n := strings.Count(notes, "\n- **"); n != len(entries) || n == 0 {
		t.Errorf("%d notes of %d entries", n, len(entries))
	}
}

func TestTargets(t *testing.T) {
	all, err := parseTargets(allTargets)
	if err != nil {
		t.Fatal(err)
	}
	var names, packaged []string
	for _, one := range all {
		names = append(names, one.name())
		if p := one.packaged(); p != "" {
			packaged = append(packaged, p)
		}
	}
	if want := strings.ReplaceAll(allTargets, "/", "-"); strings.Join(names, ",") != strings.ReplaceAll(want, "armv7", "armv7") {
		t.Errorf("names %v", names)
	}
	if want := []string{"amd64", "arm64", "arm7"}; !slices.Equal(packaged, want) {
		t.Errorf("packages for %v", packaged)
	}
	if env := all[2].env(); !slices.Contains(env, "GOARM=7") || !slices.Contains(env, "GOARCH=arm") {
		t.Errorf("armv7 is built with %v", env)
	}
	if _, err := parseTargets("linux"); err == nil {
		t.Error("a system without an architecture is taken")
	}
}

// An archive depends on nothing but names, contents and the time it is told.
func TestArchivesAreTheSame(t *testing.T) {
	dir := t.TempDir()
	from := filepath.Join(dir, "program")
	when := time.Unix(1_800_000_000, 0)
	for _, name := range []string{"a.tar.gz", "a.zip"} {
		var made [][]byte
		for i := range 2 {
			if err := os.WriteFile(from, []byte("content"), 0o600|os.FileMode(i)); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(from, time.Now(), time.Unix(int64(i), 0)); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, name)
			if err := archive(path, when, []file{{"ferry/program", from, 0o755}}); err != nil {
				t.Fatal(err)
			}
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			made = append(made, content)
		}
		if !bytes.Equal(made[0], made[1]) {
			t.Errorf("two %s of the same files differ", name)
		}
	}
}

// A bill of materials names the modules of a binary, as this test's.
func TestBillOfMaterials(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bom.json")
	if err := writeBOM(path, self, "1.2", time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var b bom
	if err := json.Unmarshal(text, &b); err != nil {
		t.Fatal(err)
	}
	if b.Format != "CycloneDX" || b.Metadata.Component.Version != "1.2" || len(b.Parts) == 0 || b.Parts[0].Name != "go" {
		t.Errorf("bill of materials\n%s", text)
	}
}

// Packages of one commit are equal, whoever makes them, and wherever: byte for byte.
func TestTwoPackagesAreEqual(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it builds the program without the cache of the tests")
	}
	var sums []string
	for _, umask := range []string{"022", "077"} {
		src := filepath.Join(t.TempDir(), "src"+umask)
		clone(t, src)
		cmd := exec.Command("sh", "-c", "umask "+umask+" && exec go run ./internal/release package -targets linux/amd64")
		cmd.Dir = src
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("make package: %v\n%s", err, out)
		}
		sum, err := os.ReadFile(filepath.Join(src, "dist", "SHA256SUMS"))
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, string(sum))
		if umask == "077" {
			t.Run("installed", func(t *testing.T) { installs(t, filepath.Join(src, "dist")) })
		}
	}
	if sums[0] != sums[1] || strings.Count(sums[0], "\n") != 4 {
		t.Errorf("two builds of one commit:\n%s\n%s", sums[0], sums[1])
	}
}

// clone clones the commit of this tree.
func clone(t *testing.T, to string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is missing")
	}
	top, err := exec.Command("git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		t.Skip("this tree is no clone of a repository, which a package is made of")
	}
	if out, err := exec.Command("git", "clone", "-q", strings.TrimSpace(string(top)), to).CombinedOutput(); err != nil {
		t.Fatalf("git clone: %v\n%s", err, out)
	}
}
