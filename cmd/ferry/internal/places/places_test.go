package places

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"ferry/cache"
	"ferry/cmd/ferry/internal/logging"
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

// Without a place nothing durable is begun, and the flag that helps is named.
func TestWithoutAPlaceNothingIsKept(t *testing.T) {
	if p := of("", nil, host{root: true, windows: true, temp: "/tmp"}); p.state != "" || p.cache != "" {
		t.Errorf("%+v on a system without fixed names", p)
	}
	none := of("", nil, host{temp: t.TempDir()})
	if dir, err := none.Store(placeInfo, false); err == nil || !strings.Contains(err.Error(), "--cache-dir") {
		t.Errorf("the cache would be in %q, %v", dir, err)
	}
	if dir, err := none.Key(); err == nil || !strings.Contains(err.Error(), "--cache-dir") {
		t.Errorf("the key would be in %q, %v", dir, err)
	}
}

// What is only read can be fetched again: it is a cache, and what waits to be sent is not.
func TestWhatIsOnlyReadIsACache(t *testing.T) {
	base := t.TempDir()
	p := of("", config.Environ{"STATE_DIRECTORY": filepath.Join(base, "state"), "CACHE_DIRECTORY": filepath.Join(base, "cache")},
		host{temp: filepath.Join(base, "tmp")})
	for readOnly, want := range map[bool]string{true: p.cache, false: p.state} {
		if got, err := p.Store(placeInfo, readOnly); got != CacheDir(want, placeInfo) || err != nil {
			t.Errorf("read only %v: %s, %v", readOnly, got, err)
		}
	}
}

// Clients know the certificate that they have seen: an old key is used on, unless somebody else
// may have put it there.
func TestAnOldKeyIsUsedOn(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it has no modes")
	}
	base := t.TempDir()
	p := of("", config.Environ{"STATE_DIRECTORY": filepath.Join(base, "state")},
		host{temp: filepath.Join(base, "tmp"), user: filepath.Join(base, "user")})
	old, now := filepath.Join(base, "user/ferry/tls"), filepath.Join(p.state, "tls")
	expect := func(what, want string) {
		t.Helper()
		if got, err := p.Key(); got != want || err != nil {
			t.Errorf("%s: %s, %v, want %s", what, got, err, want)
		}
	}
	expect("a new key", now)
	if err := os.MkdirAll(old, 0o700); err != nil {
		t.Fatal(err)
	}
	expect("an old one", old)
	if err := os.Chmod(old, 0o777); err != nil {
		t.Fatal(err)
	}
	expect("one that others may have put there", now)
	if err := os.Chmod(old, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(now, 0o700); err != nil {
		t.Fatal(err)
	}
	expect("both", now)
}

// The directory that everything is in is looked at too, and the owner of a key and of a link.
func TestOwnersAreLookedAt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it has no modes")
	}
	base := t.TempDir()
	p := Dirs{state: filepath.Join(base, "state")}
	if err := os.Mkdir(p.state, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(p.state, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := p.Check(filepath.Join(p.state, "tls")); err == nil || !strings.Contains(err.Error(), p.state) {
		t.Errorf("a base that others may write to: %v", err)
	}
	if err := (Dirs{given: true, state: p.state, cache: p.state}).Check(filepath.Join(p.state, "tls")); err != nil {
		t.Errorf("one that the user has named: %v", err) // whose mode is the user's
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	const nobody = 65534
	key, link := filepath.Join(base, "key"), filepath.Join(base, "link")
	if err := os.WriteFile(key, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := CheckKey(key); err != nil {
		t.Error(err)
	}
	if err := os.Chown(key, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	if err := CheckKey(key); err == nil || !strings.Contains(err.Error(), "belongs to user 65534") {
		t.Errorf("a key of another user: %v", err)
	}
	if err := os.Chmod(p.state, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(p.state, link); err != nil {
		t.Fatal(err)
	}
	if err := checkPrivate(link); err != nil {
		t.Error(err)
	}
	if err := os.Lchown(link, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	if err := checkPrivate(link); err == nil || !strings.Contains(err.Error(), "belongs to user 65534") {
		t.Errorf("a link of another user: %v", err)
	}
}

// What was durable in a place that something may clear is moved by its owner: the log says from
// where to where. Without a cache mode what waits there is not sent, and that is said as well.
func TestWhatWaitsInAnOldPlaceIsTold(t *testing.T) {
	base := t.TempDir()
	p := of("", config.Environ{"STATE_DIRECTORY": filepath.Join(base, "state")}, host{temp: filepath.Join(base, "tmp")})
	old := CacheDir(filepath.Join(base, "tmp/ferry"), placeInfo)
	var text bytes.Buffer
	log := slog.New(logging.NewText(&text, logging.Notice))
	p.Tell(log, old)
	if to := CacheDir(p.state, placeInfo); !strings.Contains(text.String(), "WARN") || !strings.Contains(text.String(), "dir="+old) || !strings.Contains(text.String(), "to="+to) {
		t.Errorf("the log: %s", text.String())
	}
	text.Reset()
	p.Tell(log, CacheDir(p.state, placeInfo))
	if strings.Contains(text.String(), "WARN") {
		t.Errorf("the log: %s", text.String())
	}
	kept, err := OpenCache(old, cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	draft, err := kept.Create(t.Context(), cache.CreateOptions{Name: "f", Owner: "bob"})
	if err == nil {
		_, err = draft.Commit(t.Context(), cache.Record{Name: "f"}, cache.Durable)
	}
	if err != nil {
		t.Fatal(err)
	}
	kept.Close()
	text.Reset()
	for _, base := range p.All() { // as a server without a cache mode does
		WarnOfWaiting(CacheDir(base, placeInfo), log)
	}
	if !strings.Contains(text.String(), "files wait in the disk cache") || !strings.Contains(text.String(), "dir="+old) {
		t.Errorf("the log: %s", text.String())
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
