package access

import (
	"slices"
	"strings"
	"testing"
)

func TestParseVerbs(t *testing.T) {
	tests := []struct{ words, want string }{
		{"", ""},
		{"list", "list"},
		{"chmod list", "list chmod"},
		{"read-only", "list download"},
		{"append-only", "list download upload mkdir"},
		{"drop-box", "upload mkdir"},
		{"read-only delete", "list download delete"},
		{"all", "list download upload overwrite resume delete rename mkdir rmdir mtime chmod"},
		{"read-write", "list download upload overwrite resume delete rename mkdir rmdir mtime"},
	}
	for _, test := range tests {
		v, err := ParseVerbs(strings.Fields(test.words))
		if err != nil || v.String() != test.want {
			t.Errorf("%q: %q, %v; want %q", test.words, v, err, test.want)
		}
		again, err := ParseVerbs(v.Words())
		if err != nil || again != v {
			t.Errorf("the words of %q are read as %q, %v", v, again, err)
		}
	}
	_, err := ParseVerbs([]string{"list", "remove"})
	if err == nil || !strings.Contains(err.Error(), `"remove"`) || !strings.Contains(err.Error(), "delete") ||
		!strings.Contains(err.Error(), "drop-box") {
		t.Errorf("an unknown word: %v", err)
	}
}

func TestParseRule(t *testing.T) {
	for _, words := range [][]string{{"drop-box"}, {"drop-box", "delete"}, {"upload", "mkdir"}, {}} {
		r, err := ParseRule("/in", words)
		if err != nil || !slices.Equal(r.Words(), words) || r.OwnOnly != slices.Contains(words, "drop-box") {
			t.Errorf("%q: %+v, %v", words, r, err)
		}
	}
	for _, words := range [][]string{{"drop-box", "list"}, {"drop-box", "all"}, {"read-only", "drop-box"}, {"x"}} {
		if r, err := ParseRule("/in", words); err == nil {
			t.Errorf("%q: %+v", words, r)
		}
	}
}

func TestCheckPath(t *testing.T) {
	for _, path := range []string{"/", "/a", "/a/b c", "/*", "/*/in", "/a/*"} {
		if err := CheckPath(path); err != nil {
			t.Error(err)
		}
	}
	for _, path := range []string{"", "a", "//", "/a/", "/a//b", "/./a", "/a/..", "/a*", "/a/x*/b", "/a\nb", "*"} {
		if CheckPath(path) == nil {
			t.Errorf("%q is accepted", path)
		}
	}
	for _, glob := range []string{"", "[", "a/b", "\\"} {
		if CheckGlob(glob) == nil {
			t.Errorf("%q is accepted", glob)
		}
	}
	if err := CheckGlob("re[0-9]?*.txt"); err != nil {
		t.Error(err)
	}
}

func TestTheLongestPathDecides(t *testing.T) {
	paths := []string{"/*/*", "/a/*", "/*/b", "/", "/a", "/a/b", "/*", "/a/*/c"}
	p := Policy{}
	for _, path := range paths {
		p.Rules = append(p.Rules, Rule{Path: path})
	}
	tests := []struct{ dir, inside, file string }{
		{"/", "/", "/"},
		{"/x", "/*", "/"}, // "*" stands for a directory
		{"/a", "/a", "/a"},
		{"/a/b", "/a/b", "/a/b"},
		{"/a/x", "/a/*", "/a"},
		{"/x/b", "/*/b", "/*/b"},
		{"/x/y", "/*/*", "/*"},
		{"/x/y/z", "/*/*", "/*/*"},
		{"/a/x/c", "/a/*/c", "/a/*/c"},
		{"/a/b/c", "/a/*/c", "/a/*/c"}, // more elements win over exact ones
		{"/ab", "/*", "/"},
		{"/A", "/*", "/"},
	}
	for range len(paths) {
		p.Rules = append(p.Rules[1:], p.Rules[0]) // their order does not matter
		for _, test := range tests {
			if r, _ := p.Decides(test.dir, List); r.Path != test.inside {
				t.Errorf("%s decides what is in %s, want %s", r.Path, test.dir, test.inside)
			}
			if r, _ := p.Decides(test.dir, Download); r.Path != test.file {
				t.Errorf("%s decides for the file %s, want %s", r.Path, test.dir, test.file)
			}
		}
	}
	if r, _ := p.Decides("/a", Rmdir); r.Path != "/" {
		t.Errorf("%s decides whether /a may be removed, want /", r.Path)
	}
	if r, found := (Policy{Rules: []Rule{{Path: "/a"}}}).Decides("/b", List); found {
		t.Errorf("%s decides for /b", r.Path)
	}
	if r := compile(Policy{Rules: []Rule{{Path: "/Füß"}}}, true).inside("fÜß/x"); r == nil {
		t.Error("where case does not count, it counts")
	}
}
