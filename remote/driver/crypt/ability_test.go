package crypt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/crypt"
	"ferry/remote/driver/crypt/cipher"
	"ferry/remote/driver/memory"
)

// TestNoAbilityIsLost: what a decorator passes on, this remote passes on too, but for checksums.
func TestNoAbilityIsLost(t *testing.T) {
	r := open(t, memory.New(), crypt.Options{})
	tree := reflect.TypeOf(r)
	forward := reflect.TypeFor[remote.Forward]()
	for i := range forward.NumMethod() {
		name := forward.Method(i).Name
		if _, ok := tree.MethodByName(name); ok == (name == "Hash" || name == "Unwrap") {
			t.Errorf("%v has a method %s: %v", tree, name, ok)
		}
	}
	if caps := r.Info().Caps; caps.NoParts || !caps.MoveDir || !caps.Modes || caps.MaxName != 2047 {
		t.Errorf("%+v", caps)
	}
}

// TestAnotherPasswordIsAnotherPlace, so that a cache never shows what was decrypted by it.
func TestAnotherPasswordIsAnotherPlace(t *testing.T) {
	below := memory.New()
	one := open(t, below, crypt.Options{}).Info().Identity()
	if again := open(t, below, crypt.Options{StrictNames: true, ShowMapping: true}).Info().Identity(); again != one {
		t.Errorf("%s became %s", one, again)
	}
	other, err := crypt.New(below, crypt.Options{Keys: cipher.Keys{Data: [32]byte{9}}})
	if err != nil {
		t.Fatal(err)
	}
	for what, r := range map[string]remote.Remote{
		"a password": other, "plain data": open(t, below, crypt.Options{PlainData: true}),
		"names": open(t, below, crypt.Options{Names: cipher.Options{Names: cipher.Off}}),
	} {
		if r.Info().Identity() == one {
			t.Errorf("another one of %s is the same place", what)
		}
	}
}

// unreadable is a Stager whose parts cannot be read.
type unreadable struct {
	remote.Remote
	remote.Stager
}

func TestPartsThatCannotBeReadAreNotKept(t *testing.T) {
	below := memory.New()
	r := open(t, unreadable{below, below}, crypt.Options{})
	if !r.Info().Caps.NoParts {
		t.Error("it says that parts are kept")
	}
	u, err := r.(remote.Stager).Stage(t.Context(), "f", remote.StageOptions{Owner: owner})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(u, "content")
	if err := u.Keep(); err != nil {
		t.Fatal(err)
	}
	for e, err := range below.List(t.Context(), ".") {
		t.Errorf("below there is %+v, %v", e, err)
	}
	if _, ok := open(t, struct{ remote.Remote }{below}, crypt.Options{}).(remote.Stager); ok {
		t.Error("a remote that cannot stage becomes one that can")
	}
}

// summed is a remote that tells checksums of what it has.
type summed struct{ *memory.Remote }

func (s summed) Stat(ctx context.Context, name string) (remote.Entry, error) {
	e, err := s.Remote.Stat(ctx, name)
	e.Digest = "md5:of what is encrypted"
	return e, err
}

func (s summed) Hash(context.Context, string, string) ([]byte, error) { return []byte("sum"), nil }

func TestChecksumsOfWhatIsEncryptedAreNotThoseOfContents(t *testing.T) {
	r := open(t, summed{memory.New()}, crypt.Options{})
	put(t, r, "f", content(5))
	if e, err := r.Stat(t.Context(), "f"); err != nil || e.Digest != "" {
		t.Errorf("%+v, %v", e, err)
	}
	if sum, err := remote.Hash(t.Context(), r, "f", "md5"); !errors.Is(err, remote.ErrUnsupported) {
		t.Errorf("%q, %v", sum, err)
	}
}

// asked is a remote that records which ranges are read, and tells versions with them.
type asked struct {
	*memory.Remote
	slow bool // it is not as fast as a cache

	mu     sync.Mutex
	ranges []string // guarded by mu
}

func (a *asked) Info() remote.Info {
	i := a.Remote.Info()
	i.Caps.CheapStat = !a.slow
	return i
}

func (a *asked) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ranges = append(a.ranges, fmt.Sprintf("%d+%d", off, n))
	return a.Remote.Open(ctx, name, off, n)
}

func (a *asked) Stat(ctx context.Context, name string) (remote.Entry, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ranges = append(a.ranges, "stat")
	return a.Remote.Stat(ctx, name)
}

// TestOnlyTheBlocksOfARangeAreRead, and the header once for each version.
func TestOnlyTheBlocksOfARangeAreRead(t *testing.T) {
	const block, data = cipher.BlockSize, cipher.BlockData
	below := &asked{Remote: memory.New(), slow: true}
	r := open(t, below, crypt.Options{})
	want := content(10*data + 7)
	put(t, r, "f", want)
	for _, c := range []struct {
		off, n int64
		asked  string
	}{
		{5*data + 3, 10, fmt.Sprintf("0+32 %d+%d", 32+5*block, block)},
		{5*data - 1, 2, fmt.Sprintf("%d+%d", 32+4*block, 2*block)},
		{9 * data, data, fmt.Sprintf("%d+%d", 32+9*block, block)},
		{0, 100, fmt.Sprintf("0+%d", 32+block)},
		{0, data + 1, fmt.Sprintf("0+%d", 32+2*block)},
		{0, -1, "0+-1"},
		{3 * data, -1, fmt.Sprintf("%d+-1", 32+3*block)},
	} {
		below.ranges = nil
		got, err := get(t.Context(), r, "f", c.off, c.n)
		end := int64(len(want))
		if c.n >= 0 {
			end = min(end, c.off+c.n)
		}
		if err != nil || !bytes.Equal(got, want[c.off:end]) {
			t.Errorf("%d bytes at %d: %d, %v", c.n, c.off, len(got), err)
		}
		slices.Sort(below.ranges)
		if got := strings.Join(below.ranges, " "); got != c.asked {
			t.Errorf("%d bytes at %d: asked for %s, want %s", c.n, c.off, got, c.asked)
		}
	}
}

// TestANonceIsNotThatOfAnotherVersion: the file is replaced after its header was remembered, also
// below, where that is not seen.
func TestANonceIsNotThatOfAnotherVersion(t *testing.T) {
	below := &asked{Remote: memory.New(), slow: true}
	r, other := open(t, below, crypt.Options{}), open(t, below, crypt.Options{})
	for i := range 3 {
		want := content(3*cipher.BlockData + i)
		put(t, other, "f", want)
		for _, off := range []int64{2 * cipher.BlockData, 2*cipher.BlockData + 5} {
			if got, err := get(t.Context(), r, "f", off, -1); err != nil || !bytes.Equal(got, want[off:]) {
				t.Errorf("version %d from %d: %d bytes, %v", i, off, len(got), err)
			}
		}
	}
}

func TestShowMapping(t *testing.T) {
	below := memory.New()
	r := open(t, below, crypt.Options{ShowMapping: true})
	put(t, r, "visible.txt", nil)
	var log bytes.Buffer
	ctx := remote.WithLog(t.Context(), slog.New(slog.NewTextHandler(&log, nil)))
	for _, err := range r.List(ctx, ".") {
		if err != nil {
			t.Error(err)
		}
	}
	if text := log.String(); !strings.Contains(text, "visible.txt") || !strings.Contains(text, only(t, below)) {
		t.Errorf("the log says %s", text)
	}
}

// telling is a remote that tells what it is told to.
type telling struct {
	remote.Remote
	changes []remote.Change
}

func (s telling) Watch(context.Context, time.Duration) iter.Seq2[remote.Change, error] {
	return func(yield func(remote.Change, error) bool) {
		for _, c := range s.changes {
			if !yield(c, nil) {
				return
			}
		}
		yield(remote.Change{}, errors.New("over"))
	}
}

// TestChangesAreToldByTheirNamesHere, and those of files that are not encrypted are not told.
func TestChangesAreToldByTheirNamesHere(t *testing.T) {
	c, err := cipher.New(testKeys(), cipher.Options{})
	if err != nil {
		t.Fatal(err)
	}
	name := func(plain string) string {
		encrypted, err := c.DirName(plain)
		if err != nil {
			t.Fatal(err)
		}
		return encrypted
	}
	off := crypt.Options{Names: cipher.Options{Names: cipher.Off}}
	for _, tt := range []struct {
		o    crypt.Options
		from remote.Change
		want []remote.Change
	}{
		{crypt.Options{}, remote.Everything(), []remote.Change{remote.Everything()}},
		{crypt.Options{}, remote.Change{Name: name("d") + "/" + name("f"), Version: "7"}, []remote.Change{{Name: "d/f", Version: "7"}}},
		{crypt.Options{}, remote.Change{Name: name("d"), Dir: true, Removed: true}, []remote.Change{{Name: "d", Dir: true, Removed: true}}},
		{crypt.Options{}, remote.Change{Name: name("d") + "/foreign"}, nil},
		{crypt.Options{}, remote.Change{Name: "foreign/" + name("f")}, nil},
		{off, remote.Change{Name: "d/f.bin"}, []remote.Change{{Name: "d/f"}, {Name: "d/f.bin"}}},
		{off, remote.Change{Name: "d", Dir: true, Below: true}, []remote.Change{{Name: "d", Dir: true, Below: true}}},
		{off, remote.Change{Name: "d"}, []remote.Change{{Name: "d"}}},
	} {
		r := open(t, telling{memory.New(), []remote.Change{tt.from}}, tt.o)
		var told []remote.Change
		for c, err := range r.(remote.Watcher).Watch(t.Context(), time.Minute) {
			if err == nil {
				told = append(told, c)
			} else if !strings.Contains(err.Error(), "over") {
				t.Error(err)
			}
		}
		if !slices.Equal(told, tt.want) {
			t.Errorf("%+v: told %+v, want %+v", tt.from, told, tt.want)
		}
	}
}

// TestFilesAndDirectoriesOfOneName: below they have two names where names are off.
func TestFilesAndDirectoriesOfOneName(t *testing.T) {
	ctx := t.Context()
	r := open(t, memory.New(), crypt.Options{Names: cipher.Options{Names: cipher.Off}})
	put(t, r, "f", content(1))
	put(t, r, "g", content(1))
	if err := r.Mkdir(ctx, "d"); err != nil {
		t.Fatal(err)
	}
	_, putErr := r.Put(ctx, "d", strings.NewReader("x"), remote.PutOptions{})
	_, stageErr := r.(remote.Stager).Stage(ctx, "d", remote.StageOptions{Owner: owner})
	for what, c := range map[string]struct{ err, want error }{
		"a directory in the place of a file":  {r.Mkdir(ctx, "f"), remote.ErrExist},
		"a file in the place of a directory":  {putErr, remote.ErrIsDir},
		"an upload to it":                     {stageErr, remote.ErrIsDir},
		"a rename of a file to it":            {remote.Move(ctx, r, "g", "d"), remote.ErrIsDir},
		"a rename of the directory to a file": {remote.Move(ctx, r, "d", "f"), remote.ErrExist},
		"a copy of a file to it":              {remote.Copy(ctx, r, "g", "d"), remote.ErrIsDir},
		"whether a file can be there":         {remote.CheckTarget(ctx, r, "d"), remote.ErrIsDir},
		"removing it as a file":               {r.Remove(ctx, "d"), remote.ErrIsDir},
		"removing a file as a directory":      {r.Rmdir(ctx, "f"), remote.ErrNotDir},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", what, c.err, c.want)
		}
	}
}
