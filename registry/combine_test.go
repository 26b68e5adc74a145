package registry

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ferry/config"
	"ferry/remote"
)

// openFrom opens a remote string by a configuration file of that text.
func openFrom(t *testing.T, file, remoteString string) (remote.Remote, error) {
	t.Helper()
	r, err := openSettings(t, file, remoteString)
	if err == nil {
		t.Cleanup(func() { _ = r.Close() })
	}
	return r, err
}

// openSettings opens a remote that the caller closes.
func openSettings(t *testing.T, file, remoteString string) (remote.Remote, error) {
	t.Helper()
	document, err := config.ParseDocument([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	sources := config.Sources{Types: Types(), File: document}
	resolve := func(s string) (config.Settings, error) {
		r, err := config.ParseRemote(s)
		if err != nil {
			return config.Settings{}, err
		}
		return sources.Resolve(r)
	}
	s, err := resolve(remoteString)
	if err != nil {
		t.Fatal(err)
	}
	return Open(t.Context(), s, Environment{}, resolve)
}

// tree makes a directory with the files a/f and b/g, each holding its path.
func tree(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range []string{"a/f", "b/g"} {
		file := filepath.Join(root, name)
		if err := os.Mkdir(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.ToSlash(root)
}

func read(t *testing.T, r remote.Remote, name string) string {
	t.Helper()
	f, err := r.Open(t.Context(), name, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAliasAndCombine(t *testing.T) {
	root := tree(t)
	file := strings.ReplaceAll(`
[short]
type = alias
remote = ROOT

[inner]
type = alias
remote = short:a

[both]
type = combine
upstreams = x=short:a "y=ROOT/b"

[nested]
type = combine
upstreams = both=both: m=:memory:
`, "ROOT", root)
	for remoteString, want := range map[string]struct{ name, content string }{
		"short:":                          {"a/f", "a/f"},
		"short:a":                         {"f", "a/f"},
		"short:/b/":                       {"g", "b/g"},
		"inner:":                          {"f", "a/f"},
		"both:":                           {"x/f", "a/f"},
		"both:y":                          {"g", "b/g"},
		"nested:":                         {"both/y/g", "b/g"},
		"nested:both/x":                   {"f", "a/f"},
		":alias,remote='" + root + "/a':": {"f", "a/f"},
	} {
		r, err := openFrom(t, file, remoteString)
		if err != nil {
			t.Errorf("%s: %v", remoteString, err)
			continue
		}
		if got := read(t, r, want.name); got != want.content {
			t.Errorf("%s: %s holds %q", remoteString, want.name, got)
		}
	}
}

func TestCombineThatCannotBeOpened(t *testing.T) {
	for upstreams, want := range map[string]string{
		"x":                         "dir=remote:path",
		"=:memory:":                 "dir=remote:path",
		"x=":                        "dir=remote:path",
		"x=:memory: x=:memory:":     "twice",
		"x/y=:memory:":              "not the name",
		"x=none:":                   "remote r",
		`"x=:memory:`:               "option upstreams",
		"x=:memory: y=/none/at/all": "/none/at/all",
		"x=r:":                      "made of it",
	} {
		_, err := openFrom(t, "[r]\ntype = combine\nupstreams = "+upstreams+"\n", "r:")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", upstreams, err, want)
		}
	}
	if _, err := openFrom(t, "[r]\ntype = combine\nupstreams = x=:memory: y=:memory:\n", "r:z/f"); err == nil || !strings.Contains(err.Error(), "x, y") {
		t.Errorf("a directory that is not there: %v", err)
	}
}

func TestAliasOfItselfIsAnError(t *testing.T) {
	_, err := openFrom(t, "[r]\ntype = alias\nremote = r:x\n", "r:")
	if err == nil || !strings.Contains(err.Error(), "made of it") {
		t.Errorf("%v", err)
	}
}

func TestWebOptions(t *testing.T) {
	for file, want := range map[string]string{
		"type = webdav\nurl = x://h":                                        "option url",
		"type = webdav\nurl = http://h\nvendor = hunter3":                   "option vendor",
		"type = webdav\nurl = http://h\nvendor = sharepoint":                "option vendor",
		"type = webdav\nurl = http://h\nheaders = hunter2":                  "option headers",
		"type = webdav\nurl = http://h\nheaders = \"a b\",hunter2":          "option headers",
		"type = webdav\nurl = http://h\nauth_redirect = hunter2":            "option auth_redirect",
		"type = webdav\nurl = http://h\natomic_put = hunter2":               "option atomic_put",
		"type = webdav\nurl = http://h\nencoding = hunter2":                 "option encoding",
		"type = webdav\nurl = http://h\nbearer_token_command = \"hunter2 x": "option bearer_token_command",
		"type = http\nurl = http://me:hunter2@h?x":                          "option url",
		"type = http\nurl = http://h\nno_head = hunter2":                    "option no_head",
	} {
		_, err := openFrom(t, "[r]\n"+file+"\n", "r:")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want %q", file, err, want)
		}
	}
	for file, want := range map[string]string{
		"type = webdav\nurl = https://me:hunter2@h/dav\natomic_put = true\nheaders = X-A,\"1,2\"": "webdav:h/dav/sub/",
		"type = http\nurl = https://me:hunter2@h/pub/":                                            "https:h/pub/sub/",
	} {
		r, err := openFrom(t, "[r]\n"+file+"\n", "r:sub")
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Info().Name; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
