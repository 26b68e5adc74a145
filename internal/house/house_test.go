// Package house_test checks the rules of this house that a compiler does not: which package may
// import which, one package comment each, no mutable package-level state, files, functions and
// interfaces of a readable size, a comment on each exported name, changelog entries of one form,
// and links in documents that lead somewhere. A rule is a function from what it looks at to
// findings, so that each is also shown to find something.
package house_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "ferry"

// maxLines is where a file has surely become two ideas. The aim is 400.
const maxLines = 500

// TestMain runs the tests in the root of the house.
func TestMain(m *testing.M) {
	if err := os.Chdir("../.."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	m.Run()
}

// A pkg is the part of the answer of go list that the rules look at.
type pkg struct {
	ImportPath   string
	Name         string
	Dir          string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func TestPackageNamesSayWhatIsInThem(t *testing.T) {
	report(t, checkNames(listPackages(t)))
}

func TestSourcesKeepTheRules(t *testing.T) {
	for _, p := range listPackages(t) {
		report(t, checkSources(readSources(t, p.Dir)))
	}
}

func report(t *testing.T, findings []string) {
	t.Helper()
	for _, f := range findings {
		t.Error(f)
	}
}

// listPackages returns every package of the module.
func listPackages(t *testing.T) []pkg {
	t.Helper()
	pkgs, err := listed()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return pkgs
}

// listed asks go list once.
var listed = sync.OnceValues(func() ([]pkg, error) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Name,Dir,Imports,TestImports,XTestImports", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var pkgs []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return pkgs, nil
		}
		if err != nil {
			return nil, err
		}
		pkgs = append(pkgs, p)
	}
})

// checkNames refuses packages that are named after nothing.
func checkNames(pkgs []pkg) []string {
	empty := []string{"util", "utils", "common", "helper", "helpers", "misc", "shared", "lib", "base", "core"}
	var findings []string
	for _, p := range pkgs {
		elements := append(strings.Split(relative(p.ImportPath), "/"), p.Name)
		for _, e := range elements {
			if slices.Contains(empty, e) {
				findings = append(findings, fmt.Sprintf("%s: %q says nothing about what is in it", p.ImportPath, e))
				break
			}
		}
	}
	return findings
}
