package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// A listed package is what go list says of one. With tests it is another one, with its own name.
type listed struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	ImportMap  map[string]string
	DepOnly    bool // it is only imported
}

// list returns the packages of a module, with their tests, and all that they import. Each comes
// after what it imports.
func list(dir, system string) ([]listed, error) {
	goos, goarch, _ := strings.Cut(system, "/")
	cmd := exec.Command("go", "list", "-deps", "-test", "-json=ImportPath,Dir,GoFiles,ImportMap,DepOnly", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, said.String())
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
}

// sources are read once each, as most are the same on every system.
type sources struct {
	fset *token.FileSet
	mu   sync.Mutex
	read map[string]func() (*ast.File, error) // guarded by mu
}

func newSources() *sources {
	return &sources{fset: token.NewFileSet(), read: map[string]func() (*ast.File, error){}}
}

// files returns those of a package.
func (s *sources) files(p listed) ([]*ast.File, error) {
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := s.file(filepath.Join(p.Dir, name))
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

func (s *sources) file(name string) (*ast.File, error) {
	s.mu.Lock()
	read, ok := s.read[name]
	if !ok {
		read = sync.OnceValues(func() (*ast.File, error) {
			return parser.ParseFile(s.fset, name, nil, parser.SkipObjectResolution)
		})
		s.read[name] = read
	}
	s.mu.Unlock()
	return read()
}

// check checks the types of the module in dir for a system, as GOOS/GOARCH. It returns what is
// wrong.
func check(read *sources, dir, system string) (wrong []error) {
	all, err := list(dir, system)
	if err != nil {
		return []error{err}
	}
	_, arch, _ := strings.Cut(system, "/")
	done := map[string]*types.Package{}
	for _, p := range all {
		if p.ImportPath == "unsafe" || strings.HasSuffix(p.ImportPath, ".test") { // of the compiler, and of go test
			continue
		}
		files, err := read.files(p)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		conf := types.Config{
			IgnoreFuncBodies: p.DepOnly,
			Importer:         importer{done, p.ImportMap},
			Sizes:            types.SizesFor("gc", arch),
			Error:            func(err error) { wrong = append(wrong, err) },
		}
		path, _, _ := strings.Cut(p.ImportPath, " ")
		done[p.ImportPath], _ = conf.Check(path, read.fset, files, nil) // Error has it
	}
	return wrong
}

// An importer finds what a package imports among those that were checked before.
type importer struct {
	done map[string]*types.Package
	as   map[string]string // the package that an import means, where that is not the one so called
}

func (i importer) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if as, ok := i.as[path]; ok {
		path = as
	}
	if p := i.done[path]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("go list has not told of %s", path)
}
