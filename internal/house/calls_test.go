package house_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// calls are the files of a package with the files that they call: those that declare a function or
// a method that they name. Types, fields and constants do not count, nor do calls through an
// interface: these lead a reader nowhere.
type calls map[string]map[string]call

// A call is a function that names another.
type call struct{ from, to string }

// TestCallsPointDown wants the files of a package to have an order in which every call leads from
// a file to one below it, so that a reader who follows a command never has to go back up.
func TestCallsPointDown(t *testing.T) {
	if testing.Short() {
		t.Skip("needs all packages compiled")
	}
	pkgs, exports := compiled(t)
	for _, p := range pkgs {
		sources := map[string]string{}
		for _, name := range p.GoFiles {
			text, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			sources[name] = string(text)
		}
		found, err := callsOf(p.ImportPath, sources, exports)
		if err != nil {
			t.Errorf("%s: %v", p.ImportPath, err)
			continue
		}
		for _, f := range checkCalls(found) {
			t.Errorf("%s: %s", relative(p.ImportPath), f)
		}
	}
}

// A built is a package as the compiler sees it on this system.
type built struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
}

// compiled returns the packages of this module, and where what the compiler says of each package
// is, theirs and those that they import.
func compiled(t *testing.T) (own []built, exports map[string]string) {
	t.Helper()
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	exports = map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p built
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return own, exports
		}
		if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
		if p.ImportPath != relative(p.ImportPath) {
			own = append(own, p)
		}
	}
}

// callsOf finds the calls between the files of one package.
func callsOf(path string, sources, exports map[string]string) (calls, error) {
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		f, err := parser.ParseFile(fset, name, sources[name], parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	open := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	conf := types.Config{Importer: importer.ForCompiler(fset, "gc", open)}
	self, err := conf.Check(path, fset, files, info)
	if err != nil {
		return nil, err
	}
	found := calls{}
	for _, f := range files {
		name := fset.Position(f.Pos()).Filename
		found[name] = map[string]call{}
		for _, d := range f.Decls {
			ast.Inspect(d, func(n ast.Node) bool {
				id, ok := n.(*ast.Ident)
				if !ok {
					return true
				}
				fn, ok := info.Uses[id].(*types.Func)
				if !ok || fn.Pkg() != self || isAbstract(fn) {
					return true
				}
				if to := fset.Position(fn.Origin().Pos()).Filename; to != name {
					found[name][to] = call{declared(d), fn.Name()}
				}
				return true
			})
		}
	}
	return found, nil
}

// isAbstract reports whether fn is a method of an interface.
func isAbstract(fn *types.Func) bool {
	recv := fn.Signature().Recv()
	return recv != nil && types.IsInterface(recv.Type())
}

func declared(d ast.Decl) string {
	if fn, ok := d.(*ast.FuncDecl); ok {
		return fn.Name.Name
	}
	return "a declaration"
}

// checkCalls takes away, again and again, the files that call none that is left. What stays goes
// round in circles; one of them is told.
func checkCalls(c calls) []string {
	left := maps.Clone(c)
	for done := false; !done; {
		done = true
		for file := range left {
			if next(left, file) == "" {
				delete(left, file)
				done = false
			}
		}
	}
	if len(left) == 0 {
		return nil
	}
	// Each file that is left calls another one, so that this way comes back to a file that it
	// has been to.
	at := slices.Min(slices.Collect(maps.Keys(left)))
	var way []string
	for !slices.Contains(way, at) {
		way = append(way, at)
		at = next(left, at)
	}
	way = append(way[slices.Index(way, at):], at)
	var steps []string
	for i, file := range way[:len(way)-1] {
		step := c[file][way[i+1]]
		steps = append(steps, fmt.Sprintf("%s (%s calls %s)", file, step.from, step.to))
	}
	return []string{"calls go round: " + strings.Join(append(steps, at), " -> ")}
}

// next returns the first file of left that file calls, "" if there is none.
func next(left calls, file string) string {
	for _, to := range slices.Sorted(maps.Keys(left[file])) {
		if _, ok := left[to]; ok {
			return to
		}
	}
	return ""
}

func TestCheckCalls(t *testing.T) {
	found := func(sources map[string]string) []string {
		t.Helper()
		c, err := callsOf("p", sources, nil)
		if err != nil {
			t.Fatal(err)
		}
		return checkCalls(c)
	}
	expect(t, found(map[string]string{
		"a.go": "package p; func A() { b(); T{}.m() }",
		"b.go": "package p; func b() {}; type T struct{}; var _ I = T{}",
		"c.go": "package p; func (T) m() { b() }; type I interface{ m() }",
		"d.go": "package p; func d(i I, t T) { i.m(); _ = A }",
	}), "")
	expect(t, found(map[string]string{
		"a.go": "package p; func A() { b() }",
		"b.go": "package p; func b() { c() }",
		"c.go": "package p; func c() { D() }; func e() {}",
		"d.go": "package p; func D() { b() }",
	}), "calls go round: b.go (b calls c) -> c.go (c calls D) -> d.go (D calls b) -> b.go")
	expect(t, found(map[string]string{
		"a.go": "package p; type G[T any] struct{}; func (G[T]) m() { n() }",
		"b.go": "package p; func n() { G[int]{}.m() }",
	}), "a.go (m calls n) -> b.go (n calls m) -> a.go")
	expect(t, found(map[string]string{
		"a.go": "package p; var rows = []func(){ x }; func y() {}",
		"b.go": "package p; func x() { y() }",
	}), "a.go (a declaration calls x)")
}
