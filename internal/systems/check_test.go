package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// good is a module with a package that has files for one system, tests of both kinds, and an
// import of what only the tests of another package know.
var good = map[string]string{
	"go.mod":             "module m\n\ngo 1.26\n",
	"a/a.go":             "package a\n\nimport \"time\"\n\nfunc Wait() time.Duration { return native(1) }\n",
	"a/a_linux.go":       "package a\n\nimport (\n\t\"syscall\"\n\t\"time\"\n)\n\nfunc native(n int) time.Duration { return time.Duration(syscall.Timeval{Sec: int64(n)}.Sec) }\n",
	"a/a_windows.go":     "package a\n\nimport (\n\t\"syscall\"\n\t\"time\"\n)\n\nfunc native(n int) time.Duration { return time.Duration(syscall.Handle(n)) }\n",
	"a/export_test.go":   "package a\n\nvar Native = native\n",
	"a/external_test.go": "package a_test\n\nimport \"m/a\"\n\nvar _ = a.Native(2)\n",
}

func TestCodeThatIsRightOnASystem(t *testing.T) {
	read := newSources()
	for _, system := range []string{"linux/arm64", "windows/amd64"} {
		if wrong := checked(t, read, nil, system); len(wrong) > 0 {
			t.Errorf("%s: %q", system, wrong)
		}
	}
}

func TestCodeThatIsWrongOnOneSystemOnly(t *testing.T) {
	read := newSources()
	for _, tt := range []struct {
		files map[string]string
		says  []string
	}{
		{map[string]string{
			"a/type_windows.go":          "package a\n\nvar text string = native(1)\n",
			"a/import_windows.go":        "package a\n\nimport \"os\"\n",
			"a/variable_windows.go":      "package a\n\nfunc f() { x := 1 }\n",
			"a/elsewhere_windows.go":     "package a\n\nimport \"syscall\"\n\nvar _ = syscall.Timespec{}.Unknown\n",
			"a/nothing_windows.go":       "package a\n\nimport \"m/b\"\n\nvar _ = b.Missing\n",
			"b/b.go":                     "package b\n",
			"b/test_windows_test.go":     "package b\n\nvar _ string = 1\n",
			"b/external_windows_test.go": "package b_test\n\nimport \"m/b\"\n\nvar _ = b.Missing\n",
		}, []string{"type_windows.go:3", "import_windows.go:3", "variable_windows.go:3", "elsewhere_windows.go:5", "nothing_windows.go:5",
			"b/test_windows_test.go:3", "external_windows_test.go:5"}},
		{map[string]string{"a/a_windows.go": "package a\n"}, []string{"undefined: native"}},
		{map[string]string{"a/b_windows.go": "package a\n\nimport _ \"m/missing\"\n"}, []string{"m/missing"}},
		{map[string]string{"a/b_windows.go": "package a\n\nfunc {\n"}, []string{"b_windows.go:3"}},
	} {
		wrong := fmt.Sprint(checked(t, read, tt.files, "windows/amd64"))
		for _, says := range tt.says {
			if !strings.Contains(wrong, says) {
				t.Errorf("%q is not among what is wrong: %s", says, wrong)
			}
		}
		if _, broken := tt.files["a/b_windows.go"]; broken {
			continue // go list finds that
		}
		if wrong := checked(t, read, tt.files, "linux/amd64"); len(wrong) > 0 {
			t.Errorf("on another system: %q", wrong)
		}
	}
}

// checked checks the good module with some files changed.
func checked(t *testing.T, read *sources, changed map[string]string, system string) []error {
	t.Helper()
	dir := t.TempDir()
	for _, files := range []map[string]string{good, changed} {
		for name, content := range files {
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	return check(read, dir, system)
}
