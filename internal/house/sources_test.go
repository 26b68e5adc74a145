package house_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// readSources returns the Go files of dir by name, those for other systems included.
func readSources(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]string{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		rel, err := filepath.Rel(mustGetwd(t), name)
		if err != nil {
			t.Fatal(err)
		}
		sources[filepath.ToSlash(rel)] = string(text)
	}
	return sources
}

func mustGetwd(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// checkSources applies the rules about files to one package.
func checkSources(sources map[string]string) []string {
	fset := token.NewFileSet()
	var (
		findings []string
		code     []*ast.File // without tests
		tests    []*ast.File
	)
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		f, err := parser.ParseFile(fset, name, sources[name], parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			findings = append(findings, err.Error())
			continue
		}
		findings = append(findings, checkInit(fset, f)...)
		if strings.HasSuffix(name, "_test.go") {
			tests = append(tests, f)
			continue
		}
		code = append(code, f)
		if n := strings.Count(sources[name], "\n"); n > maxLines {
			findings = append(findings, fmt.Sprintf("%s has %d lines, more than %d", name, n, maxLines))
		}
	}
	if len(code) == 0 {
		return append(findings, checkPackageDoc(fset, tests)...)
	}
	findings = append(findings, checkPackageDoc(fset, code)...)
	findings = append(findings, checkContexts(fset, code)...)
	return append(findings, checkState(fset, code)...)
}

func checkInit(fset *token.FileSet, f *ast.File) []string {
	var findings []string
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			findings = append(findings, fmt.Sprintf("%s: func init", fset.Position(fn.Pos())))
		}
	}
	return findings
}

// checkPackageDoc wants exactly one file to describe the package, in the form that go doc expects.
func checkPackageDoc(fset *token.FileSet, files []*ast.File) []string {
	var with []string
	for _, f := range files {
		if f.Doc == nil || f.Doc.Text() == "" {
			continue
		}
		with = append(with, fset.Position(f.Pos()).Filename)
		text := f.Doc.Text()
		if name := f.Name.Name; name != "main" && !strings.HasPrefix(text, "Package "+name+" ") {
			return []string{fmt.Sprintf("%s: the package comment does not begin with %q", with[0], "Package "+name)}
		}
	}
	if len(files) > 0 && len(with) != 1 {
		dir := filepath.Dir(fset.Position(files[0].Pos()).Filename)
		return []string{fmt.Sprintf("%s: %d files have a package comment, not one: %v", dir, len(with), with)}
	}
	return nil
}

// checkContexts refuses struct fields of type context.Context: a context belongs to a call. A
// struct that keeps a testing.T is the state of one test, and may keep the context of that test
// too.
func checkContexts(fset *token.FileSet, files []*ast.File) []string {
	var findings []string
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			s, ok := n.(*ast.StructType)
			if ok && hasField(s, "context.Context") && !hasField(s, "*testing.T") {
				findings = append(findings, fmt.Sprintf("%s: a struct keeps a context", fset.Position(s.Pos())))
			}
			return true
		})
	}
	return findings
}

func hasField(s *ast.StructType, typ string) bool {
	return slices.ContainsFunc(s.Fields.List, func(f *ast.Field) bool { return types.ExprString(f.Type) == typ })
}

// checkState finds package-level variables that change, or are made to. A table, an error, an
// assertion, embedded data and a sync.Pool are fine: they are declared with their value, and
// nothing assigns to them or their parts afterwards.
func checkState(fset *token.FileSet, files []*ast.File) []string {
	var findings []string
	found := func(n ast.Node, format string, args ...any) {
		findings = append(findings, fmt.Sprintf("%s: %s", fset.Position(n.Pos()), fmt.Sprintf(format, args...)))
	}
	for _, f := range files {
		for _, d := range f.Decls {
			if decl, ok := d.(*ast.GenDecl); ok && decl.Tok == token.VAR {
				for _, spec := range decl.Specs {
					if why := statefulVar(decl, spec.(*ast.ValueSpec)); why != "" {
						found(spec, "package-level state: %s", why)
					}
				}
			}
		}
	}
	for id := range assigned(fset, files) {
		found(id, "assigns to the package-level variable %s", id.Name)
	}
	slices.Sort(findings)
	return findings
}

// statefulVar says why a declaration can only mean a variable that changes, "" when it does not.
func statefulVar(decl *ast.GenDecl, spec *ast.ValueSpec) string {
	typ := ""
	if spec.Type != nil {
		typ = types.ExprString(spec.Type)
	}
	embedded := func(doc *ast.CommentGroup) bool {
		return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
	}
	if len(spec.Values) == 0 && typ != "sync.Pool" && !embedded(spec.Doc) && !embedded(decl.Doc) {
		return "declared without a value"
	}
	for _, v := range spec.Values {
		text := typ + " " + types.ExprString(v)
		if call, ok := v.(*ast.CallExpr); ok && types.ExprString(call.Fun) == "make" {
			return "made to be filled"
		}
		for _, changing := range []string{"sync.Mutex", "sync.RWMutex", "sync.Map", "sync.Once{", "sync.WaitGroup", "atomic."} {
			if strings.Contains(text, changing) {
				return strings.TrimSuffix(changing, "{") + " in it"
			}
		}
	}
	return ""
}

// assigned yields the package-level variables at the root of the left side of an assignment, and
// those handed to delete or clear. Types of other packages are not needed for that, so imports are
// not resolved.
func assigned(fset *token.FileSet, files []*ast.File) map[*ast.Ident]bool {
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Error: func(error) {}, Importer: noImports{}}
	pkg, _ := conf.Check("checked", fset, files, info) // errors are expected: without imports little is known
	found := map[*ast.Ident]bool{}
	target := func(e ast.Expr) {
		if id := rootIdent(e); id != nil {
			if v, ok := info.Uses[id].(*types.Var); ok && v.Parent() == pkg.Scope() {
				found[id] = true
			}
		}
	}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				if n.Tok != token.DEFINE {
					for _, e := range n.Lhs {
						target(e)
					}
				}
			case *ast.IncDecStmt:
				target(n.X)
			case *ast.RangeStmt:
				if n.Tok == token.ASSIGN {
					target(n.Key)
					target(n.Value)
				}
			case *ast.CallExpr:
				if fn, ok := n.Fun.(*ast.Ident); ok && (fn.Name == "delete" || fn.Name == "clear") && len(n.Args) > 0 {
					target(n.Args[0])
				}
			}
			return true
		})
	}
	return found
}

// rootIdent returns x of x, x.f, x[i], *x and (x).
func rootIdent(e ast.Expr) *ast.Ident {
	switch e := e.(type) {
	case *ast.Ident:
		return e
	case *ast.SelectorExpr:
		return rootIdent(e.X)
	case *ast.IndexExpr:
		return rootIdent(e.X)
	case *ast.StarExpr:
		return rootIdent(e.X)
	case *ast.ParenExpr:
		return rootIdent(e.X)
	}
	return nil
}

type noImports struct{}

func (noImports) Import(path string) (*types.Package, error) {
	return nil, errors.New("imports are not resolved here")
}
