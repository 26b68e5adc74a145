//go:build unix

package local

import (
	"os"
	"path/filepath"
	"testing"
)

// A fakeMount is a directory that a test says is on a mount point.
type fakeMount struct {
	*Remote
	point string
}

// openMount serves dir on the mount point of which f says the name.
func openMount(t *testing.T, dir, needed, point string) *fakeMount {
	t.Helper()
	r := openDir(t, dir, openTree, Options{})
	t.Cleanup(func() { r.Close() })
	f := &fakeMount{r, point}
	r.served.seen, r.served.needed = false, needed // as it was before the start
	if h := r.served.held; h != nil {
		r.served.drop(h)
		must(t, h.close())
	}
	r.served.mountOf = func(string) string { return f.point }
	return f
}

// becomes has another directory at the path, on a mount point.
func (f *fakeMount) becomes(t *testing.T, point string) {
	t.Helper()
	old, err := os.MkdirTemp(filepath.Dir(f.served.path), "old")
	must(t, err)
	must(t, os.Rename(f.served.path, filepath.Join(old, "served")))
	must(t, os.Mkdir(f.served.path, 0o777))
	f.point = point
}

func TestWhatLiesBeneathAMountPointIsNotServed(t *testing.T) {
	for name, test := range map[string]struct {
		needed string
		points []string // one after the other
		served string   // + for served, - for away
	}{
		"unmounted and mounted again":           {"", []string{"/mnt", "", "/mnt"}, "+-+"},
		"mounted late, and unmounted":           {"", []string{"", "/mnt", "", "/mnt"}, "++-+"},
		"made again without a mount":            {"", []string{"", "", ""}, "+++"},
		"on a mount, made again there":          {"", []string{"/mnt", "/mnt"}, "++"},
		"a mount in the mount comes and goes":   {"", []string{"/mnt", "/mnt/in", "/mnt", "/mnt/in"}, "++-+"},
		"another of a name that begins alike":   {"", []string{"/mnt/in", "/mnt/inner", "/mnt/in"}, "+-+"},
		"required, mounted late, and unmounted": {anyMount, []string{"", "/mnt", "", "/mnt"}, "-+-+"},
		"one of fstab is required":              {"/home/disk", []string{"", "/home", "/home/disk", "/home"}, "--+-"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "served")
			must(t, os.Mkdir(dir, 0o777))
			f := openMount(t, dir, test.needed, test.points[0])
			for i, point := range test.points {
				if i > 0 {
					f.becomes(t, point)
				}
				for range 2 {
					if test.served[i] == '-' {
						wantAllAway(t, f.Remote)
						if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
							t.Fatalf("step %d: %v was written beneath the mount point, %v", i, left, err)
						}
					} else if _, err := list(t, f.Remote, "."); err != nil {
						t.Errorf("step %d: %v", i, err)
					}
				}
			}
		})
	}
}

func TestARequiredMountMayComeAfterTheStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "there", "is", "none")
	r, err := New(dir, Options{RequireMount: true})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	wantAllAway(t, r)
	if _, err := New(dir, Options{}); !os.IsNotExist(err) {
		t.Errorf("without it: %v", err)
	}
}

func TestPlannedMounts(t *testing.T) {
	list := filepath.Join(t.TempDir(), "fstab")
	must(t, os.WriteFile(list, []byte(`# /dev/sdx /srv/commented ext4
UUID=1-2 / ext4 defaults 0 1
UUID=3	/srv/disk	ext4 defaults,nofail 0 2
UUID=4 /srv/disk/inner/ ext4 noauto
LABEL=x /media/my\040disk vfat
tmpfs none swap
broken
`), 0o600))
	for path, want := range map[string]string{
		"/srv/disk":           "/srv/disk",
		"/srv/disk/ftp":       "/srv/disk",
		"/srv/diskette":       "",
		"/srv/disk/inner/a/b": "/srv/disk/inner",
		"/media/my disk":      "/media/my disk",
		"/srv/commented":      "",
		"/home":               "",
	} {
		if got := plannedMount(path, list); got != want {
			t.Errorf("%s is on %q, want %q", path, got, want)
		}
	}
	if got := plannedMount("/srv/disk", list+".missing"); got != "" {
		t.Errorf("without a list it is on %q", got)
	}
}

func TestAMountThatIsMissingIsNoticed(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	table := filepath.Join(t.TempDir(), "fstab")
	must(t, os.WriteFile(table, []byte("/dev/x "+dir+" ext4 defaults\n"), 0o600))
	f := openMount(t, dir, "", "")
	if got := f.missingMount(t.Context(), table); got != dir {
		t.Errorf("of an empty directory: %q", got)
	}
	if got := f.missingMount(t.Context(), table+".other"); got != "" {
		t.Errorf("of one that is not in fstab: %q", got)
	}
	f.point = dir
	if got := f.missingMount(t.Context(), table); got != "" {
		t.Errorf("of one that is mounted: %q", got)
	}
	f.point = ""
	put(t, f.Remote, "f", "x")
	if got := f.missingMount(t.Context(), table); got != "" {
		t.Errorf("of one that is not empty: %q", got)
	}
}
