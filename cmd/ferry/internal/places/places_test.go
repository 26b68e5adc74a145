package places

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"ferry/cache"
	"ferry/config"
	"ferry/remote"
)

func TestPlaces(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the paths are those of unix")
	}
	home := config.Environ{"HOME": "/home/bob"}
	unit := config.Environ{"STATE_DIRECTORY": "/var/lib/ftp:/var/lib/more", "CACHE_DIRECTORY": "/var/cache/ftp"}
	for _, tt := range []struct {
		name         string
		given        string
		env          config.Environ
		root         bool
		user         string
		state, cache string
	}{
		{"a user", "", home, false, "/home/bob/.cache", "/home/bob/.cache/ferry", "/home/bob/.cache/ferry"},
		{"a flag", "/x", unit, true, "/root/.cache", "/x", "/x"},
		{"a unit", "", unit, false, "", "/var/lib/ftp", "/var/cache/ftp"},
		{"a unit with HOME", "", unit, false, "/home/bob/.cache", "/var/lib/ftp", "/var/cache/ftp"},
		{"a unit of root", "", unit, true, "", "/var/lib/ftp", "/var/cache/ftp"},
		{"root", "", nil, true, "", "/var/lib/ferry", "/var/cache/ferry"},
		{"a unit with a cache only", "", config.Environ{"CACHE_DIRECTORY": "/var/cache/ftp"}, false, "", "", "/var/cache/ftp"},
		{"nothing", "", nil, false, "", "", ""},
	} {
		got := of(tt.given, tt.env, host{root: tt.root, temp: "/tmp", user: tt.user})
		if got.state != tt.state || got.cache != tt.cache {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

var placeInfo = remote.Info{Name: "s3:bucket", Place: "s3:host/bucket"}

func makeStore(t *testing.T, base string) string {
	t.Helper()
	dir := CacheDir(base, placeInfo)
	kept, err := OpenCache(dir, cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	kept.Close()
	return dir
}

// What an earlier version has taken in is found where it put it.
func TestAnOldStoreIsUsedOn(t *testing.T) {
	base := t.TempDir()
	p := of("", config.Environ{"STATE_DIRECTORY": filepath.Join(base, "state")},
		host{temp: filepath.Join(base, "tmp"), user: filepath.Join(base, "user")})
	want := CacheDir(p.state, placeInfo)
	if got, err := p.Store(placeInfo, false); got != want || err != nil {
		t.Errorf("a new store is in %s, %v, want %s", got, err, want)
	}
	for _, old := range []string{"tmp/ferry", "user/ferry", "state"} { // the later ones come first
		want := makeStore(t, filepath.Join(base, old))
		if got, err := p.Store(placeInfo, false); got != want || err != nil {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
	if _, err := (Dirs{}).Store(placeInfo, false); err == nil || !strings.Contains(err.Error(), "--cache-dir") {
		t.Errorf("without a place: %v", err)
	}
}

// Somebody else's directory in a place that everybody can write to is neither used nor in the way.
func TestWhatOthersOwnIsNotUsed(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	base := t.TempDir()
	if err := os.Chmod(filepath.Dir(base), 0o755); err != nil {
		t.Fatal(err)
	}
	p := of("", nil, host{root: true, temp: base})
	p.state = filepath.Join(base, "state")
	theirs := makeStore(t, filepath.Join(base, "ferry"))
	const nobody = 65534
	if err := os.Chown(theirs, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	want := CacheDir(p.state, placeInfo)
	if got, err := p.Store(placeInfo, false); got != want || err != nil {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	given := Dirs{given: true, state: filepath.Join(base, "ferry")}
	if err := given.Check(theirs); err == nil || !strings.Contains(err.Error(), "belongs to user 65534") {
		t.Errorf("a directory of another user: %v", err)
	}
}

func TestCacheDirTellsPlacesApart(t *testing.T) {
	a := CacheDir("/c", remote.Info{Name: "s3:bucket", Place: "s3:one/bucket"})
	b := CacheDir("/c", remote.Info{Name: "s3:bucket", Place: "s3:two/bucket"})
	if a == b || filepath.Dir(a) != filepath.Join("/c", "vfs") {
		t.Errorf("%s and %s", a, b)
	}
	odd := filepath.Base(CacheDir("/c", remote.Info{Name: "local:/../" + strings.Repeat("ä/", 200)}))
	if len(odd) > 100 || strings.ContainsAny(odd, "/\\:") || strings.HasPrefix(odd, ".") {
		t.Errorf("%q", odd)
	}
}
