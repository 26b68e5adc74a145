package vfs_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/ftp"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/vfs"
)

// The names of these tests are sentences of the contracts.

func TestAnAbortedOverwriteLeavesTheOldContent(t *testing.T) {
	eachKind(t, func(t *testing.T, r remote.Remote) {
		v := vfs.New(r, vfs.Options{}).View("bob")
		upload(t, v, "f", "old", 0)
		cut(t, v, "f", "new content", 0)
		if got := content(t, v, "f"); got != "old" {
			t.Errorf("got %q", got)
		}
		if got := names(t, v, "."); got != "f" {
			t.Errorf("the listing shows %q", got)
		}
	})
}

func TestAnAbortedAppendLeavesTheOldContent(t *testing.T) {
	eachStager(t, func(t *testing.T, r remote.Remote) {
		v := vfs.New(r, vfs.Options{}).View("bob")
		upload(t, v, "f", "old", 0)
		cut(t, v, "f", " and more", vfs.AtEnd)
		cut(t, v, "f", "XX", 1)
		if got := content(t, v, "f"); got != "old" {
			t.Errorf("got %q", got)
		}
	})
}

func TestAPartIsShownOnlyToTheUserWhoSentIt(t *testing.T) {
	eachStager(t, func(t *testing.T, r remote.Remote) {
		tree := vfs.New(r, vfs.Options{})
		bob, again, eve := tree.View("bob"), tree.View("bob"), tree.View("eve")
		cut(t, bob, "f", "12345", 0)
		for _, v := range []*vfs.View{bob, again} {
			if names(t, v, ".") != "f" || size(t, v, "f") != 5 {
				t.Errorf("the owner sees %q", names(t, v, "."))
			}
		}
		if got := names(t, eve, "."); got != "" {
			t.Errorf("another user sees %q", got)
		}
		wantGone(t, eve, "f")
		wantErr(t, eve.Remove(t.Context(), "f"), fs.ErrNotExist, "")
		_, err := eve.Open(t.Context(), "f", 0)
		wantErr(t, err, fs.ErrNotExist, "")
		_, err = eve.Create(t.Context(), "f", 5)
		wantErr(t, err, fs.ErrInvalid, "nothing of that name")

		upload(t, eve, "f", "hers", 0)
		if got := content(t, bob, "f"); got != "hers" {
			t.Errorf("the published file reads %q", got)
		}
		if got := names(t, bob, "."); got != "f" {
			t.Errorf("beside a published file the part shows: %q", got)
		}
	})
}

func TestAPartIsNeverPublished(t *testing.T) {
	eachStager(t, func(t *testing.T, r remote.Remote) {
		ctx := t.Context()
		v := vfs.New(r, vfs.Options{}).View("bob")
		cut(t, v, "f", "12345", 0)
		_, err := v.Open(ctx, "f", 0)
		wantErr(t, err, fs.ErrPermission, "REST and STOR")
		wantErr(t, v.Rename(ctx, "f", "g"), fs.ErrPermission, "finish it before")
		wantErr(t, v.SetModTime(ctx, "f", time.Now()), fs.ErrPermission, "REST and STOR")
		wantErr(t, v.SetMode(ctx, "f", 0o600), fs.ErrPermission, "REST and STOR")
		if _, err = v.Hash(ctx, "f", "md5"); !errors.Is(err, errors.ErrUnsupported) {
			wantErr(t, err, fs.ErrPermission, "REST and STOR")
		}
		info, err := v.Stat(ctx, "f")
		if err != nil {
			t.Fatal(err)
		}
		if got := v.Permitted("f", info); got != ftp.PermWrite|ftp.PermAppend|ftp.PermDelete {
			t.Errorf("permitted: %06b", got)
		}
	})
}

func TestAContinuationThatIsCutTwiceGoesOn(t *testing.T) {
	eachStager(t, func(t *testing.T, r remote.Remote) {
		v := vfs.New(r, vfs.Options{}).View("bob")
		upload(t, v, "f", "0123", 0)
		cut(t, v, "f", "45", 4)
		// The client asks for the size, which is that of the file: the file is the beginning of
		// what it sends.
		upload(t, v, "f", "456789", 4)
		if got := content(t, v, "f"); got != "0123456789" {
			t.Errorf("got %q", got)
		}
	})
}

func TestAfterARestartTheOriginOfAPartIsNotGuessed(t *testing.T) {
	eachStager(t, func(t *testing.T, r remote.Remote) {
		v := vfs.New(r, vfs.Options{}).View("bob")
		upload(t, v, "f", "0123", 0)
		cut(t, v, "f", "45", 0)
		v = vfs.New(r, vfs.Options{}).View("bob")
		_, err := v.Create(t.Context(), "f", 4)
		wantErr(t, err, fs.ErrInvalid, "REST 2")
		upload(t, v, "f", "whole", 0)
		upload(t, v, "f", "!", vfs.AtEnd)
		if got := content(t, v, "f"); got != "whole!" {
			t.Errorf("got %q", got)
		}
	})
}

func TestContinue(t *testing.T) {
	// before is what is there: a published file, an own part that is older or newer than it, or
	// neither.
	type before struct{ file, part string }
	const newer, older = true, false
	tests := []struct {
		name      string
		before    before
		partNewer bool
		off       int64
		want      string // content after "++" was sent; "" = refused
		hint      string
	}{
		{"REST n continues a part at its end", before{"", "12345"}, newer, 5, "12345++", ""},
		{"REST n continues a part within it", before{"", "12345"}, newer, 2, "12++", ""},
		{"REST n beyond a part is refused", before{"", "12345"}, newer, 6, "", "its size is 5"},
		{"REST n continues a file at its end", before{"abcdef", ""}, newer, 6, "abcdef++", ""},
		{"REST n cuts a file at n", before{"abcdef", ""}, newer, 2, "ab++", ""},
		{"REST n beyond a file is refused", before{"abcdef", ""}, newer, 7, "", "beyond the end of the file; its size is 6"},
		{"REST n without either is refused", before{"", ""}, newer, 1, "", "nothing of that name"},
		{"REST n right behind a part newer than the file continues the part", before{"abcdef", "123"}, newer, 3, "123++", ""},
		{"REST n not right behind the part of a cut overwrite is refused", before{"abcdef", "123"}, newer, 2, "", "REST 3"},
		{"REST n right behind the file that a cut overwrite left is refused", before{"abcdef", "123"}, newer, 6, "", "REST 3"},
		{"REST n right behind an own part continues that, whoever stored the file since", before{"abcdef", "123"}, older, 3, "123++", ""},
		{"REST n elsewhere is refused, whoever stored the file since", before{"abcdef", "123"}, older, 6, "", "REST 3"},
		{"REST n right behind a part longer than the file continues the part", before{"abc", "12345"}, newer, 5, "12345++", ""},
		{"REST n beyond the file but within the part is refused", before{"abc", "12345"}, newer, 4, "", "REST 5"},
		{"APPE appends to the file", before{"abc", ""}, newer, vfs.AtEnd, "abc++", ""},
		{"APPE after a cut overwrite is refused", before{"abc", "12345"}, newer, vfs.AtEnd, "", "REST 5"},
		{"APPE after a cut upload is refused, whoever stored the file since", before{"abc", "12345"}, older, vfs.AtEnd, "", "REST 5"},
		{"APPE without a file continues the part", before{"", "123"}, newer, vfs.AtEnd, "123++", ""},
		{"APPE without either begins a file", before{"", ""}, newer, vfs.AtEnd, "++", ""},
		{"REST 0 begins anew", before{"", "123"}, newer, 0, "++", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			eachStager(t, func(t *testing.T, r remote.Remote) {
				v := vfs.New(r, vfs.Options{}).View("bob")
				if tt.before.file != "" {
					upload(t, v, "f", tt.before.file, 0)
				}
				if tt.before.part != "" {
					cut(t, v, "f", tt.before.part, 0)
				}
				if tt.before.file != "" {
					age := time.Hour
					if !tt.partNewer {
						age = -time.Hour
					}
					if err := v.SetModTime(t.Context(), "f", time.Now().Add(-age)); err != nil {
						t.Fatal(err)
					}
				}
				if tt.want == "" {
					_, err := v.Create(t.Context(), "f", tt.off)
					wantErr(t, err, fs.ErrInvalid, tt.hint)
					return
				}
				upload(t, v, "f", "++", tt.off)
				if got := content(t, v, "f"); got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			})
		})
	}
}

// What 226 has promised to one of two who append to a file must not vanish with the other's.
func TestOfTwoAppendsAtOnceNoneIsLost(t *testing.T) {
	eachStager(t, func(t *testing.T, r remote.Remote) {
		tree := vfs.New(r, vfs.Options{})
		bob, eve := tree.View("bob"), tree.View("eve")
		upload(t, bob, "f", "old", 0)
		hers, err := eve.Create(t.Context(), "f", vfs.AtEnd)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(hers, " hers")
		upload(t, bob, "f", " his", vfs.AtEnd)
		wantErr(t, hers.Commit(t.Context()), remote.ErrChanged, "changed meanwhile")
		hers.Abort()
		if got := content(t, bob, "f"); got != "old his" {
			t.Errorf("got %q", got)
		}
		upload(t, eve, "f", " hers", vfs.AtEnd)
		if got := content(t, bob, "f"); got != "old his hers" {
			t.Errorf("got %q", got)
		}
	})
}

func TestOfManyAppendsAtOnceOneIsPromised(t *testing.T) {
	eachStager(t, func(t *testing.T, r remote.Remote) {
		v := vfs.New(r, vfs.Options{}).View("bob")
		upload(t, v, "f", "0", 0)
		var ups []ftp.Upload
		for range 8 {
			u, err := v.Create(t.Context(), "f", vfs.AtEnd)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(u, "1")
			ups = append(ups, u)
		}
		promised := make(chan error, len(ups))
		for _, u := range ups {
			go func() { promised <- u.Commit(t.Context()) }()
		}
		stored := 0
		for range ups {
			if <-promised == nil {
				stored++
			}
		}
		if got := content(t, v, "f"); stored != 1 || got != "01" {
			t.Errorf("%d were promised, the file is %q", stored, got)
		}
	})
}

func TestAPartCanBeContinuedMoreThanOnce(t *testing.T) {
	eachStager(t, func(t *testing.T, r remote.Remote) {
		v := vfs.New(r, vfs.Options{}).View("bob")
		cut(t, v, "f", "12", 0)
		cut(t, v, "f", "34", 2)
		cut(t, v, "f", "", 4) // a connection that brings nothing leaves the part as it is
		upload(t, v, "f", "56", 4)
		if got := content(t, v, "f"); got != "123456" {
			t.Errorf("got %q", got)
		}
	})
}

func TestAnUploadThatTookNoByteLeavesNothing(t *testing.T) {
	eachStager(t, func(t *testing.T, r remote.Remote) {
		v := vfs.New(r, vfs.Options{}).View("bob")
		cut(t, v, "new", "", 0)
		wantGone(t, v, "new")
		upload(t, v, "f", "abc", 0)
		cut(t, v, "f", "", vfs.AtEnd)
		if err := v.Remove(t.Context(), "f"); err != nil {
			t.Fatal(err)
		}
		wantGone(t, v, "f")
	})
}

func TestADeletedFileDoesNotComeBackAsAPart(t *testing.T) {
	eachStager(t, func(t *testing.T, r remote.Remote) {
		v := vfs.New(r, vfs.Options{}).View("bob")
		upload(t, v, "f", "abc", 0)
		cut(t, v, "f", "12", 0)
		if err := v.Remove(t.Context(), "f"); err != nil {
			t.Fatal(err)
		}
		wantGone(t, v, "f")

		cut(t, v, "g", "12", 0)
		if err := v.Remove(t.Context(), "g"); err != nil {
			t.Errorf("an own part must be deletable: %v", err)
		}
		wantGone(t, v, "g")
	})
}

// A client that is cut sends the file again and then gives it its final name.
func TestAFinishedUploadLeavesNoPartBehind(t *testing.T) {
	eachStager(t, func(t *testing.T, r remote.Remote) {
		v := vfs.New(r, vfs.Options{}).View("bob")
		cut(t, v, "f.tmp", "12", 0)
		upload(t, v, "f.tmp", "1234", 0)
		if err := v.Rename(t.Context(), "f.tmp", "f"); err != nil {
			t.Fatal(err)
		}
		wantGone(t, v, "f.tmp")
		if got := names(t, v, "."); got != "f" {
			t.Errorf("the listing shows %q", got)
		}
	})
}

func TestAnExpiredPartDoesNotExist(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := vfs.New(memory.New(), vfs.Options{PartMaxAge: 24 * time.Hour}).View("bob")
		cut(t, v, "f", "12", 0)
		time.Sleep(24 * time.Hour)
		if size(t, v, "f") != 2 || names(t, v, ".") != "f" {
			t.Error("a part of 24 hours must still be there")
		}
		time.Sleep(time.Second)
		wantGone(t, v, "f")
		if got := names(t, v, "."); got != "" {
			t.Errorf("the listing shows %q", got)
		}
		_, err := v.Create(t.Context(), "f", 2)
		wantErr(t, err, fs.ErrInvalid, "nothing of that name")
		wantErr(t, v.Remove(t.Context(), "f"), fs.ErrNotExist, "")
		_, err = v.Open(t.Context(), "f", 0)
		wantErr(t, err, fs.ErrNotExist, "")
		upload(t, v, "f", "new", vfs.AtEnd)
		if got := content(t, v, "f"); got != "new" {
			t.Errorf("an append continued an expired part: %q", got)
		}
	})
}

func TestWithoutStagingAnUploadCannotBeContinued(t *testing.T) {
	v := vfs.New(whole{memory.New()}, vfs.Options{}).View("bob")
	upload(t, v, "f", "abc", 0)
	for _, off := range []int64{1, 3, vfs.AtEnd} {
		_, err := v.Create(t.Context(), "f", off)
		wantErr(t, err, errors.ErrUnsupported, "--vfs-cache-mode writes")
	}
	cut(t, v, "g", "123", 0)
	wantGone(t, v, "g")
	upload(t, v, "g", "new", vfs.AtEnd) // an append to nothing is an upload
	upload(t, v, "e", "", 0)
	upload(t, v, "e", "filled", vfs.AtEnd)
	if content(t, v, "g") != "new" || content(t, v, "e") != "filled" {
		t.Error("an append to nothing lost its content")
	}
}

// receiver is a remote whose stages are io.ReaderFroms that note what they were given.
type receiver struct {
	*memory.Remote
	got *io.Reader
}

func (r receiver) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	stage, err := r.Remote.Stage(ctx, name, o)
	return receivingStage{stage, r.got}, err
}

type receivingStage struct {
	remote.Stage
	got *io.Reader
}

func (s receivingStage) ReadFrom(r io.Reader) (int64, error) {
	*s.got = r
	return io.Copy(s.Stage, r)
}

func TestAReaderReachesTheStageUntouched(t *testing.T) {
	m := memory.New()
	var got io.Reader
	v := vfs.New(receiver{m, &got}, vfs.Options{}).View("bob")
	u, err := v.Create(t.Context(), "f", 0)
	if err != nil {
		t.Fatal(err)
	}
	conn := strings.NewReader("from the network")
	if n, err := u.(io.ReaderFrom).ReadFrom(conn); n != 16 || err != nil {
		t.Fatal(n, err)
	}
	if got != io.Reader(conn) {
		t.Errorf("the stage was given %T", got)
	}
	u.Abort()
	if size(t, v, "f") != 16 {
		t.Error("what came by ReadFrom was not kept")
	}
	plain, err := vfs.New(m, vfs.Options{}).View("bob").Create(t.Context(), "g", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Abort()
	if _, ok := plain.(io.ReaderFrom); ok {
		t.Error("an upload claims to be an io.ReaderFrom where the stage is none")
	}
}

// flat is a remote whose directories come with their first files. What was cut shows in one that is
// missing, too.
type flat struct {
	*memory.Remote
	parts map[string][]remote.Entry // by directory
}

func (f flat) Info() remote.Info {
	info := f.Remote.Info()
	info.Caps.ImplicitDirs = true
	return info
}

func (f flat) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		for _, e := range f.parts[dir] {
			if !yield(e, nil) {
				return
			}
		}
		f.Remote.List(ctx, dir)(yield)
	}
}

func TestAPartShowsBeforeItsDirectoryIsThere(t *testing.T) {
	r := flat{memory.New(), map[string][]remote.Entry{}}
	tree := vfs.New(r, vfs.Options{})
	bob, eve := tree.View("bob"), tree.View("eve")
	cut(t, bob, "f", "12345", 0)
	for e, err := range r.List(t.Context(), ".") {
		if err != nil {
			t.Fatal(err)
		}
		r.parts["new"] = append(r.parts["new"], e)
	}
	if got := names(t, bob, "new"); got != "f" {
		t.Errorf("the owner sees %q", got)
	}
	for info, err := range eve.List(t.Context(), "new") {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("another user: %v, %v", info, err)
		}
	}
}
