package vfs_test

import (
	"io/fs"
	"testing"

	"ferry/ftp"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/vfs"
)

func TestModes(t *testing.T) {
	tests := []struct {
		name      string
		keeps     bool // the remote keeps modes; it says 0644 and 0755
		modes     vfs.Modes
		file, dir fs.FileMode
	}{
		{"a remote without modes shows the defaults without the umask", false, vfs.Modes{File: 0o666, Dir: 0o777, Umask: 0o002}, 0o664, 0o775},
		{"a given umask counts there too", false, vfs.Modes{File: 0o666, Dir: 0o777, Umask: 0o077, UmaskGiven: true}, 0o600, 0o700},
		{"a remote with modes shows its own", true, vfs.Modes{File: 0o666, Dir: 0o777, Umask: 0o022}, 0o644, 0o755},
		{"a given mode of files wins over the remote's", true, vfs.Modes{File: 0o606, FileGiven: true, Dir: 0o777, Umask: 0o002}, 0o604, 0o755},
		{"a given mode of directories wins over the remote's", true, vfs.Modes{File: 0o666, Dir: 0o770, DirGiven: true}, 0o644, 0o770},
		{"a given umask takes from the remote's", true, vfs.Modes{File: 0o666, Dir: 0o777, Umask: 0o044, UmaskGiven: true}, 0o600, 0o711},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r remote.Remote = memory.New()
			if !tt.keeps {
				r = fixed{Remote: r}
			}
			v := vfs.New(r, vfs.Options{Modes: tt.modes}).View("bob")
			mkdir(t, v, "d")
			upload(t, v, "f", "", 0)
			for name, want := range map[string]fs.FileMode{"f": tt.file, "d": tt.dir | fs.ModeDir} {
				info, err := v.Stat(t.Context(), name)
				if err != nil || info.Mode() != want || info.IsDir() != want.IsDir() {
					t.Errorf("%s: got %v, %v; want %v", name, info.Mode(), err, want)
				}
			}
		})
	}
}

func TestInfoTellsOwnerAndIdentity(t *testing.T) {
	v := vfs.New(memory.New(), vfs.Options{UID: 33, GID: 44}).View("bob")
	upload(t, v, "f", "x", 0)
	before, err := v.Stat(t.Context(), "f")
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Rename(t.Context(), "f", "g"); err != nil {
		t.Fatal(err)
	}
	after, err := v.Stat(t.Context(), "g")
	if err != nil {
		t.Fatal(err)
	}
	a, b := before.(*vfs.Info), after.(*vfs.Info)
	if uid, gid := a.Owner(); uid != 33 || gid != 44 {
		t.Errorf("owner %d, group %d", uid, gid)
	}
	if a.ID() == 0 || a.ID() != b.ID() {
		t.Errorf("the identity changed from %d to %d", a.ID(), b.ID())
	}
	if a.Sys() != nil || b.Name() != "g" {
		t.Errorf("got %v, %q", a.Sys(), b.Name())
	}
}

func TestPermitted(t *testing.T) {
	const (
		file = ftp.PermRead | ftp.PermWrite | ftp.PermAppend | ftp.PermDelete | ftp.PermRename
		dir  = ftp.PermRead | ftp.PermEnter | ftp.PermCreate | ftp.PermMkdir | ftp.PermPurge | ftp.PermDelete | ftp.PermRename
	)
	moves := remote.Caps{MoveDir: true}
	tests := []struct {
		name  string
		caps  remote.Caps
		opt   vfs.Options
		entry string
		want  ftp.Perm
	}{
		{"everything with a file", moves, vfs.Options{}, "f", file},
		{"everything with a directory", moves, vfs.Options{}, "d", dir},
		{"the root stays", moves, vfs.Options{}, ".", dir &^ (ftp.PermDelete | ftp.PermRename)},
		{"directories that cannot move", remote.Caps{}, vfs.Options{}, "d", dir &^ ftp.PermRename},
		{"a file that may not be changed can still go", moves, vfs.Options{}, "r", file &^ (ftp.PermWrite | ftp.PermAppend)},
		{"a directory that may not be changed", moves, vfs.Options{}, "s", dir &^ (ftp.PermCreate | ftp.PermMkdir | ftp.PermPurge)},
		{"nothing but reading with --read-only", moves, vfs.Options{ReadOnly: true}, "f", ftp.PermRead},
		{"nothing but reading on such a remote", remote.Caps{ReadOnly: true}, vfs.Options{}, "d", ftp.PermRead | ftp.PermEnter},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := memory.New()
			w := vfs.New(m, vfs.Options{}).View("bob")
			for _, d := range []string{"d", "s"} {
				mkdir(t, w, d)
			}
			for _, f := range []string{"f", "r"} {
				upload(t, w, f, "", 0)
			}
			for _, locked := range []string{"r", "s"} {
				if err := w.SetMode(t.Context(), locked, 0o555); err != nil {
					t.Fatal(err)
				}
			}
			v := vfs.New(fixed{Remote: m, caps: tt.caps}, tt.opt).View("bob")
			info, err := v.Stat(t.Context(), tt.entry)
			if err != nil {
				t.Fatal(err)
			}
			if got := v.Permitted(tt.entry, info); got != tt.want {
				t.Errorf("got %06b, want %06b", got, tt.want)
			}
		})
	}
}

func TestAnEntryCostsOneAllocation(t *testing.T) {
	v := vfs.New(memory.New(), vfs.Options{}).View("bob")
	const files = 1000
	for i := range files {
		upload(t, v, string(rune('a'+i%26))+string(rune('a'+i/26%26))+string(rune('a'+i/676)), "", 0)
	}
	list := func() {
		n := 0
		for _, err := range v.List(t.Context(), ".") {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != files {
			t.Fatalf("%d entries", n)
		}
	}
	// The memory remote allocates a version text for each entry besides.
	if per := testing.AllocsPerRun(5, list) / files; per > 2.1 {
		t.Errorf("%.2f allocations for each entry", per)
	}
}
