package house_test

import (
	"fmt"
	"strings"
	"testing"
)

// Every rule finds what it is there for, and leaves alone what only looks like it.

func TestCheckImports(t *testing.T) {
	tests := []struct {
		name string
		pkg  pkg
		want string // "" = nothing is found
	}{
		{"engine on the standard library", pkg{ImportPath: "ferry/ftp", Imports: []string{"net", "crypto/tls"}}, ""},
		{"engine on vfs", pkg{ImportPath: "ferry/ftp", Imports: []string{"ferry/vfs"}}, "ftp may not import ferry/vfs"},
		{"engine on a library", pkg{ImportPath: "ferry/ftp", Imports: []string{"golang.org/x/sys/unix"}}, "may not import golang.org/x/sys/unix"},
		{"remote on a driver", pkg{ImportPath: "ferry/remote", Imports: []string{"ferry/remote/driver/local"}}, "may not import ferry/remote/driver/local"},
		{"driver on remote", pkg{ImportPath: "ferry/remote/driver/local", Imports: []string{"ferry/remote", "golang.org/x/sys/unix"}}, ""},
		{"driver on a sibling", pkg{ImportPath: "ferry/remote/driver/alias", Imports: []string{"ferry/remote/driver/local"}}, "may not import ferry/remote/driver/local"},
		{"the list of drivers", pkg{ImportPath: "ferry/registry", Imports: []string{"ferry/remote/driver/local"}}, ""},
		{"a driver's own subpackage", pkg{ImportPath: "ferry/remote/driver/s3/sign", Imports: []string{"ferry/remote/driver/s3"}}, ""},
		{"vfs upwards", pkg{ImportPath: "ferry/vfs", Imports: []string{"ferry/serve"}}, "may not import ferry/serve"},
		{"vfs on a driver", pkg{ImportPath: "ferry/vfs", Imports: []string{"ferry/remote/driver/memory"}}, "may not import ferry/remote/driver/memory"},
		{"a test of vfs on a double", pkg{ImportPath: "ferry/vfs", TestImports: []string{"ferry/remote/driver/memory"}}, ""},
		{"a test of vfs upwards", pkg{ImportPath: "ferry/vfs", XTestImports: []string{"ferry/serve"}}, "tests of vfs may not import ferry/serve"},
		{"an external test of itself", pkg{ImportPath: "ferry/auth", XTestImports: []string{"ferry/auth"}}, ""},
		{"an external test of the engine on a tree", pkg{ImportPath: "ferry/ftp", XTestImports: []string{"ferry/vfs"}}, ""},
		{"an internal test of the engine on a tree", pkg{ImportPath: "ferry/ftp", TestImports: []string{"ferry/vfs"}}, "tests of ftp may not import"},
		{"the command", pkg{ImportPath: "ferry/cmd/ferry", Imports: []string{"ferry/ftp", "github.com/spf13/cobra"}}, ""},
		{"an unknown package", pkg{ImportPath: "ferry/attic"}, "attic has no place"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { expect(t, checkImports([]pkg{tt.pkg}), tt.want) })
	}
}

func TestCheckNames(t *testing.T) {
	expect(t, checkNames([]pkg{{ImportPath: "ferry/remote/util", Name: "util"}}), "says nothing")
	expect(t, checkNames([]pkg{{ImportPath: "ferry/remote/x", Name: "common"}}), "says nothing")
	expect(t, checkNames([]pkg{{ImportPath: "ferry/remote/driver/local", Name: "local"}}), "")
}

func TestCheckSources(t *testing.T) {
	const doc = "// Package p is described.\npackage p\n"
	tests := []struct {
		name, src, want string
	}{
		{"clean", doc + "var ErrX = errors.New(\"x\")\nvar table = map[string]int{\"a\": 1}\nvar _ I = T{}", ""},
		{"no comment", "package p\n", "0 files have a package comment"},
		{"comment of another form", "// This is p.\npackage p\n", "does not begin with"},
		{"init", doc + "func init() {}", "func init"},
		{"method called init", doc + "func (T) init() {}", ""},
		{"kept context", doc + "type T struct { ctx context.Context }", "keeps a context"},
		{"context of a test", doc + "type T struct { t *testing.T; ctx context.Context }", ""},
		{"context as argument", doc + "func f(ctx context.Context) {}", ""},
		{"variable without value", doc + "var n int", "declared without a value"},
		{"embedded", doc + "//go:embed x.txt\nvar text string", ""},
		{"pool", doc + "var pool sync.Pool", ""},
		{"lock", doc + "var mu = &sync.Mutex{}", "sync.Mutex in it"},
		{"empty map", doc + "var m = make(map[string]int)", "made to be filled"},
		{"assignment", doc + "var n = 1\nfunc f() { n = 2 }", "assigns to the package-level variable n"},
		{"assignment to an element", doc + "var m = map[int]int{}\nfunc f() { m[1] = 2 }", "variable m"},
		{"assignment to a field", doc + "var c = conf{}\nfunc f() { c.x.y = 2 }", "variable c"},
		{"increment", doc + "var n = 1\nfunc f() { n++ }", "variable n"},
		{"delete", doc + "var m = map[int]int{1: 1}\nfunc f() { delete(m, 1) }", "variable m"},
		{"assignment to a local of the same name", doc + "var n = 1\nfunc f() { n := 2; n = 3; _ = n }", ""},
		{"too long", doc + strings.Repeat("\n", maxLines), "more than 500"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { expect(t, checkSources(map[string]string{"p.go": tt.src}), tt.want) })
	}
	twice := map[string]string{"a.go": doc, "b.go": doc, "a_test.go": "package p\n"}
	expect(t, checkSources(twice), "2 files have a package comment")
	expect(t, checkSources(map[string]string{"p.go": doc, "p_test.go": "package p\nfunc init() {}"}), "func init")
}

func TestCheckStyle(t *testing.T) {
	body := func(lines int) string { return "{\n" + strings.Repeat("\tf()\n", lines-2) + "}" }
	rows := "[]int{\n" + strings.Repeat("\t1,\n", 100) + "}"
	methods := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "\tm%d()\n", i)
		}
		return "interface {\n" + b.String() + "}"
	}
	tests := []struct {
		name, src, want string
	}{
		{"a function", "func f() " + body(60), ""},
		{"a longer function", "func f() " + body(61), "f has 61 lines"},
		{"a longer function in a variable", "var g = func() " + body(61), "without a name has 61 lines"},
		{"a table", "func f() []int {\n\treturn " + rows + "\n}", ""},
		{"a function in a table", "var t = []func(){func() " + body(61) + "}", "61 lines"},
		{"statements around a table", "func f() {\n\tg(" + rows + ")\n" + strings.Repeat("\tf()\n", 60) + "}", "f has 63 lines"},
		{"subtests", "func f() {\n\tt.Run(\"a\", func() " + body(40) + ")\n\tt.Run(\"b\", func() " + body(40) + ")\n}", ""},
		{"a longer subtest", "func f() {\n\tt.Run(\"a\", func() " + body(61) + ")\n}", "61 lines"},
		{"another call with a function", "func f() {\n\twg.Go(func() " + body(59) + ")\n\tf()\n}", "f has 62 lines"},
		{"an example", "func Example() " + body(61), "Example has no comment"},
		{"ten methods", "type t " + methods(10), ""},
		{"eleven methods", "type t " + methods(11), "11 methods"},
		{"embedded interfaces", "type t interface { a; b; c; d; e; f; g; h; i; j; k }", ""},
		{"an exported function", "func F() {}", "F has no comment"},
		{"an exported function with one", "// F is described.\nfunc F() {}", ""},
		{"an exported type", "type T int", "T has no comment"},
		{"an exported constant", "const a, B = 1, 2", "B has no comment"},
		{"one with a comment behind it", "const B = 2 // two", ""},
		{"a group", "// Numbers.\nconst (\n\tA = 1\n\tB = 2\n)", ""},
		{"a group without one", "const (\n\tA = 1 // one\n\tB = 2\n)", "B has no comment"},
		{"a method", "// T is described.\ntype T[E any] int\nfunc (t *T[E]) M() {}", "M has no comment"},
		{"a method of what is not exported", "func (t t) M() {}", ""},
		{"an obvious method", "// T is described.\ntype T int\nfunc (t T) Error() string { return \"\" }", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			expect(t, checkStyle(map[string]string{"p.go": "package p\n" + tt.src}), tt.want)
		})
	}
	expect(t, checkStyle(map[string]string{"p_test.go": "package p\nfunc F() {}"}), "")
	expect(t, checkStyle(map[string]string{"p_test.go": "package p\nfunc f() " + body(61)}), "61 lines")
}

func TestWideComments(t *testing.T) {
	words := func(columns int) string { return "// " + strings.Repeat("a ", columns)[:columns-3] }
	tests := []struct {
		name, line, want string
	}{
		{"as wide as may be", words(100), ""},
		{"wider", words(101), "p.go:2: a comment of 101 columns"},
		{"letters, not bytes", "// " + strings.Repeat("é ", 48) + "é", ""},
		{"tabs", "\t\t" + words(93), "a comment of 101 columns"},
		{"an address", "// https://example.org/" + strings.Repeat("a", 100), ""},
		{"a directive", "//go:generate " + strings.Repeat("a ", 100), ""},
		{"code", "var x = f(" + strings.Repeat("1, ", 60) + ")", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			expect(t, wideComments(map[string]string{"p.go": "package p\n" + tt.line + "\n"}), tt.want)
		})
	}
}

func TestCheckChangelog(t *testing.T) {
	const good = "# Fixed: an example of an entry\n\nIt was so.\n\nIt is so.\n"
	tests := []struct{ name, text, want string }{
		{"an-entry.md", good, ""},
		{"An_Entry.md", good, "file name"},
		{"an-entry.md", strings.Replace(good, "Fixed", "Improved", 1), "first line"},
		{"an-entry.md", strings.Replace(good, "entry\n", "entry.\n", 1), "first line"},
		{"an-entry.md", strings.Replace(good, "\n\nIt is so.", "", 1), "1 paragraphs"},
		{"an-entry.md", good + "\n", "exactly one line feed"},
	}
	for _, tt := range tests {
		expect(t, checkChangelog(tt.name, tt.text), tt.want)
	}
}

func TestCheckLinks(t *testing.T) {
	exists := func(name string) bool { return name == "doc/design.md" || name == "README.md" }
	expect(t, checkLinks("doc/a.md", "see [x](design.md#part) and [y](../README.md) and [z](https://example.org/a)", exists), "")
	expect(t, checkLinks("doc/a.md", "see [x](README.md)", exists), "leads nowhere")
}

func TestCheckSourcesNamed(t *testing.T) {
	exists := func(name string) bool { return name == "vfs/read.go" }
	expect(t, checkSourcesNamed("see vfs/read.go, and vfs/read.go; main.go is another", exists), "")
	expect(t, checkSourcesNamed("see vfs/gone_1.go.", exists), "there is no vfs/gone_1.go")
	if got := section("# a\nx\n## b\ny\nz\n### c\n", "## b"); got != "y\nz" {
		t.Errorf("the section is %q", got)
	}
}

// expect wants one finding that contains want, or none when want is "".
func expect(t *testing.T, findings []string, want string) {
	t.Helper()
	switch {
	case want == "" && len(findings) > 0:
		t.Errorf("found %q in what is fine", findings)
	case want != "" && (len(findings) != 1 || !strings.Contains(findings[0], want)):
		t.Errorf("found %q, want one finding with %q", findings, want)
	}
}
