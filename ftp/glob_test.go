package ftp

import (
	"path"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"", "", true},
		{"", "a", false},
		{"abc", "abc", true},
		{"abc", "abcd", false},
		{"*", "", true},
		{"*", "anything", true},
		{"*", ".hidden", true},
		{"?hidden", ".hidden", true},
		{"*.txt", "a.txt", true},
		{"*.txt", "a.txt.gz", false},
		{"*.txt", ".txt", true},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "a-c-b", false},
		{"**a**", "xax", true},
		{"?", "", false},
		{"?", "ab", false},
		{"?", "é", true},
		{"??", "é", false},
		{"?", "\xe9", true},
		{"?", "😀", true},
		{"caf\xe9", "caf\xe9", true},
		{"caf\xe9", "caf\xea", false},
		{"caf\xe9", "caf\ufffd", false},
		{"*\xe9", "caf\xe9", true},
		{"[abc]", "b", true},
		{"[abc]", "d", false},
		{"[a-c]x", "bx", true},
		{"[a-cx-z]", "y", true},
		{"[c-a]", "b", false},
		{"[!a-c]", "d", true},
		{"[!a-c]", "b", false},
		{"[^a-c]", "d", true},
		{"[^a-c]", "b", false},
		{"[!a]", "", false},
		{"[à-ü]", "é", true},
		{"[\xe0-\xff]", "\xe9", true},
		{"[\xe0-\xff]", "é", false},
		{"[]a]", "]", true},
		{"[]a]", "a", true},
		{"[!]a]", "]", false},
		{"[a-]", "-", true},
		{"[-a]", "-", true},
		{"[a", "[a", true},
		{"[a", "a", false},
		{"[", "[", true},
		{"[!", "[!", true},
		{"[]", "[]", true},
		{"x[a-", "x[a-", true},
		{`[\]]`, "]", true},
		{`[a\-z]`, "-", true},
		{`[a\-z]`, "m", false},
		{`\*`, "*", true},
		{`\*`, "a", false},
		{`a\?`, "a?", true},
		{`a\?`, "ab", false},
		{`\[a]`, "[a]", true},
		{`a\`, `a\`, true},
		{`\\`, `\`, true},
		{"*[0-9]*", "img7.jpg", true},
		{"*[0-9]*", "img.jpg", false},
		{"IMG*", "img1", false},
	} {
		if got := match(tt.pattern, tt.name); got != tt.want {
			t.Errorf("match(%q, %q) = %t", tt.pattern, tt.name, got)
		}
	}
}

// The patterns that cost most take as many steps as a name has characters: one table of moves each,
// however the pattern looks. What they cost is set in relation to a plain one of the same length.
func TestMatchCost(t *testing.T) {
	name := strings.Repeat("a", 4000)
	cost := func(text string) time.Duration {
		best := time.Hour
		for range 5 {
			start := time.Now()
			p, err := compile(text)
			if err != nil {
				t.Fatalf("%.20q: %v", text, err)
			}
			for range 100 {
				p.match(name)
			}
			best = min(best, time.Since(start))
		}
		return best
	}
	plain := cost("*" + strings.Repeat("a", 200) + "b")
	for _, hostile := range []string{
		strings.Repeat("a*", 250) + "b",
		"*" + strings.Repeat("a", 250) + "b",
		strings.Repeat("[", 250),
		"*" + strings.Repeat("[", 250),
		strings.Repeat("*?", 250) + "b",
		strings.Repeat("*[!b]", 250) + "b",
		strings.Repeat("*", 8000) + "b",
		"*[" + strings.Repeat("a", 500) + "]b",
	} {
		if d := cost(hostile); d > 20*plain+time.Millisecond {
			t.Errorf("%.20q... takes %v, a plain pattern %v", hostile, d, plain)
		}
	}
}

func TestPatternsAreBounded(t *testing.T) {
	for text, fits := range map[string]bool{
		strings.Repeat("a*", 255):                           true,
		strings.Repeat("a", 256):                            false,
		strings.Repeat("[", 8000):                           false,
		strings.Repeat("*", 8000):                           true,
		"[" + strings.Repeat("a", 8000) + "]":               false,
		strings.Repeat("[", 100) + strings.Repeat("?", 155): true,
	} {
		if _, err := compile(text); (err == nil) != fits {
			t.Errorf("%.20q... of %d bytes: %v", text, len(text), err)
		}
	}
}

// match is what a pattern says of one name. Patterns that are too long match nothing.
func match(text, name string) bool {
	p, err := compile(text)
	return err == nil && p.match(name)
}

func TestSplitGlob(t *testing.T) {
	for _, tt := range []struct {
		arg, dir, pattern string
		glob              bool
	}{
		{"*.txt", "", "*.txt", true},
		{"dir/*.txt", "dir/", "*.txt", true},
		{"/a/b/c?", "/a/b/", "c?", true},
		{"/[ab]", "/", "[ab]", true},
		{"*/name", "*/", "name", false},
		{"dir/", "dir/", "", false},
		{`a\b`, "", `a\b`, false},
		{"", "", "", false},
	} {
		dir, pattern := splitGlob(tt.arg)
		if dir != tt.dir || pattern != tt.pattern || hasGlob(pattern) != tt.glob {
			t.Errorf("%q splits into %q and %q, glob %t", tt.arg, dir, pattern, hasGlob(pattern))
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("*.[ch]", "a.c")
	f.Add(`[!a-\z]?`, "é\xff")
	f.Add("a*a*a*b", "aaaaaaaaaaaaaaaaaa")
	f.Add("\x80*", "\xd5")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 120 || len(name) > 120 {
			t.Skip("longer than this test looks at")
		}
		got := match(pattern, name)
		if !hasGlob(pattern) && !strings.Contains(pattern, `\`) && got != (pattern == name) {
			t.Fatalf("match(%q, %q) = %t", pattern, name, got)
		}
		escaped := strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(name)
		if !match(escaped, name) {
			t.Fatalf("%q, escaped as %q, does not match itself", name, escaped)
		}
		// Two halves of a rune become another character when they are put together.
		if utf8.ValidString(name) && (!match(escaped+"*", name+pattern) || !match("*"+escaped, pattern+name)) {
			t.Fatalf("%q does not match what a star beside it reaches", escaped)
		}
		comparePath(t, pattern, name, got)
	})
}

// comparePath compares with path.Match where the two mean the same: no slash, no "!", only UTF-8,
// and classes that path.Match accepts.
func comparePath(t *testing.T, pattern, name string, got bool) {
	if strings.ContainsAny(pattern+name, "/!") || !utf8.ValidString(pattern) || !utf8.ValidString(name) {
		return
	}
	if strings.Contains(pattern, "[]") || strings.Contains(pattern, "[^]") || strings.Contains(name, "\ufffd") {
		return
	}
	want, err := path.Match(pattern, name)
	if err == nil && got != want {
		t.Fatalf("match(%q, %q) = %t; path.Match says %t", pattern, name, got, want)
	}
}
