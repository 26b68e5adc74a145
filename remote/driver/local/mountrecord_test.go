//go:build unix

package local

import (
	"os"
	"path/filepath"
	"testing"
)

// again serves the directory on the mount point, as a process does that has the records of those
// before it.
func (f *fakeMount) again(t *testing.T, records, point string) *fakeMount {
	t.Helper()
	g, err := f.start(t, records, point)
	must(t, err)
	return g
}

func (f *fakeMount) start(t *testing.T, records, point string) (*fakeMount, error) {
	t.Helper()
	g := openMount(t, t.TempDir(), f.served.needed, point)
	g.served.path = f.served.path
	g.served.recall(records)
	_, err := g.served.begin()
	return g, err
}

func wantServed(t *testing.T, f *fakeMount) {
	t.Helper()
	if _, err := list(t, f.Remote, "."); err != nil {
		t.Errorf("it is not served: %v", err)
	}
}

func records(t *testing.T, dir string) []os.DirEntry {
	t.Helper()
	all, err := os.ReadDir(dir)
	if !os.IsNotExist(err) {
		must(t, err)
	}
	return all
}

// onDisk serves a directory on a mount point, and ends.
func onDisk(t *testing.T) (f *fakeMount, kept string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "served")
	must(t, os.Mkdir(dir, 0o777))
	kept = filepath.Join(t.TempDir(), "state", "mounts")
	f = openMount(t, dir, "", "/mnt").again(t, kept, "/mnt")
	wantServed(t, f)
	must(t, f.Close())
	return f, kept
}

func TestTheNextProcessKnowsTheMountPoint(t *testing.T) {
	f, kept := onDisk(t)
	f.becomes(t, "") // unmounted, beneath lies another directory
	g := f.again(t, kept, "")
	wantAllAway(t, g.Remote)
	if left, err := os.ReadDir(f.served.path); err != nil || len(left) > 0 {
		t.Errorf("%v was written beneath the mount point, %v", left, err)
	}
	if mount, file := g.MissingRecorded(); mount != "/mnt" || file == "" {
		t.Errorf("missing is %q by %q", mount, file)
	}
	g.becomes(t, "/mnt")
	wantServed(t, g)
	if mount, _ := g.MissingRecorded(); mount != "" {
		t.Errorf("missing is %q, which is there", mount)
	}
	g.becomes(t, "")
	wantAllAway(t, g.Remote)

	// The directory comes only with the mount.
	must(t, os.Remove(f.served.path))
	wantAllAway(t, f.again(t, kept, "").Remote)
	if _, err := f.start(t, kept, "/mnt"); !os.IsNotExist(err) {
		t.Errorf("a directory that is missing on a disk that is there: %v", err)
	}
}

func TestAMountPointIsForgotten(t *testing.T) {
	for name, forget := range map[string]func(t *testing.T, g *fakeMount, kept string){
		"by removing the file that is named": func(t *testing.T, g *fakeMount, _ string) {
			_, file := g.MissingRecorded()
			must(t, os.Remove(file))
		},
		"by a call, before the next start": func(t *testing.T, g *fakeMount, kept string) {
			mount, err := ForgetMount(kept, g.served.path)
			must(t, err)
			if mount != "/mnt" {
				t.Errorf("forgotten is %q", mount)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, kept := onDisk(t)
			f.becomes(t, "")
			g := f.again(t, kept, "")
			wantAllAway(t, g.Remote)
			forget(t, g, kept)
			wantServed(t, g)
			put(t, g.Remote, "plain", "x")
			wantServed(t, f.again(t, kept, ""))
			if left := records(t, kept); len(left) > 0 {
				t.Errorf("%v are left", left)
			}
		})
	}
	if mount, err := ForgetMount(filepath.Join(t.TempDir(), "none"), "/srv"); mount != "" || err != nil {
		t.Errorf("where none was: %q, %v", mount, err)
	}
}

// A unit may mount a directory at itself: without that it is the same one.
func TestADirectoryIsTheSameWithoutItsMount(t *testing.T) {
	f, kept := onDisk(t)
	wantServed(t, f.again(t, kept, ""))
	if left := records(t, kept); len(left) > 0 {
		t.Errorf("it is on no mount point, and there are %v", left)
	}
}

func TestRecordsOfMountPoints(t *testing.T) {
	f, kept := onDisk(t)
	all := records(t, kept)
	if len(all) != 1 {
		t.Fatalf("there are %v", all)
	}
	file := filepath.Join(kept, all[0].Name())
	info, err := os.Stat(file)
	must(t, err)
	wantServed(t, f.again(t, kept, "/mnt"))
	if now, err := os.Stat(file); err != nil || !os.SameFile(now, info) {
		t.Errorf("it was written again though nothing has changed, %v", err)
	}
	f.again(t, kept, "/mnt/deeper")
	f.becomes(t, "")
	if mount, _ := f.again(t, kept, "").MissingRecorded(); mount != "/mnt/deeper" {
		t.Errorf("it was on %q last", mount)
	}
	for name, text := range map[string]string{
		"empty":              "",
		"broken":             `{"path":`,
		"of another":         `{"path":"/other","mount":"/mnt"}`,
		"of no path at all":  `{"path":"` + f.served.path + `","mount":"mnt"}`,
		"of no mount at all": `{"path":"` + f.served.path + `"}`,
	} {
		must(t, os.WriteFile(file, []byte(text), 0o600))
		g := f.again(t, kept, "")
		if _, err := list(t, g.Remote, "."); err != nil {
			t.Errorf("with a record that is %s: %v", name, err)
		}
	}
}

// Without a place for records all is as it was: a process knows what it has seen itself.
func TestMountPointsThatCannotBeRecorded(t *testing.T) {
	dir, inTheWay := filepath.Join(t.TempDir(), "served"), filepath.Join(t.TempDir(), "file")
	must(t, os.Mkdir(dir, 0o777))
	must(t, os.WriteFile(inTheWay, nil, 0o600))
	f := openMount(t, dir, "", "/mnt").again(t, filepath.Join(inTheWay, "mounts"), "/mnt")
	wantServed(t, f)
	if f.MountUnrecorded() == nil {
		t.Error("nobody is told")
	}
	f.becomes(t, "")
	wantAllAway(t, f.Remote)
	g := f.again(t, "", "")
	wantServed(t, g)
	if err := g.MountUnrecorded(); err != nil {
		t.Error(err)
	}
}
