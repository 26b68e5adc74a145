package filter

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

// leaves returns which of the paths are left by f; those that end with a slash are of directories.
func leaves(f *Filter, paths string) string {
	var left []string
	for path := range strings.FieldsSeq(paths) {
		name, isDir := strings.CutSuffix(path, "/")
		if isDir && f.dir(name) == included || !isDir && f.file(name) == included {
			left = append(left, path)
		}
	}
	return strings.Join(left, " ")
}

func files(content string) func(string) (string, error) {
	return func(name string) (string, error) {
		if name != "rules.txt" {
			return "", fs.ErrNotExist
		}
		return content, nil
	}
}

const manyKinds = `# a sample filter rule file
- secret*.jpg
+ *.jpg

 + *.png
+ file2.avi
- /dir/Trash/**
+ /dir/**
; exclude everything else
- *
`

func TestRules(t *testing.T) {
	tests := []struct {
		name    string
		options Options
		paths   string
		want    string
	}{
		{"nothing is excluded without rules", Options{}, "a d/ d/b", "a d/ d/b"},
		{"--exclude *.bak", Options{Exclude: []string{"*.bak"}}, "a.bak a d/ d/b.bak", "a d/"},
		{"--exclude /dir/**", Options{Exclude: []string{"/dir/**"}}, "dir/ dir/a x/dir/ x/dir/a", "x/dir/ x/dir/a"},
		{"--exclude dir/", Options{Exclude: []string{"dir/"}}, "dir/ dir/a dir/s/ x/dir/a dirs/a", "dirs/a"},
		{"--exclude of a choice in brackets", Options{Exclude: []string{`*\[{JP,KR,HK}\]*`}}, "a[JP] a[US]", "a[US]"},
		{"--exclude-from", Options{ExcludeFrom: []string{"rules.txt"}, ReadFile: files("# remark\n*.bak\nfile2.jpg\n")}, "file.bak file2.jpg file3.jpg", "file3.jpg"},
		{"--include implies that all else is excluded", Options{Include: []string{"*.{png,jpg}"}}, "a.png a.gif d/ d/a.jpg d/b", "a.png d/ d/a.jpg"},
		{"--include {A,B}/**", Options{Include: []string{"{A,B}/**"}}, "A/ A/f A/d/ A/d/f B/f C/f f", "A/ A/f A/d/ A/d/f B/f"},
		{"--include of one directory hides the others", Options{Include: []string{"/a/*.jpg"}}, "a/ a/f.jpg a/f.png a/d/ b/ b/f.jpg f.jpg", "a/ a/f.jpg"},
		{"--include of a directory rule has no files", Options{Include: []string{"/directory/"}}, "directory/ directory/f other/ f", "directory/"},
		{"--include of a choice between paths", Options{Include: []string{"{dir1/**,dir2/**}"}}, "dir1/a dir2/b dir3/ dir3/c", "dir1/a dir2/b dir3/"},
		{"--include of a path hides what does not lead there", Options{Include: []string{"a/*.jpg"}}, "a/ a/f.jpg x/ x/a/f.jpg", "a/ a/f.jpg"},
		{"--include-from", Options{IncludeFrom: []string{"rules.txt"}, ReadFile: files("*.jpg\nfile2.avi")}, "a.jpg file2.avi b.avi", "a.jpg file2.avi"},
		{"--filter + implies nothing", Options{Filter: []string{"+ *.jpg"}}, "a.jpg b.png", "a.jpg b.png"},
		{"--filter - *.bak", Options{Filter: []string{"- *.bak"}}, "a.bak a", "a"},
		{"--filter-from with many kinds of rules", Options{FilterFrom: []string{"rules.txt"}, ReadFile: files(manyKinds)},
			"secret1.jpg a.jpg d/b.png file2.avi dir/x dir/d/y dir/Trash/ dir/Trash/z dir/Trash/z.jpg other", "a.jpg d/b.png file2.avi dir/x dir/d/y dir/Trash/ dir/Trash/z.jpg"},
		{"--filter-from with directory rules", Options{FilterFrom: []string{"rules.txt"}, ReadFile: files("- /dir1/\n- /dir2/\n+ *.pdf\n- **\n")},
			"dir1/ dir1/a.pdf dir2/d/b.pdf d/ d/c.pdf e.pdf f.txt", "d/ d/c.pdf e.pdf"},
		{"! drops the rules before it", Options{FilterFrom: []string{"rules.txt"}, ReadFile: files("+ *.jpg\n+ *.gif\n!\n+ 42.doc\n- *\n")}, "a.jpg a.gif 42.doc", "42.doc"},
		{"the first rule that matches decides", Options{Filter: []string{"+ a.txt", "- *.txt", "+ b.txt"}}, "a.txt b.txt", "a.txt"},
		{"--include comes before --exclude, that before --filter", Options{
			Filter: []string{"+ c"}, Exclude: []string{"a", "c"}, Include: []string{"a"},
		}, "a b c", "a"},
		{"--ignore-case", Options{IgnoreCase: true, Include: []string{"zaphod.txt"}}, "Zaphod.txt trillian.txt", "Zaphod.txt"},
		{"case counts without --ignore-case", Options{Include: []string{"zaphod.txt"}}, "Zaphod.txt zaphod.txt", "zaphod.txt"},
		{"- * at the end hides directories too", Options{Filter: []string{"+ /a.jpg", "- *"}}, "a.jpg d/ d/f", "a.jpg"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.options.MaxSize = -1
			f, err := Parse(tt.options)
			if err != nil {
				t.Fatal(err)
			}
			if got := leaves(f, tt.paths); got != tt.want {
				t.Errorf("left are %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLeadingDirectories(t *testing.T) {
	for pattern, want := range map[string]string{
		"*": "/**", "*.jpg": "/**", "/*": "", "/*.jpg": "", "//*.jpg": "",
		"/a/*.jpg": "/a/", "/a//b///*.jpg": "/a/b/ /a/", "a/b": "a/", "/a/**": "/a/**/ /a/",
		"**": "**/", "/a**b": "/a**/", "/{a,b}/c": "/{a,b}/", "/{a,b/c}/d": "/**", "/x/{{y}}": "/**",
	} {
		got := leading(pattern)
		if want := strings.Fields(want); !slices.Equal(got, want) && len(got)+len(want) > 0 {
			t.Errorf("%s: %q, want %q", pattern, got, want)
		}
	}
}

// An error is one line that names the flag.
func TestWrongRules(t *testing.T) {
	for flag, o := range map[string]Options{
		"--include":      {Include: []string{"[a"}},
		"--include-from": {IncludeFrom: []string{"missing.txt"}},
		"--exclude":      {Exclude: []string{""}},
		"--exclude-from": {ExcludeFrom: []string{"rules.txt"}, ReadFile: files("***")},
		"--filter":       {Filter: []string{"*.jpg"}},
		"--filter-from":  {FilterFrom: []string{"rules.txt"}, ReadFile: files("+*.jpg")},
		"--min-size":     {MinSize: 10, MaxSize: 5},
		"--min-age":      {MinAge: 2, MaxAge: 1},
	} {
		if flag != "--min-size" {
			o.MaxSize = -1
		}
		if o.ReadFile == nil {
			o.ReadFile = files("")
		}
		_, err := Parse(o)
		if err == nil || !strings.HasPrefix(err.Error(), flag+" ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", flag, err)
		}
		if flag == "--include-from" && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

// Files fall into the parts that rclone puts them into: md5 of the name in lower case and normal
// form C.
func TestParts(t *testing.T) {
	for name, k := range map[string]uint64{"a.txt": 0, "A.TXT": 0} {
		if !(part{k, 1}).has(name) {
			t.Errorf("%q is in no part of one", name)
		}
	}
	count := make([]int, 4)
	for i := range 400 {
		name := fmt.Sprintf("dir/file-%d.JPG", i)
		in := 0
		for k := range count {
			p, err := parsePart(fmt.Sprintf("%d/4", k))
			if err != nil {
				t.Fatal(err)
			}
			if p.has(name) {
				in++
				count[k]++
				if !p.has(strings.ToLower(name)) {
					t.Errorf("%q is in another part in lower case", name)
				}
			}
		}
		if in != 1 {
			t.Errorf("%q is in %d parts", name, in)
		}
	}
	for k, n := range count {
		if n < 60 {
			t.Errorf("part %d has %d of 400 files", k, n)
		}
	}
	// md5("hello") begins with 5d41402abc4b2a76, which is 0x762a4bbc2a40415d from the other end.
	if p := (part{0x762a4bbc2a40415d % 1000, 1000}); !p.has("hello") {
		t.Error("the parts are not those of rclone")
	}
	for _, wrong := range []string{"", "1", "1/0", "x/2", "1/x", "/"} {
		if _, err := parsePart(wrong); (err == nil) != (wrong == "") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}
