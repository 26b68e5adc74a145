package staging

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/partname"
)

var errBroken = errors.New("broken")

// A disk is a directory in memory.
type disk struct {
	path   string
	files  map[string]Info
	broken map[string]bool // operations that fail, as "remove f"
	parts  *Parts
}

func newDisk(o Options) *disk {
	o.Fail = func(op, _ string, err error) error { return err }
	d := &disk{path: "d", files: map[string]Info{}, broken: map[string]bool{}}
	o.In = func(_ context.Context, _, name string, use func(d Dir, base string) error) error {
		return use(d, remote.BaseOf(name))
	}
	d.parts = New(o)
	return d
}

func (d *disk) String() string { return strings.Join(slices.Sorted(maps.Keys(d.files)), " ") }

func (d *disk) put(name string, size int64, age time.Duration) {
	d.files[name] = Info{Regular: true, Entry: remote.Entry{Name: name, Size: size, ModTime: time.Now().Add(-age)}}
}

func (d *disk) Path() string { return d.path }
func (d *disk) Close()       {}

func (d *disk) Lstat(_ context.Context, base string) (Info, error) {
	info, ok := d.files[base]
	if !ok {
		return Info{}, remote.ErrNotExist
	}
	return info, nil
}

func (d *disk) Rename(_ context.Context, from, to string, replace bool) error {
	info, ok := d.files[from]
	_, taken := d.files[to]
	switch {
	case d.broken["rename "+to]:
		return errBroken
	case !ok:
		return remote.ErrNotExist
	case taken && !replace:
		return remote.ErrExist
	}
	delete(d.files, from)
	info.Name = to
	d.files[to] = info
	return nil
}

func (d *disk) Remove(_ context.Context, base string) error {
	if d.broken["remove "+base] {
		return errBroken
	}
	if _, ok := d.files[base]; !ok {
		return remote.ErrNotExist
	}
	delete(d.files, base)
	return nil
}

func (d *disk) List(_ context.Context, yield func(Info) bool) error {
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		if !yield(d.files[name]) {
			break
		}
	}
	return nil
}

// A hiddenFile is written to by setting its size.
type hiddenFile struct {
	Stage
	d        *disk
	released int
}

func (d *disk) stage(name string, o remote.StageOptions) (*hiddenFile, error) {
	f := &hiddenFile{d: d}
	return f, d.parts.Open(context.Background(), &f.Stage, f, d, Target{Name: remote.Join(d.path, name), Base: name}, o)
}

func (d *disk) begin(t *testing.T, name string, o remote.StageOptions) *hiddenFile {
	t.Helper()
	f, err := d.stage(name, o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *hiddenFile) write(n int64) { f.d.put(f.Part, f.d.files[f.Part].Size+n, 0) }

func (f *hiddenFile) Create(_ context.Context, part string) error {
	if _, ok := f.d.files[part]; ok {
		return remote.ErrExist
	}
	f.d.put(part, 0, 0)
	return nil
}

func (f *hiddenFile) Reopen(_ context.Context, part string, off int64) error {
	if f.d.broken["reopen "+part] {
		return errBroken
	}
	f.d.put(part, off, 0)
	return nil
}

func (f *hiddenFile) CopyHead(_ context.Context, from string, off int64) error {
	off, err := Offset(off, f.d.files[from].Size)
	f.write(off)
	return err
}

func (f *hiddenFile) Finish(context.Context, time.Time) (Dir, remote.Entry, error) {
	if f.d.broken["finish"] {
		return nil, remote.Entry{}, errors.Join(errBroken, f.Spoil())
	}
	return f.d, f.d.files[f.Part].Entry, nil
}

func (f *hiddenFile) End() {}

func (f *hiddenFile) Stop() (Dir, int64, error) {
	if f.d.broken["stop"] {
		return nil, 0, errors.Join(errBroken, f.Spoil())
	}
	return f.d, f.d.files[f.Part].Size, nil
}

func (f *hiddenFile) Discard(context.Context) (Dir, error) { return f.d, nil }
func (f *hiddenFile) Release()                             { f.released++ }

func owned(owner string) remote.StageOptions { return remote.StageOptions{Owner: owner} }

var onPart = remote.StageOptions{Owner: "o", Base: remote.BasePart, Off: remote.AtEnd}

func (d *disk) want(t *testing.T, files string) {
	t.Helper()
	if got := d.String(); got != files {
		t.Errorf("there is %q, not %q", got, files)
	}
}

// wantIdle has every hidden file free of uploads.
func (d *disk) wantIdle(t *testing.T) {
	t.Helper()
	if n := len(d.parts.busy); n > 0 {
		t.Errorf("%d hidden files are still written to", n)
	}
}

func TestUploadsOfOneNameHaveSlots(t *testing.T) {
	d := newDisk(Options{})
	one, two := d.begin(t, "f", owned("o")), d.begin(t, "f", owned("o"))
	other := d.begin(t, "f", owned("p"))
	d.want(t, ".ferry-part.o~1.f .ferry-part.o~2.f .ferry-part.p~1.f")
	one.write(1)
	two.write(2)
	if err := one.Keep(); err != nil {
		t.Error(err)
	}
	if err := other.Keep(); err != nil { // empty
		t.Error(err)
	}
	d.want(t, ".ferry-part.o.f .ferry-part.o~2.f")
	if _, err := two.Commit(t.Context(), time.Time{}); err != nil {
		t.Error(err)
	}
	d.want(t, "f")
	d.wantIdle(t)
	for _, f := range []*hiddenFile{one, two, other} {
		_, err := f.Commit(t.Context(), time.Time{})
		if err = errors.Join(err, f.Keep(), f.Abort()); err != nil || f.released != 1 {
			t.Errorf("ended again: %v, released %d times", err, f.released)
		}
	}
}

func TestWhatAKilledProcessLeft(t *testing.T) {
	for _, c := range []struct {
		name, left string
		owner      string
		age        time.Duration
		then, gets string
	}{
		{"the first slot counts as kept", ".ferry-part.o~1.f", "o", 0, ".ferry-part.o.f .ferry-part.o~1.f", ".ferry-part.o~1.f"},
		{"but not if it is too old", ".ferry-part.o~1.f", "o", 3 * time.Hour, ".ferry-part.o~1.f", ".ferry-part.o~1.f"},
		{"nor of Put", ".ferry-part.-~1.f", partname.PutOwner, 0, ".ferry-part.-~1.f .ferry-part.-~2.f", ".ferry-part.-~2.f"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDisk(Options{MaxAge: 2 * time.Hour})
			d.parts.Ages.Began(time.Now().Add(-2 * time.Hour))
			d.put(c.left, 5, c.age)
			if f := d.begin(t, "f", owned(c.owner)); f.Part != c.gets {
				t.Errorf("the upload writes to %s", f.Part)
			}
			d.want(t, c.then)
		})
	}
}

func TestAnExpiredPartIsMissingAndRemoved(t *testing.T) {
	d := newDisk(Options{MaxAge: 2 * time.Hour})
	d.parts.Ages.Began(time.Now().Add(-2 * time.Hour))
	d.put(".ferry-part.o.f", 5, 3*time.Hour)
	if _, err := d.parts.Part(t.Context(), "d/f", "o"); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("Part: %v", err)
	}
	if _, err := d.stage("f", onPart); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("a stage on it: %v", err)
	}
	d.want(t, "")
	d.wantIdle(t)
}

func TestAStageThatDoesNotOpenLeavesNothing(t *testing.T) {
	const kept = ".ferry-part.o.f"
	for _, c := range []struct {
		name, broken string
		linked       bool
		o            remote.StageOptions
	}{
		{"the part does not open", "reopen .ferry-part.o~1.f", false, onPart},
		{"the part stays beside its copy", "remove " + kept, true, onPart},
		{"the file is shorter", "", false, remote.StageOptions{Owner: "o", Base: remote.BaseFile, Off: 9}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDisk(Options{})
			d.put("f", 5, 0)
			d.put(kept, 5, 0)
			info := d.files[kept]
			info.Linked = c.linked
			d.files[kept] = info
			d.broken[c.broken] = true
			if _, err := d.stage("f", c.o); err == nil {
				t.Fatal("it opened")
			}
			d.want(t, kept+" f")
			d.wantIdle(t)
		})
	}
}

func TestEndsThatFail(t *testing.T) {
	d := newDisk(Options{})
	f := d.begin(t, "f", owned("o"))
	f.write(1)
	d.broken["rename f"] = true
	if _, err := f.Commit(t.Context(), time.Time{}); !errors.Is(err, errBroken) {
		t.Errorf("Commit: %v", err)
	}
	d.want(t, ".ferry-part.o~1.f")
	d.broken["rename f"] = false
	if _, err := f.Commit(t.Context(), time.Time{}); err != nil {
		t.Errorf("Commit again: %v", err)
	}
	f = d.begin(t, "g", owned("o"))
	d.broken["finish"] = true
	if _, err := f.Commit(t.Context(), time.Time{}); !errors.Is(err, errBroken) || f.released != 1 {
		t.Errorf("Commit of what nobody knows: %v, released %d times", err, f.released)
	}
	f = d.begin(t, "g", owned("o"))
	d.broken["stop"] = true
	if err := f.Keep(); !errors.Is(err, errBroken) || f.released != 1 {
		t.Errorf("Keep of what nobody knows: %v, released %d times", err, f.released)
	}
	f = d.begin(t, "h", owned("o"))
	delete(d.files, f.Part)
	if err := f.Abort(); err != nil {
		t.Errorf("Abort of what is gone: %v", err)
	}
	d.want(t, "f")
	d.wantIdle(t)
}

func TestUploadsFollowTheirDirectory(t *testing.T) {
	d := newDisk(Options{})
	f := d.begin(t, "f", owned("o"))
	d.parts.Moved("d", "e/x")
	d.path = "e/x"
	if got := f.Dir(); got != "e/x" {
		t.Errorf("it is in %s", got)
	}
	d.put(".ferry-part.a.g", 5, 0)
	if err := d.parts.RemoveAll(t.Context(), d); !errors.Is(err, remote.ErrNotEmpty) {
		t.Errorf("RemoveAll during an upload: %v", err)
	}
	d.want(t, ".ferry-part.a.g .ferry-part.o~1.f")
	f.write(1)
	if err := f.Keep(); err != nil {
		t.Error(err)
	}
	d.wantIdle(t)
	d.put("f", 5, 0)
	if err := d.parts.RemoveAll(t.Context(), d); !errors.Is(err, remote.ErrNotEmpty) {
		t.Errorf("RemoveAll beside a file: %v", err)
	}
	d.want(t, ".ferry-part.a.g .ferry-part.o.f f")
	delete(d.files, "f")
	if err := d.parts.RemoveAll(t.Context(), d); err != nil {
		t.Error(err)
	}
	d.want(t, "")
}
