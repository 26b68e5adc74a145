package config

import (
	"maps"
	"runtime"
	"strings"
	"testing"
)

func TestParseRemote(t *testing.T) {
	local := func(path string) Remote { return Remote{Type: LocalType, Path: path} }
	tests := []struct {
		in   string
		want Remote
	}{
		{".", local(".")},
		{"dir", local("dir")},
		{"/abs/dir", local("/abs/dir")},
		{"/with:colon", local("/with:colon")},
		{"./name:path", local("./name:path")},
		{"a,b", local("a,b")}, // no colon at all
		{`a\b:c`, local(`a\b:c`)},
		{"with space/x:y", local("with space/x:y")},

		{"name:", Remote{Name: "name"}},
		{"name:path/to", Remote{Name: "name", Path: "path/to"}},
		{"name:/path", Remote{Name: "name", Path: "/path"}},
		{"name:a:b", Remote{Name: "name", Path: "a:b"}},
		{"my remote.1+x@y-z_:p", Remote{Name: "my remote.1+x@y-z_", Path: "p"}},
		{"größe:p", Remote{Name: "größe", Path: "p"}},

		{":memory:", Remote{Type: "memory"}},
		{":local:/srv", Remote{Type: "local", Path: "/srv"}},
		{":google cloud storage:bucket", Remote{Type: "google cloud storage", Path: "bucket"}},

		{"name,key=val:path", Remote{Name: "name", Params: map[string]string{"key": "val"}, Path: "path"}},
		{"name,flag:path", Remote{Name: "name", Params: map[string]string{"flag": "true"}, Path: "path"}},
		{"name,a=,b=2:", Remote{Name: "name", Params: map[string]string{"a": "", "b": "2"}}},
		{"name,flag,b=2:", Remote{Name: "name", Params: map[string]string{"flag": "true", "b": "2"}}},
		{`name,key="v,:":path`, Remote{Name: "name", Params: map[string]string{"key": "v,:"}, Path: "path"}},
		{`name,key='v,:':path`, Remote{Name: "name", Params: map[string]string{"key": "v,:"}, Path: "path"}},
		{`name,key="say ""hi""":path`, Remote{Name: "name", Params: map[string]string{"key": `say "hi"`}, Path: "path"}},
		{`name,key="":path`, Remote{Name: "name", Params: map[string]string{"key": ""}, Path: "path"}},
		{`name,key="""":path`, Remote{Name: "name", Params: map[string]string{"key": `"`}, Path: "path"}},
		{`name,key=a"b":path`, Remote{Name: "name", Params: map[string]string{"key": `a"b"`}, Path: "path"}},
		{"name,k=1,k=2:", Remote{Name: "name", Params: map[string]string{"k": "2"}}},
		{`:s3,endpoint="http://h:9000":b`, Remote{Type: "s3", Params: map[string]string{"endpoint": "http://h:9000"}, Path: "b"}},
		{":s3,endpoint=http://h:9000:b", Remote{Type: "s3", Params: map[string]string{"endpoint": "http"}, Path: "//h:9000:b"}},
	}
	for _, tt := range tests {
		got, err := ParseRemote(tt.in)
		if err != nil || got.Name != tt.want.Name || got.Type != tt.want.Type || got.Path != tt.want.Path || !maps.Equal(got.Params, tt.want.Params) {
			t.Errorf("ParseRemote(%q) = %+v, %v; want %+v", tt.in, got, err, tt.want)
		}
	}
	for _, in := range []string{
		"", ":", "::", ":/path", ":type", ":type/path:", ":,a=b:", ",a=b:c", "-name:p", " name:p", "name :p", "na?me:p", "\xff:p",
		"name,:p", "name,k-y=v:p", "name,=v:p", ":name,k=v", `name,k="v:p`, `name,k="v"x:p`, `:t,k`, `:t,k="v"`,
	} {
		if got, err := ParseRemote(in); err == nil {
			t.Errorf("ParseRemote(%q) = %+v, want an error", in, got)
		}
	}
}

func TestADriveLetterIsLocalOnlyOnWindows(t *testing.T) {
	got, err := ParseRemote("c:dir")
	want := Remote{Name: "c", Path: "dir"}
	if runtime.GOOS == "windows" {
		want = Remote{Type: LocalType, Path: "c:dir"}
	}
	if err != nil || got.Name != want.Name || got.Type != want.Type || got.Path != want.Path {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

// What cannot be read may hold a password, so an error tells the name of the option and nothing of
// its value.
func TestErrorsDoNotShowValues(t *testing.T) {
	for _, in := range []string{`name,pass="hunter2:p`, `name,pass="hunter2"x:p`, `:t,pass=hunter2`, `na?me,pass=hunter2:p`, `:t,pass=hunter2,k-y=hunter2:`} {
		_, err := ParseRemote(in)
		if err == nil {
			t.Errorf("%q was read", in)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error for %q shows the value: %v", in, err)
		}
	}
}

func FuzzParseRemote(f *testing.F) {
	for _, s := range []string{"name:path", ":type,key=val:path", `name,key="v,:":path`, "/abs", `n,k='a''b':`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRemote(s)
		if err != nil {
			return
		}
		if (r.Name == "") == (r.Type == "") {
			t.Errorf("%q: exactly one of name and type must be set: %+v", s, r)
		}
		if len(r.Path) > len(s) {
			t.Errorf("%q: the path grew: %+v", s, r)
		}
	})
}
