package main

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
		got := placesOf(tt.given, tt.env, host{root: tt.root, temp: "/tmp", user: tt.user})
		if got.state != tt.state || got.cache != tt.cache {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

var placeInfo = remote.Info{Name: "s3:bucket", Place: "s3:host/bucket"}

func makeStore(t *testing.T, base string) string {
	t.Helper()
	dir := cacheDirOf(base, placeInfo)
	kept, err := openCacheDir(dir, cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	kept.Close()
	return dir
}

// What an earlier version has taken in is found where it put it.
func TestAnOldStoreIsUsedOn(t *testing.T) {
	base := t.TempDir()
	p := placesOf("", config.Environ{"STATE_DIRECTORY": filepath.Join(base, "state")},
		host{temp: filepath.Join(base, "tmp"), user: filepath.Join(base, "user")})
	want := cacheDirOf(p.state, placeInfo)
	if got, err := p.store(placeInfo, false); got != want || err != nil {
		t.Errorf("a new store is in %s, %v, want %s", got, err, want)
	}
	for _, old := range []string{"tmp/ferry", "user/ferry", "state"} { // the later ones come first
		want := makeStore(t, filepath.Join(base, old))
		if got, err := p.store(placeInfo, false); got != want || err != nil {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
	if _, err := (places{}).store(placeInfo, false); err == nil || !strings.Contains(err.Error(), "--cache-dir") {
		t.Errorf("without a place: %v", err)
	}
}

func TestWhatOthersMayWriteToIsNotUsed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it has no modes")
	}
	for _, tt := range []struct{ name, want string }{
		{"tls", "others may write to"}, {"tls/self-signed.pem", "others may read"}, {"vfs", "others may write to"},
	} {
		state := t.TempDir()
		args := []string{"serve", "ftp", ":memory:", "--addr", "127.0.0.1:0", "--tls", "self-signed", "--vfs-cache-mode", "writes"}
		env := []string{"STATE_DIRECTORY=" + state}
		if err := os.MkdirAll(filepath.Join(state, "tls"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(state, "vfs"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(state, "tls/self-signed.pem"), []byte("a key"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(state, tt.name), 0o777); err != nil {
			t.Fatal(err)
		}
		status, _, stderr := runNow(t, env, args...)
		if status != exitFailure || !strings.Contains(stderr, tt.want) || !strings.Contains(stderr, filepath.Join(state, tt.name)) {
			t.Errorf("%s: status %d: %s", tt.name, status, stderr)
		}
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
	p := placesOf("", nil, host{root: true, temp: base})
	p.state = filepath.Join(base, "state")
	theirs := makeStore(t, filepath.Join(base, "ferry"))
	const nobody = 65534
	if err := os.Chown(theirs, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	want := cacheDirOf(p.state, placeInfo)
	if got, err := p.store(placeInfo, false); got != want || err != nil {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	given := places{given: true, state: filepath.Join(base, "ferry")}
	if err := given.check(theirs); err == nil || !strings.Contains(err.Error(), "belongs to user 65534") {
		t.Errorf("a directory of another user: %v", err)
	}
}

func TestThePlaceIsTold(t *testing.T) {
	state := t.TempDir()
	r := startBare(t, []string{"STATE_DIRECTORY=" + state}, ":memory:", "--addr", "127.0.0.1:0", "--vfs-cache-mode", "writes", "--tls", "self-signed")
	r.url(t)
	for _, want := range []string{"dir=" + filepath.Join(state, "vfs"), "file=" + filepath.Join(state, "tls")} {
		if !strings.Contains(r.logged(), want) {
			t.Errorf("%s is missing:\n%s", want, r.logged())
		}
	}
}
