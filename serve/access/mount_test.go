package access_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"ferry/ftp"
	"ferry/serve/access"
	"ferry/vfs"
)

func TestJoin(t *testing.T) {
	home := newTree(t, vfs.Options{}, "f", "in/", "in/below", "way/", "way/w", "file")
	in := newTree(t, vfs.Options{}, "a", "d/")
	ro := newTree(t, vfs.Options{}, "b", "e/")
	deep := newTree(t, vfs.Options{}, "c")
	c := dial(t, access.Join(home, []access.Mount{
		{Path: "/in", FS: in}, {Path: "/way/ro", FS: ro, ReadOnly: true}, {Path: "/in/d/deep", FS: deep}, {Path: "/file/x", FS: deep},
	}))
	c.script(`
		GET NLST > 226 f way file in
		GET NLST in > 226 in/a in/d
		GET NLST in/d > 226 in/d/deep
		GET NLST in/d/deep > 226 in/d/deep/c
		GET NLST way > 226 way/w way/ro
		GET NLST file > 226 file/x
		GET RETR file > 550 Is a directory.
		GET RETR in/below > 550 No such file
		GET RETR in/a > 226 text
		GET RETR in/d/deep/c > 226 text
		GET RETR in > 550 Is a directory.
		SIZE in/a > 213 4
		SEND STOR in/new > 226
		SEND STOR in > 550 Is a directory.
		SEND STOR way/new > 226
		SEND STOR way/ro/new > 550 This directory is read-only.
		DELE way/ro/b > 550 This directory is read-only.
		MKD way/ro/new > 550 This directory is read-only.
		RMD way/ro/e > 550 This directory is read-only.
		MFMT 20200101000000 way/ro/b > 550 This directory is read-only.
		SITE CHMOD 600 way/ro/b > 550 This directory is read-only.
		GET RETR way/ro/b > 226 text
		HASH way/ro/b > 213
		RMD in > 550 Another storage
		DELE in > 550 Another storage
		RMD way > 550 Another storage
		MKD in > 550 File exists.
		RNFR in > 350
		RNTO on > 550 Another storage
		RNFR way > 350
		RNTO on > 550 Another storage
		RNFR f > 350
		RNTO in > 550 Another storage
		RNFR f > 350
		RNTO in/f > 550 That is on another storage: upload it there
		RNFR in/a > 350
		RNTO in/b > 250
		RNFR f > 350
		RNTO way/f > 250
		CWD in/d/deep > 250
		PWD > 257 "/in/d/deep"
		CDUP > 250
		MLST /way/ro/b > 250 Facts:
		MLST /in > 250 Facts:`)
	if _, text := c.do("MLST /way/ro/b"); !strings.Contains(text, "perm=r;") {
		t.Error(text)
	}
	for _, fixed := range []string{"/in", "/way"} {
		if _, text := c.do("MLST " + fixed); !strings.Contains(text, "perm=elcmp;") {
			t.Error(text)
		}
	}
}

func TestJoinWithoutARoot(t *testing.T) {
	in := newTree(t, vfs.Options{}, "a")
	c := dial(t, access.Join(nil, []access.Mount{{Path: "/x/in", FS: in}}))
	c.script(`
		GET NLST > 226 x
		GET NLST x > 226 x/in
		GET LIST > 226 drwxr-xr-x
		GET MLSD > 226 type=dir;perm=el;
		GET NLST none > 550 No such file
		CWD none > 550 No such file
		CWD x > 250
		CDUP > 250
		SEND STOR f > 550 Nothing can be stored here
		MKD d > 550 Nothing can be stored here
		SEND STOR x/in/f > 226
		DELE f > 550 No such file
		RNFR x/in/f > 350
		RNTO f > 550 That is on another storage
		AVBL > 550`)
}

// Rules hold for the path that the user sees.
func TestRulesOverMounts(t *testing.T) {
	in := newTree(t, vfs.Options{}, "a", "secret/", "secret/s")
	f := access.New(access.Join(nil, []access.Mount{{Path: "/x/in", FS: in}}),
		access.Policy{Rules: []access.Rule{rule("/x/in", "read-only"), rule("/x/in/secret", "")}})
	c := dial(t, f)
	c.script(`
		GET NLST > 226 x
		GET NLST x/in > 226 x/in/a
		GET RETR x/in/a > 226 text
		GET RETR x/in/secret/s > 550 No such file
		SEND STOR x/in/b > 550 You may not upload`)
}

// Where the storage finds a name in any case, what a mount hides stays hidden.
func TestCaseDoesNotPassAMount(t *testing.T) {
	home := newTree(t, vfs.Options{FoldCase: true}, "In/", "In/hidden")
	c := dial(t, access.Join(home, []access.Mount{{Path: "/in", FS: newTree(t, vfs.Options{}, "a")}}))
	c.script(`
		GET NLST > 226 in
		GET RETR IN/hidden > 550 No such file
		GET RETR IN/a > 226 text`)
}

type closing struct {
	ftp.FS
	err error
	n   *int
}

func (c closing) Close() error { *c.n++; return c.err }

func TestCloseClosesAll(t *testing.T) {
	n, broken := 0, errors.New("broken")
	one := func(err error) ftp.FS { return closing{newTree(t, vfs.Options{}), err, &n} }
	err := access.Join(one(nil), []access.Mount{{Path: "/a", FS: one(broken)}, {Path: "/b", FS: one(nil)}}).Close()
	if n != 3 || !errors.Is(err, broken) {
		t.Errorf("%d are closed: %v", n, err)
	}
}

// Reads of random joined trees are what a map of all paths says: a tree is laid over what was
// there, the shorter paths first.
func TestJoinAgreesWithAMap(t *testing.T) {
	seed := rand.Uint64()
	for i := range worlds(50) {
		rnd := rand.New(rand.NewPCG(seed+i, 0))
		all := map[string]string{"/": "dir"}
		grow := func(at string) *vfs.View {
			v := newTree(t, vfs.Options{})
			for range 8 {
				p, dir := randomPath(rnd), rnd.IntN(2) == 0
				put(v, name(p), dir)
				if info, err := v.Stat(t.Context(), name(p)); err == nil {
					all[path.Join(at, p)] = map[bool]string{true: "dir", false: "file"}[info.IsDir()]
				}
			}
			return v
		}
		home := grow("/")
		var mounts []access.Mount
		for _, at := range []string{"/a", "/b/z", "/a/b", "/z/z/b"} {
			if rnd.IntN(2) == 0 {
				continue
			}
			for p := range all {
				if p == at || strings.HasPrefix(p, at+"/") {
					delete(all, p)
				}
			}
			for up := at; up != "/"; up = path.Dir(up) {
				if all[up] == "file" {
					delete(all, up)
				}
				all[up] = "dir"
			}
			mounts = append(mounts, access.Mount{Path: at, FS: grow(at)})
		}
		rnd.Shuffle(len(mounts), func(i, j int) { mounts[i], mounts[j] = mounts[j], mounts[i] })
		compareWithMap(t, access.Join(home, mounts), all, fmt.Sprintf("seed %d: ", seed+i))
	}
}

func randomPath(rnd *rand.Rand) string {
	p := "/" + names[rnd.IntN(len(names))]
	for range rnd.IntN(3) {
		p = path.Join(p, names[rnd.IntN(len(names))])
	}
	return p
}

// compareWithMap compares each directory that there is with what all says.
func compareWithMap(t *testing.T, f ftp.FS, all map[string]string, what string) {
	t.Helper()
	for p, kind := range all {
		info, err := f.Stat(context.Background(), name(p))
		if err != nil || info.IsDir() != (kind == "dir") {
			t.Fatalf("%s%s is %v, %v; want a %s", what, p, info, err, kind)
		}
		if kind != "dir" {
			continue
		}
		var want, got []string
		for q := range all {
			if q != "/" && path.Dir(q) == p {
				want = append(want, path.Base(q)+" "+all[q])
			}
		}
		for info, err := range f.List(context.Background(), name(p)) {
			if err != nil {
				t.Fatal(what, err)
			}
			got = append(got, info.Name()+map[bool]string{true: " dir", false: " file"}[info.Mode()&fs.ModeDir != 0])
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			t.Fatalf("%s%s lists %q; want %q", what, p, got, want)
		}
	}
}

// Times can be set where the user may, in one of the trees.
func TestWhereTimesCanBeSet(t *testing.T) {
	times, none := newTree(t, vfs.Options{}), newTree(t, vfs.Options{NoModTime: true})
	policy := func(words string) access.Policy {
		return access.Policy{Rules: []access.Rule{rule("/", "list upload"), rule("/in", words)}}
	}
	for name, c := range map[string]struct {
		fs   ftp.FS
		want bool
	}{
		"a tree":                    {access.New(times, policy("mtime")), true},
		"the user may not":          {access.New(times, policy("upload")), false},
		"the tree cannot":           {access.New(none, policy("mtime")), false},
		"a mount can":               {access.Join(none, []access.Mount{{Path: "/in", FS: times}}), true},
		"a mount that is read-only": {access.Join(none, []access.Mount{{Path: "/in", FS: times, ReadOnly: true}}), false},
		"no root":                   {access.Join(nil, []access.Mount{{Path: "/in", FS: none}}), false},
	} {
		if got := (ftp.Forward{FS: c.fs}).SetsTimes(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
