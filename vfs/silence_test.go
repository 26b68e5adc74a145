package vfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ferry/breaker"
	"ferry/cache"
	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/writeback"
)

// stopped is a remote that gives no sign of life while it is silent: no question is answered, and a
// change that was sent waits for its answer as the drivers do.
type stopped struct {
	remote.Forward
	silent atomic.Bool
	late   atomic.Bool  // the next change is made, and answered after its context has ended
	mute   atomic.Bool  // the next change is made, and not answered
	long   atomic.Int64 // how long a move takes
}

// question waits as long as the remote is silent and ctx lasts.
func (m *stopped) question(ctx context.Context, op, name string) error {
	for m.silent.Load() {
		select {
		case <-ctx.Done():
			return &fs.PathError{Op: op, Path: name, Err: context.Cause(ctx)}
		case <-time.After(time.Second):
		}
	}
	return nil
}

// change makes a change, in silence as mute and late say.
func (m *stopped) change(ctx context.Context, op, name string, make func(context.Context) error) error {
	committed, release := remote.Committed(ctx)
	defer release()
	late, lost := m.late.Swap(false), m.mute.Swap(false)
	if late || lost {
		err := make(committed)
		if late {
			select {
			case <-ctx.Done():
				time.Sleep(time.Second)
			case <-time.After(time.Minute):
			}
			return err
		}
	}
	if err := m.question(committed, op, name); err != nil {
		remote.Unanswered(ctx)
		return err
	}
	return make(ctx)
}

func (m *stopped) Info() remote.Info {
	info := m.Forward.Info()
	info.Caps.CheapStat = false
	return info
}

func (m *stopped) Stat(ctx context.Context, name string) (remote.Entry, error) {
	if err := m.question(ctx, "stat", name); err != nil {
		return remote.Entry{}, err
	}
	return m.Forward.Stat(ctx, name)
}

func (m *stopped) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		if err := m.question(ctx, "list", dir); err != nil {
			yield(remote.Entry{}, err)
			return
		}
		m.Forward.List(ctx, dir)(yield)
	}
}

func (m *stopped) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	if err := m.question(ctx, "open", name); err != nil {
		return nil, err
	}
	return m.Forward.Open(ctx, name, off, n)
}

func (m *stopped) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	if err := m.question(ctx, "put", name); err != nil {
		return remote.Entry{}, err
	}
	return m.Forward.Put(ctx, name, body, o)
}

func (m *stopped) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	if err := m.question(ctx, "stage", name); err != nil {
		return nil, err
	}
	return m.Forward.Stage(ctx, name, o)
}

func (m *stopped) Part(ctx context.Context, name, owner string) (remote.Entry, error) {
	if err := m.question(ctx, "part", name); err != nil {
		return remote.Entry{}, err
	}
	return m.Forward.Part(ctx, name, owner)
}

func (m *stopped) Remove(ctx context.Context, name string) error {
	return m.change(ctx, "remove", name, func(ctx context.Context) error { return m.Forward.Remove(ctx, name) })
}

func (m *stopped) Mkdir(ctx context.Context, dir string) error {
	return m.change(ctx, "mkdir", dir, func(ctx context.Context) error { return m.Forward.Mkdir(ctx, dir) })
}

func (m *stopped) Rmdir(ctx context.Context, dir string) error {
	return m.change(ctx, "rmdir", dir, func(ctx context.Context) error { return m.Forward.Rmdir(ctx, dir) })
}

func (m *stopped) Move(ctx context.Context, from, to string) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(time.Duration(m.long.Load())):
	}
	return m.change(ctx, "move", from, func(ctx context.Context) error { return m.Forward.Move(ctx, from, to) })
}

func (m *stopped) SetModTime(ctx context.Context, name string, t time.Time) error {
	return m.change(ctx, "setmodtime", name, func(ctx context.Context) error { return m.Forward.SetModTime(ctx, name, t) })
}

func (m *stopped) Hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	if err := m.question(ctx, "hash", name); err != nil {
		return nil, err
	}
	return m.Forward.Hash(ctx, name, algorithm)
}

func (m *stopped) Usage(ctx context.Context) (remote.Usage, error) {
	if err := m.question(ctx, "usage", "."); err != nil {
		return remote.Usage{}, err
	}
	return m.Forward.Usage(ctx)
}

// quiet is a tree over a remote that can fall silent.
type quiet struct {
	*View
	t     *testing.T
	far   *stopped
	inner *memory.Remote
	fs    *FS
	o     Options
	disk  *disktest.Disk
	stop  func()
}

// The modes that a silent remote is met in.
func quietModes() map[string]*writeback.Options {
	return map[string]*writeback.Options{
		"off":     nil,
		"minimal": {Mode: writeback.Minimal},
		"writes":  {Mode: writeback.Writes},
		"full":    {Mode: writeback.Full},
	}
}

// newQuiet makes a tree over a remote with a few files. c may be nil.
func newQuiet(t *testing.T, c *writeback.Options) *quiet {
	t.Helper()
	q := &quiet{t: t, inner: memory.New()}
	q.far = &stopped{Forward: remote.Forward{Remote: q.inner}}
	q.o = Options{DirCacheTime: 5 * time.Minute}
	if c != nil {
		q.o.Cache, q.disk = *c, disktest.New()
	}
	for _, dir := range []string{"d", "d/empty"} {
		q.ok(q.inner.Mkdir(t.Context(), dir))
	}
	for _, name := range []string{"d/a", "d/b"} {
		_, err := q.inner.Put(t.Context(), name, strings.NewReader("content of "+name), remote.PutOptions{})
		q.ok(err)
	}
	q.start()
	t.Cleanup(func() { q.stop() })
	return q
}

// start begins a process.
func (q *quiet) start() {
	q.t.Helper()
	if q.disk == nil {
		q.fs = New(q.far, q.o)
		q.stop = func() { q.ok(q.fs.Close()) }
	} else {
		store, err := cache.Open(q.disk, cache.Options{})
		q.ok(err)
		q.o.Cache.Store = store
		q.fs = New(q.far, q.o)
		ctx, cancel := context.WithCancel(context.WithoutCancel(q.t.Context()))
		done := make(chan error, 1)
		go func() { done <- q.fs.Run(ctx) }()
		q.stop = func() {
			cancel()
			q.ok(errors.Join(<-done, q.fs.Close(), store.Close()))
		}
	}
	q.View = q.fs.View("bob")
}

func (q *quiet) ok(err error) {
	q.t.Helper()
	if err != nil {
		q.t.Fatal(err)
	}
}

// fallsSilent has everything listed and read, and an hour later the remote silent.
func (q *quiet) fallsSilent() {
	q.t.Helper()
	for _, dir := range []string{".", "d", "d/empty"} {
		for _, err := range q.List(q.t.Context(), dir) {
			q.ok(err)
		}
	}
	q.ok(q.retrieve("d/b"))
	time.Sleep(10 * time.Minute)
	q.far.silent.Store(true)
}

func (q *quiet) list(dir string) error {
	for _, err := range q.List(q.t.Context(), dir) {
		if err != nil {
			return err
		}
	}
	return nil
}

func (q *quiet) size(name string) error {
	_, err := q.Stat(q.t.Context(), name)
	return err
}

func (q *quiet) retrieve(name string) error {
	r, err := q.Open(q.t.Context(), name, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err == nil && string(got) != "content of "+name {
		err = fmt.Errorf("%s reads %q", name, got)
	}
	return err
}

func (q *quiet) send(name string, off int64) error {
	u, err := q.Create(q.t.Context(), name, off)
	if err != nil {
		return err
	}
	defer u.Abort()
	if _, err := io.WriteString(u, "new"); err != nil {
		return err
	}
	return u.Commit(q.t.Context())
}

// A bounded is a command at a silent remote: in the modes that are named it succeeds within
// RemoteWait, and in the others it fails within AnswerLimit.
type bounded struct {
	command string
	do      func(q *quiet) error
	works   string               // modes
	again   func(q *quiet) error // once more; nil = the same
}

const everyMode = "off minimal writes full"

func boundedCommands() []bounded {
	ctx := context.Background()
	return []bounded{
		{command: "LIST of what was listed", do: func(q *quiet) error { return q.list("d") }, works: everyMode},
		{command: "LIST of what was not", do: func(q *quiet) error { return q.list("d/a/x") }},
		{command: "SIZE of what was listed", do: func(q *quiet) error { return q.size("d/a") }, works: everyMode},
		{command: "SIZE of what nobody knows", do: func(q *quiet) error { return q.size("d/new") }},
		{command: "RETR", do: func(q *quiet) error { return q.retrieve("d/a") }},
		{command: "RETR of what was read", do: func(q *quiet) error { return q.retrieve("d/b") }, works: "full"},
		{command: "STOR", do: func(q *quiet) error { return q.send("d/new", 0) }, works: "writes full"},
		{command: "STOR over a file", do: func(q *quiet) error { return q.send("d/a", 0) }, works: "writes full"},
		{command: "STOR in a directory that nobody knows", do: func(q *quiet) error { return q.send("x/new", 0) }, works: "writes full"},
		{command: "APPE", do: func(q *quiet) error { return q.send("d/a", AtEnd) }},
		{
			command: "DELE", do: func(q *quiet) error { return q.Remove(ctx, "d/a") }, works: "writes full",
			again: func(q *quiet) error { return q.Remove(ctx, "d/b") },
		},
		{
			command: "MKD", do: func(q *quiet) error { return q.Mkdir(ctx, "d/new") }, works: "writes full",
			again: func(q *quiet) error { return q.Mkdir(ctx, "d/new/newer") },
		},
		{
			command: "RMD", do: func(q *quiet) error { return q.Rmdir(ctx, "d/empty") }, works: "writes full",
			again: func(q *quiet) error { return errors.Join(q.Mkdir(ctx, "d/empty"), q.Rmdir(ctx, "d/empty")) },
		},
		{command: "RMD of what is not empty", do: func(q *quiet) error { return q.Rmdir(ctx, "d") }},
		{
			command: "RNTO", do: func(q *quiet) error { return q.Rename(ctx, "d/a", "d/c") }, works: "writes full",
			again: func(q *quiet) error { return q.Rename(ctx, "d/c", "d/a") },
		},
		{command: "RNTO of a directory", do: func(q *quiet) error { return q.Rename(ctx, "d/empty", "e") }},
		{command: "MFMT", do: func(q *quiet) error { return q.SetModTime(ctx, "d/a", time.Now()) }},
		{command: "HASH", do: func(q *quiet) error { _, err := q.Hash(ctx, "d/a", "md5"); return err }},
		{command: "AVBL", do: func(q *quiet) error { _, err := q.Free(ctx, "."); return err }},
	}
}

func TestASilentRemoteHoldsNobodyUp(t *testing.T) {
	for mode, c := range quietModes() {
		for _, b := range boundedCommands() {
			t.Run(mode+"/"+b.command, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					q := newQuiet(t, c)
					q.fallsSilent()
					works, bound := strings.Contains(b.works, mode), AnswerLimit
					if works {
						bound = breaker.DefaultWait
					}
					began := time.Now()
					err := b.do(q)
					if took := time.Since(began); took > bound {
						t.Errorf("it took %v, at most %v are allowed", took, bound)
					}
					if works && err != nil || !works && !errors.Is(err, breaker.ErrSilent) && !errors.Is(err, errors.ErrUnsupported) {
						t.Errorf("got %v", err)
					}
					if !works || t.Failed() {
						return
					}
					began = time.Now()
					if b.again == nil {
						b.again = b.do
					}
					if err := b.again(q); err != nil {
						t.Errorf("once more: %v", err)
					}
					if took := time.Since(began); took > time.Second {
						t.Errorf("once more took %v, though the remote is known to be away", took)
					}
				})
			})
		}
	}
}
