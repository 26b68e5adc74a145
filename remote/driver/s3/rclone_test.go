package s3

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/remote"
)

// sharedNames are names that programs may get wrong. Those with ‛ are not among them: rclone itself
// loses them.
func sharedNames() []string {
	return []string{
		"plain.txt", " a", "a ", "a．", "a／b", "．", "100%25.txt", "a+b&c=d#e;f", `"q" 'q'`, `a\b`, "a:b", "*?[a]",
		"Gr\u00fc\u00dfe", "📷", "...", "a.", "~", "$HOME", strings.Repeat("n", 200),
	}
}

// TestATreeThatIsSharedWithRclone lets rclone write what this package reads, and the other way
// round. It runs where RCLONE_BIN, or PATH, has one.
func TestATreeThatIsSharedWithRclone(t *testing.T) {
	bin, err := exec.LookPath(cmp.Or(os.Getenv("RCLONE_BIN"), "rclone"))
	if err != nil {
		t.Skip("there is no rclone: RCLONE_BIN can name one")
	}
	gateway := startGateway(t)
	rclone := func(args ...string) {
		t.Helper()
		cmd := exec.Command(bin, args...)
		cmd.Env = []string{"RCLONE_CONFIG=notfound", "HOME=" + t.TempDir()}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("rclone %q: %v: %s", args, err, out)
		}
	}
	there := `:s3,provider=Other,endpoint="http://` + gateway + `",access_key_id=` + testKey + ",secret_access_key=" + testSecret + ":" + testBucket
	when := time.Date(2001, 2, 3, 4, 5, 6, 789_000_000, time.UTC)
	dir := t.TempDir()
	for _, name := range sharedNames() {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	want := slices.Sorted(slices.Values(sharedNames()))

	rclone("copy", dir, there+"/theirs")
	theirs := openAt(t, testBucket+"/theirs", testOptions(gateway))
	if got := names(t, theirs, "."); !slices.Equal(got, want) {
		t.Errorf("of rclone's:\n%q, want\n%q", got, want)
	}
	wantShared(t, theirs, want, when)

	ours := openAt(t, testBucket+"/ours", testOptions(gateway))
	for _, name := range want {
		o := remote.PutOptions{ModTime: when}
		if _, err := ours.Put(t.Context(), name, strings.NewReader(name), o); err != nil {
			t.Fatal(err)
		}
	}
	back := t.TempDir()
	rclone("copy", there+"/ours", back)
	entries, err := os.ReadDir(back)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
		if info, err := e.Info(); err != nil || !info.ModTime().Equal(when) {
			t.Errorf("%q: %v, %v", e.Name(), info.ModTime(), err)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("of ours:\n%q, want\n%q", got, want)
	}
}

// wantShared wants files that hold their own names and have that time.
func wantShared(t *testing.T, r *Remote, want []string, when time.Time) {
	t.Helper()
	for _, name := range want {
		if e, err := r.Stat(t.Context(), name); err != nil || !e.ModTime.Equal(when) {
			t.Errorf("Stat(%q) = %+v, %v", name, e, err)
			continue
		}
		if got := load(t, r, name); string(got) != name {
			t.Errorf("%q holds %q", name, got)
		}
	}
}
