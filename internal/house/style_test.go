package house_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// What doc/design.md promises of functions, interfaces and comments.
const (
	maxFunction  = 60  // lines of a function, tables aside
	maxInterface = 10  // methods of an interface, those it embeds aside
	maxComment   = 100 // columns of a line of comment, a tab being four
)

func TestFunctionsInterfacesAndComments(t *testing.T) {
	for _, p := range listPackages(t) {
		sources := readSources(t, p.Dir)
		report(t, checkStyle(sources))
		report(t, wideComments(sources))
	}
}

// checkStyle applies to one package the rules about the size of functions and interfaces, and wants
// a comment on each exported name.
func checkStyle(sources map[string]string) []string {
	fset := token.NewFileSet()
	var findings []string
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		f, err := parser.ParseFile(fset, name, sources[name], parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			findings = append(findings, err.Error())
			continue
		}
		findings = append(findings, checkSizes(fset, f)...)
		if !strings.HasSuffix(name, "_test.go") {
			findings = append(findings, checkComments(fset, f)...)
		}
	}
	return findings
}

func checkSizes(fset *token.FileSet, f *ast.File) []string {
	var findings []string
	found := func(n ast.Node, format string, args ...any) {
		findings = append(findings, fmt.Sprintf("%s: %s", fset.Position(n.Pos()), fmt.Sprintf(format, args...)))
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if strings.HasPrefix(n.Name.Name, "Example") {
				return true // a page of a manual, shown as a whole
			}
			if lines := functionLines(fset, n); lines > maxFunction {
				found(n, "%s has %d lines, more than %d", n.Name.Name, lines, maxFunction)
			}
		case *ast.FuncLit:
			if lines := functionLines(fset, n); lines > maxFunction {
				found(n, "a function without a name has %d lines, more than %d", lines, maxFunction)
			}
		case *ast.InterfaceType:
			if methods := ownMethods(n); methods > maxInterface {
				found(n, "an interface has %d methods, more than %d", methods, maxInterface)
			}
		}
		return true
	})
	return findings
}

// functionLines counts the lines of a function. A table in it, which is a composite literal, and a
// subtest count as their first line: they are read on their own, and the functions in them are
// counted on their own.
func functionLines(fset *token.FileSet, fn ast.Node) int {
	span := func(n ast.Node) int { return fset.Position(n.End()).Line - fset.Position(n.Pos()).Line }
	lines := span(fn) + 1
	ast.Inspect(fn, func(n ast.Node) bool {
		_, table := n.(*ast.CompositeLit)
		statement, ok := n.(*ast.ExprStmt)
		if !table && !(ok && isSubtest(statement.X)) {
			return true
		}
		lines -= span(n)
		return false
	})
	return lines
}

// isSubtest reports whether e is t.Run("name", func(...) {...}).
func isSubtest(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok || len(call.Args) != 2 {
		return false
	}
	run, ok := call.Fun.(*ast.SelectorExpr)
	_, function := call.Args[1].(*ast.FuncLit)
	return ok && function && run.Sel.Name == "Run"
}

func ownMethods(t *ast.InterfaceType) int {
	n := 0
	for _, m := range t.Methods.List {
		n += len(m.Names)
	}
	return n
}

// obvious are methods of the standard library's interfaces that say nothing else than these do.
var obvious = []string{"Error", "Is", "Unwrap", "String"}

// checkComments wants a comment on each exported function, type, constant and variable, and on each
// exported method of an exported type. The comment of a group is enough for what is in it.
func checkComments(fset *token.FileSet, f *ast.File) []string {
	var findings []string
	found := func(n ast.Node, name string) {
		findings = append(findings, fmt.Sprintf("%s: %s has no comment", fset.Position(n.Pos()), name))
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			method := d.Recv != nil
			if d.Doc != nil || !d.Name.IsExported() || method && (slices.Contains(obvious, d.Name.Name) || !exportedReceiver(d)) {
				continue
			}
			found(d, d.Name.Name)
		case *ast.GenDecl:
			if d.Doc != nil {
				continue
			}
			for _, spec := range d.Specs {
				if name := uncommented(spec); name != "" {
					found(spec, name)
				}
			}
		}
	}
	return findings
}

func exportedReceiver(d *ast.FuncDecl) bool {
	id := rootIdent(d.Recv.List[0].Type)
	return id != nil && id.IsExported()
}

// uncommented returns an exported name that spec declares without a comment, "" when there is none.
func uncommented(spec ast.Spec) string {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Doc == nil && s.Comment == nil && s.Name.IsExported() {
			return s.Name.Name
		}
	case *ast.ValueSpec:
		if s.Doc == nil && s.Comment == nil {
			if i := slices.IndexFunc(s.Names, (*ast.Ident).IsExported); i >= 0 {
				return s.Names[i].Name
			}
		}
	}
	return ""
}

// wideComments returns the lines that are nothing but a comment and wider than maxComment. One that
// has no space to break it at, such as an address, and directives are left alone.
func wideComments(sources map[string]string) []string {
	var findings []string
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		n := 0
		for line := range strings.Lines(sources[name]) {
			n++
			line = strings.TrimRight(line, "\r\n")
			text, ok := strings.CutPrefix(strings.TrimLeft(line, "\t"), "// ")
			columns := utf8.RuneCountInString(line) + 3*strings.Count(line, "\t")
			if ok && columns > maxComment && strings.Contains(text, " ") {
				findings = append(findings, fmt.Sprintf("%s:%d: a comment of %d columns, more than %d", name, n, columns, maxComment))
			}
		}
	}
	return findings
}
