package filter

import (
	"strings"
	"testing"
)

func TestPatterns(t *testing.T) {
	tests := []struct {
		pattern      string
		match, other string // paths, separated by spaces
	}{
		{"file.jpg", "file.jpg directory/file.jpg", "afile.jpg directory/afile.jpg file.jpg2 fileXjpg"},
		{"/file.jpg", "file.jpg", "afile.jpg directory/file.jpg"},
		{"potato", "potato", "POTATO"},
		{"*.jpg", "file.jpg dir/file.jpg .jpg", "file.png dir/file.png"},
		{"/*.jpg", "file.jpg file2.jpg", "file.png dir/file.jpg"},
		{"*.{jpg,png}", "file.jpg dir/file.png", "file.gif dir/file.gif file.jpg,png"},
		{"dir/**", "dir/anyfile subdir/dir/subsubdir/anyfile", "file.png subdir/file.png xdir/f"},
		{"*.t?t", "file.txt dir/file.tzt", "file.qxt dir/file.png file.t/t"},
		{"*.[a-z]", "file.a dir/file.b", "file.0 dir/file.1"},
		{`*.\?\?\?`, "file.??? dir/file.???", "file.abc dir/file.def"},
		{`*.\d\d\d`, "file.012 dir/file.345", "file.abc dir/file.def"},
		{"*.{{jpe?g}}", "file.jpeg dir/file.jpg", "file.png dir/file.jpeeg"},
		{`/{{.*\.jpe?g}}`, "file.jpeg file.jpg dir/file.jpg", "file.png"}, // .* crosses slashes
		{`/{{[^/]*\.jpe?g}}`, "file.jpeg file.jpg", "file.png dir/file.jpg"},
		{"*.{{(?i)jpg}}", "file.jpg file.JPG", "file.png"},
		{`{{start[^/]*end\.jpg}}`, "startend.jpg dir/start-end.jpg", "start/end.jpg xstartend.jpg"},
		{"{{a{3}}}", "aaa", "aa a{3"},
		{"secret*.jpg", "secret17.jpg", "nosecret.jpg"},
		{`*\[{JP,KR,HK}\]*`, "a[JP]b d/[HK]", "aJPb"},
		{"??[^[:punct:]]*", "abc ab/abc", "ab."},
		{"[!a-c]x", "dx", "ax bx"},
		{`[\d]x`, "1x", "dx"},
		{`[\]]x`, "]x", "x"},
		{"{A,B}/**", "A/f B/d/f", "C/f A"},
		{"a,b", "a,b", "a b"},
		{"a.b+c(d)|e^$", "a.b+c(d)|e^$", "aXb"},
		{"**", "a a/b a/b/c", ""},
		{"ünï?", "ünïx d/ünïö", "unix"},
		{`\ü`, "ü", "u"},
		{"*", "a b/c new\nline", ""},
		{"a**z", "az a/z abc/xyz", "az/b"},
	}
	for _, tt := range tests {
		re, err := compile(tt.pattern, false)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		for name := range strings.SplitSeq(tt.match, " ") {
			if !re.MatchString(name) {
				t.Errorf("%s does not match %q (%s)", tt.pattern, name, re)
			}
		}
		for _, name := range strings.Fields(tt.other) {
			if re.MatchString(name) {
				t.Errorf("%s matches %q (%s)", tt.pattern, name, re)
			}
		}
	}
	if re, err := compile("potato", true); err != nil || !re.MatchString("POTATO") {
		t.Errorf("case is not ignored: %v", err)
	}
}

func TestWrongPatterns(t *testing.T) {
	for _, pattern := range []string{"***", "a***b", "[a", "a]", "[]", "[!]", "{a", "a}", "{a,{b,c}}", "{{a", "{{(}}", "{{a)(b}}", `a\`, `\y`, "[z-a]"} {
		if re, err := compile(pattern, false); err == nil {
			t.Errorf("%s is taken for %s", pattern, re)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q is more than a line", pattern, err)
		}
	}
}

// A pattern without anything special is a name.
func FuzzPlainPattern(f *testing.F) {
	f.Add("file.jpg", "dir/file.jpg")
	f.Add("a+b", "ab")
	f.Add("\xff", "\xff")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		re, err := compile(pattern, false)
		if err != nil || strings.ContainsAny(pattern, `*?[]{},\`) || strings.ContainsRune(pattern, '\uFFFD') || strings.ContainsRune(name, '\uFFFD') {
			return
		}
		want := name == pattern || strings.HasSuffix(name, "/"+pattern)
		if rooted, ok := strings.CutPrefix(pattern, "/"); ok {
			want = name == rooted
		}
		if got := re.MatchString(name); got != want {
			t.Errorf("%q and %q: %v (%s)", pattern, name, got, re)
		}
	})
}

// Whatever is in a rule, adding it fails or leads to a verdict.
func FuzzRules(f *testing.F) {
	f.Add("+ *.jpg\n- **", "a/b.jpg")
	f.Add("- /dir/\n!\n+ {a,b/c}", "dir/b")
	f.Fuzz(func(t *testing.T, text, name string) {
		filter, err := Parse(Options{
			MaxSize: -1, FilterFrom: []string{"rules"}, ReadFile: func(string) (string, error) { return text, nil },
		})
		if err == nil {
			filter.file(name)
			filter.dir(name)
		}
	})
}
