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

// A layer says what the packages that match pattern may import.
type layer struct {
	pattern string   // relative to the module; "x/*" is every package below x, "*" alone is one path element
	ferry   []string // patterns of ferry packages
	outside []string // prefixes of packages that are neither ferry nor the standard library
	tests   []string // ferry packages that its external tests may import besides
}

// driverUses is what every driver may import: the contract, how names are written where they are
// kept, and how servers are reached.
var driverUses = []string{"remote", "remote/nameenc", "remote/partname", "remote/network"}

// layers are the arrows of the house, all downwards; the first pattern that matches counts. A
// package that no pattern matches is a finding: a new package takes its place here first.
var layers = []layer{
	{pattern: "."},
	{pattern: "internal/house"},
	// The command line: text in, plain values out; what is made of them is for those above.
	{pattern: "cmd/ferry/internal/flags", ferry: []string{"config", "remote/all", "remote/network"}, outside: []string{"github.com/spf13/"}},
	{pattern: "cmd/ferry/internal/logging", ferry: []string{"cmd/ferry/internal/flags"}},
	{pattern: "cmd/ferry/internal/places", ferry: []string{"cmd/ferry/internal/logging", "cache", "config", "disk", "remote"}},
	{pattern: "cmd/ferry/internal/listen"},
	{pattern: "cmd/ferry/internal/configcmd", ferry: []string{"cmd/ferry/internal/flags", "config", "remote/all"}, outside: []string{"github.com/spf13/", "golang.org/x/term"}},
	{pattern: "cmd/ferry/internal/rcbridge", ferry: []string{
		"cmd/ferry/internal/flags", "cmd/ferry/internal/listen", "cmd/ferry/internal/logging", "cmd/ferry/internal/places",
		"auth", "cache", "config", "ftp", "rc", "remote/count", "vfs",
	}},
	{pattern: "cmd/*", ferry: []string{"*"}, outside: []string{"github.com/spf13/", "golang.org/x/term"}},
	// It looks at a bucket as another program does.
	{pattern: "test", outside: []string{"github.com/rogpeppe/go-internal/", "github.com/minio/minio-go/v7"}},
	{pattern: "bench/*"},
	{pattern: "bench", ferry: []string{"bench/link"}},
	{pattern: "serve", ferry: []string{"ftp", "auth", "vfs"}},
	{pattern: "ftp", tests: []string{"auth", "cache", "serve", "vfs"}}, // dialogues run on real trees
	{pattern: "auth", outside: []string{"golang.org/x/crypto/bcrypt"}},
	{pattern: "vfs", ferry: []string{"breaker", "cache", "dircache", "readahead", "remote"}},
	{pattern: "dircache", ferry: []string{"breaker", "remote"}},
	{pattern: "breaker", ferry: []string{"remote"}},
	{pattern: "readahead", ferry: []string{"cache", "remote"}},
	{pattern: "cache", ferry: []string{"disk"}},
	{pattern: "disk/*", ferry: []string{"disk"}},
	{pattern: "disk", outside: []string{"golang.org/x/sys/"}},
	{pattern: "rc"},
	// The encrypted configuration file of rclone is a secretbox under a normalised password.
	{pattern: "config", outside: []string{"golang.org/x/crypto/nacl/secretbox", "golang.org/x/text/unicode/norm"}},
	{pattern: "remote"},
	// Servers that come as libraries.
	{pattern: "remote/remotetest/sshserver", outside: []string{"golang.org/x/crypto/ssh"}},
	{pattern: "remote/remotetest/gcsserver", ferry: []string{"remote/remotetest"}},
	{pattern: "remote/remotetest/objectstest", ferry: []string{"remote/objects"}},
	{pattern: "remote/all", ferry: []string{"config", "remote", "remote/*"}},
	// It keeps what it is told on the local disk, and reads as the tree does.
	{pattern: "remote/cached", ferry: []string{"remote", "cache", "disk", "readahead"}},
	{pattern: "remote/nameenc"},
	{pattern: "remote/network", ferry: []string{"remote"}, outside: []string{"golang.org/x/net/proxy"}},
	{pattern: "remote/partname", ferry: []string{"remote"}},
	{pattern: "remote/sftp", ferry: driverUses, outside: []string{"github.com/pkg/sftp", "golang.org/x/crypto/ssh"}},
	// Its external tests talk to a real engine.
	{pattern: "remote/ftpclient", ferry: driverUses, outside: []string{"github.com/jlaffaye/ftp"}, tests: []string{"ftp", "serve", "auth", "vfs"}},
	// Which names look alike is for Unicode to say.
	{pattern: "remote/filter", ferry: driverUses, outside: []string{"golang.org/x/text/unicode/norm"}},
	{pattern: "remote/normdup", ferry: []string{"remote"}, outside: []string{"golang.org/x/text/unicode/norm"}},
	// What the drivers of flat object stores have in common.
	{pattern: "remote/objects", ferry: driverUses},
	{pattern: "remote/gcs", ferry: append(slices.Clip(driverUses), "remote/objects"), outside: []string{
		"golang.org/x/oauth2",
	}},
	{pattern: "remote/azureblob/entra", outside: []string{"golang.org/x/oauth2", "golang.org/x/crypto/pkcs12"}},
	{pattern: "remote/azureblob", ferry: append(slices.Clip(driverUses), "remote/objects", "remote/azureblob/entra"), outside: []string{
		"github.com/Azure/azure-sdk-for-go/sdk/",
	}},
	{pattern: "remote/s3", ferry: append(slices.Clip(driverUses), "remote/objects"), outside: []string{"github.com/minio/minio-go/v7", "github.com/johannesboyne/gofakes3"}},
	// Their own tests serve directories by this handler.
	{pattern: "remote/webdav", ferry: append(slices.Clip(driverUses), "remote/httpclient"), outside: []string{"golang.org/x/net/webdav"}},
	{pattern: "remote/http", ferry: append(slices.Clip(driverUses), "remote/httpclient"), outside: []string{"golang.org/x/net/html"}},
	{pattern: "remote/httpclient", ferry: driverUses},
	{pattern: "remote/*", ferry: driverUses, outside: []string{"golang.org/x/sys/"}},
}

// doubles are what any test may put in the place of a real remote, or around one.
var doubles = []string{"remote", "remote/memory", "remote/faulty", "remote/retry", "remote/remotetest", "remote/remotetest/*", "remote/local", "disk/disktest"}

// A pkg is the part of the answer of go list that the rules look at.
type pkg struct {
	ImportPath   string
	Name         string
	Dir          string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func TestImportsPointDown(t *testing.T) {
	report(t, checkImports(listPackages(t)))
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

// checkImports compares every import with layers.
func checkImports(pkgs []pkg) []string {
	var findings []string
	for _, p := range pkgs {
		self := relative(p.ImportPath)
		l, ok := layerOf(self)
		if !ok {
			findings = append(findings, fmt.Sprintf("%s has no place in layers (internal/house/house_test.go)", self))
			continue
		}
		for _, imp := range p.Imports {
			if !mayImport(l, self, imp) {
				findings = append(findings, fmt.Sprintf("%s may not import %s", self, imp))
			}
		}
		for _, imp := range slices.Concat(p.TestImports, p.XTestImports) {
			external := slices.Contains(p.XTestImports, imp) && slices.Contains(l.tests, relative(imp))
			if !mayImport(l, self, imp) && !mayTestImport(l, self, imp) && !external {
				findings = append(findings, fmt.Sprintf("tests of %s may not import %s", self, imp))
			}
		}
	}
	return findings
}

func layerOf(rel string) (layer, bool) {
	for _, l := range layers {
		if matches(l.pattern, rel) {
			return l, true
		}
	}
	return layer{}, false
}

func mayImport(l layer, self, imp string) bool {
	rel, ours := strings.CutPrefix(imp, module+"/")
	if !ours {
		standard := !strings.Contains(strings.SplitN(imp, "/", 2)[0], ".")
		return standard || slices.ContainsFunc(l.outside, func(prefix string) bool { return strings.HasPrefix(imp, prefix) })
	}
	below := strings.HasPrefix(self, rel+"/") && len(l.ferry) > 0 // a driver's own subpackage sees the driver
	return below || slices.ContainsFunc(l.ferry, func(pattern string) bool { return matches(pattern, rel) })
}

// mayTestImport allows in tests besides: the package itself, the doubles, what the layers below may
// import, and testscript where a command is tested.
func mayTestImport(l layer, self, imp string) bool {
	rel, ours := strings.CutPrefix(imp, module+"/")
	if !ours {
		return false
	}
	if rel == self || slices.ContainsFunc(doubles, func(pattern string) bool { return matches(pattern, rel) }) {
		return true
	}
	for _, pattern := range l.ferry {
		if lower, ok := layerOf(pattern); ok && pattern != "*" && mayImport(lower, pattern, imp) {
			return true
		}
	}
	return false
}

// matches reports whether rel is what pattern says.
func matches(pattern, rel string) bool {
	if pattern == "*" {
		return true
	}
	if dir, ok := strings.CutSuffix(pattern, "/*"); ok {
		return strings.HasPrefix(rel, dir+"/")
	}
	return pattern == rel
}

func relative(importPath string) string {
	if importPath == module {
		return "."
	}
	return strings.TrimPrefix(importPath, module+"/")
}

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
