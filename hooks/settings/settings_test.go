package settings_test

import (
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ferry/events"
	"ferry/hooks/settings"
)

func none(string, []string) string { return "" }

func TestPathsAreMatched(t *testing.T) {
	for _, tt := range []struct {
		glob, path string
		want       bool
	}{
		{"*.csv", "/in/a.csv", true},
		{"*.csv", "/in/a.csv.part", false},
		{"/in/*.csv", "/in/a.csv", true},
		{"/in/*.csv", "/in/b/a.csv", false},
		{"/in/**", "/in/b/a.csv", true},
		{"/in/**", "/in", true},
		{"/in/**", "/inn/a", false},
		{"/**/a.csv", "/a.csv", true},
		{"/**/x/**/*.csv", "/a/x/b/x/c/d.csv", true},
		{"/**/x/**/*.csv", "/a/b/c/d.csv", false},
		{"/**/x/y", "/x/x/x/y", true},
		{"/in/?.csv", "/in/ä.csv", true},
		{"/", "/", true},
	} {
		h := settings.Hook{Paths: []string{"nothing", tt.glob}}
		if got := h.MatchPath(tt.path); got != tt.want {
			t.Errorf("%s matches %s: %v", tt.glob, tt.path, got)
		}
		if err := settings.CheckGlob(tt.glob); err != nil {
			t.Error(err)
		}
	}
	if (settings.Hook{Paths: []string{"/in/**"}}).MatchPath("") != true || (settings.Hook{}).MatchPath("/x") != true {
		t.Error("what has no path, or no pattern, does not pass")
	}
	for _, bad := range []string{"", "[", "/in/[", "/in/**.csv"} {
		if settings.CheckGlob(bad) == nil {
			t.Errorf("%q is a pattern", bad)
		}
	}
}

// A pattern with many ** is decided without trying all ways.
func TestManyStars(t *testing.T) {
	h := settings.Hook{Paths: []string{strings.Repeat("/**/a", 40) + "/b"}}
	if h.MatchPath(strings.Repeat("/a", 400)) {
		t.Error("it matches")
	}
}

func TestIgnored(t *testing.T) {
	for path, want := range map[string]bool{"/a/x.part": true, "/x.filepart": true, "/.x.swp": true, "/x.swp": false, "/x": false, "/x.part/y": false} {
		if got := (settings.Hook{}).Ignores(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
	if (settings.Hook{Ignore: []string{}}).Ignores("/x.part") {
		t.Error("an empty list ignores something")
	}
}

func TestFlag(t *testing.T) {
	got, err := settings.ParseFlag("upload.stored,delete=/usr/bin/script  -v x", none)
	want := settings.Hook{Events: []string{"upload.stored", "delete"}, Program: []string{"/usr/bin/script", "-v", "x"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if got.Facts() != events.Of(events.UploadStored, events.Delete) || got.Asks("pre.login") {
		t.Errorf("it is told of %b", got.Facts())
	}
	got, err = settings.ParseFlag("login=https://example.org/a?b=c", none)
	if err != nil || got.URL != "https://example.org/a?b=c" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "login", "login=", "=x", "nothing=x", "login=http://", "login,pre.login=x", "command=x"} {
		if _, err := settings.ParseFlag(bad, none); err == nil {
			t.Errorf("%q is a hook", bad)
		}
	}
}

// names returns the names that hooks get, each behind what tells them apart in the test.
func names(t *testing.T, hooks ...settings.Hook) map[string]string {
	t.Helper()
	if err := settings.Unique(hooks); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, h := range hooks {
		got[h.Name] = strings.Join(append(append(h.Program, h.URL), append(h.Events, h.Users...)...), " ")
	}
	if len(got) != len(hooks) {
		t.Errorf("%d hooks have %d names: %v", len(hooks), len(got), got)
	}
	return got
}

// What waits for a hook goes by its name. So that is made of what the hook is, not of its place.
func TestNamesStay(t *testing.T) {
	stored, removed := []string{"upload.stored"}, []string{"delete", "rmdir"}
	all := []settings.Hook{
		{URL: "https://bob:pa55word@example.org:8443/x?key=pa55word", Events: stored}, {URL: "http://example.org/", Events: stored},
		{Program: []string{"/bin/sh", "/a/flood.sh"}, Events: stored}, {Program: []string{"/bin/sh", "/b/flood.sh"}, Events: stored},
		{Program: []string{"/bin/flood.sh"}, Events: stored}, {Program: []string{"/bin/flood.sh"}, Events: removed},
		{Program: []string{"/bin/flood.sh"}, Events: removed, Users: []string{"ann"}}, {Program: []string{"/bin/flood.sh"}, Events: removed, Users: []string{"bob"}},
		{URL: "clamd:/run/clamav/clamd.ctl", Events: []string{"check"}}, {Name: "sh", Program: []string{"/bin/sh"}, Events: stored},
	}
	want := names(t, slices.Clone(all)...)
	for name := range want {
		if strings.Contains(name, "pa55word") || strings.ContainsAny(name, "/:*?") {
			t.Errorf("a name is %q", name)
		}
	}
	for range 20 {
		mixed := slices.Clone(all)
		rand.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if got := names(t, mixed...); !maps.Equal(got, want) {
			t.Fatalf("in another order they are\n%v\nnot\n%v", got, want)
		}
	}
	for i := range all {
		for name, what := range names(t, all[i]) {
			if n := len(all[i].Users); n == 0 && want[name] != what {
				t.Errorf("alone %q is %s, not %s", name, what, want[name])
			}
		}
	}
	other := settings.Hook{URL: "https://eve:other@example.org:8443/x?key=new", Events: stored}
	for name := range names(t, other) {
		if _, same := want[name]; !same {
			t.Errorf("with another password it is %q", name)
		}
	}
	if settings.Unique([]settings.Hook{{Name: "a"}, {Name: "a"}}) == nil {
		t.Error("two have one name")
	}
}

// The word of others for an event is understood.
func TestOtherSpelling(t *testing.T) {
	h, err := settings.ParseFlag("login.failed,login=/bin/x", none)
	if err != nil || !slices.Equal(h.Events, []string{"login.refused", "login"}) || !h.Facts().Has(events.LoginRefused) {
		t.Errorf("%+v, %v", h, err)
	}
}

func TestWhatGoesTogether(t *testing.T) {
	program, told := []string{"x"}, []string{"delete"}
	for name, h := range map[string]settings.Hook{
		"no events":         {Program: program},
		"nothing to call":   {Events: told},
		"both":              {Events: told, Program: program, URL: "http://x/"},
		"told and asked":    {Events: []string{"delete", "check"}, Program: program},
		"secret of program": {Events: told, Program: program, Secrets: []string{"x"}},
		"two secrets":       {Events: told, URL: "http://x/", Secrets: []string{"x"}, SecretFile: "y"},
		"batch":             {Events: told, Program: program, Batch: 2},
		"fail":              {Events: told, Program: program, Fail: "open"},
		"quarantine":        {Events: []string{"pre.upload"}, Program: program, Quarantine: "/q"},
		"quarantine beside": {Events: []string{"check"}, Program: program, Quarantine: "q"},
		"quarantine of all": {Events: []string{"check"}, Program: program, Quarantine: "/in/.."},
		"settle":            {Events: []string{"pre.upload"}, Program: program, Settle: 1},
	} {
		if h.Check() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, h := range []settings.Hook{
		{Events: told, Program: program}, {Events: told, URL: "http://x/", Batch: 9}, {Events: []string{"check"}, Program: program, Quarantine: "/q", Fail: "open"},
	} {
		if err := h.Check(); err != nil {
			t.Error(err)
		}
	}
}
