package vfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ferry/disk"
	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/wrap/faulty"
	"ferry/writeback"
)

// passing are answers and failures that are not about one name or one content.
var passing = map[string]error{
	"a wrong key":                 fmt.Errorf("%w (InvalidAccessKeyId)", remote.ErrPermission),
	"no bucket":                   fmt.Errorf("%w (NoSuchBucket)", remote.ErrNotExist),
	"a redirection":               fmt.Errorf("%w (302)", remote.ErrUnsupported),
	"a request that is not taken": fmt.Errorf("%w (400)", remote.ErrInvalid),
	"a full account":              remote.ErrQuota,
	"a full store":                remote.ErrNoSpace,
	"another version":             remote.ErrChanged,
	"something of that name":      remote.ErrExist,
	"a name that is not allowed now": remote.MayPass(
		fmt.Errorf("%w (553 Could not create file)", remote.ErrBadName)),
	"no network":              errors.New("connection refused"),
	"no descriptors":          syscall.EMFILE,
	"no descriptors anywhere": syscall.ENFILE,
	"no memory":               syscall.ENOMEM,
}

func TestTroubleThatPassesLosesNothing(t *testing.T) {
	for what, trouble := range passing {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRig(t, writeback.Options{Mode: writeback.Writes, Gate: writeback.NewGate(4)})
				defer b.stop()
				b.has("old", "x")
				b.faults.Inject(faulty.Fault{Op: faulty.Put, Times: -1, Err: trouble})
				b.faults.Inject(faulty.Fault{Op: faulty.Remove, Times: -1, Err: trouble})
				var all []string
				for i := range 5 {
					b.upload(fmt.Sprintf("f%d", i), "content")
					all = append(all, fmt.Sprintf("f%d=content", i))
				}
				if !errors.Is(trouble, remote.ErrNotExist) {
					b.storeAndRemove("old")
				} else {
					b.ok(b.inner.Remove(t.Context(), "old"))
				}
				time.Sleep(time.Hour)
				if lost, err := b.fs.Refused(); len(lost) != 0 || err != nil {
					t.Fatalf("%d of 6 were given up: %+v, %v", len(lost), lost, err)
				}
				b.wantSeen(all...)
				b.faults.Heal()
				time.Sleep(maxDelay)
				synctest.Wait()
				if q := b.fs.Queue(); len(q) != 0 {
					t.Errorf("it still waits: %+v", q)
				}
				b.wantThere(all...)
			})
		})
	}
}

// storeAndRemove leaves a removal of name that waits.
func (b *rig) storeAndRemove(name string) {
	b.t.Helper()
	b.upload(name, "y")
	synctest.Wait()
	b.ok(b.Remove(b.t.Context(), name))
}

// about are answers about one name or its content.
var about = map[string]error{
	"an impossible name":    remote.ErrBadName,
	"a content too long":    fmt.Errorf("%w (EntityTooLarge)", remote.ErrTooLarge),
	"a directory":           remote.ErrIsDir,
	"below a file":          remote.ErrNotDir,
	"wrapped as by a chain": fmt.Errorf("%w (after 10 attempts)", &fs.PathError{Op: "put", Path: "f", Err: remote.ErrBadName}),
}

func TestOnlyAnAnswerAboutTheFileGivesItUp(t *testing.T) {
	for what, answer := range about {
		t.Run(what, func(t *testing.T) {
			b := newRig(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Hour})
			b.faults.Inject(faulty.Fault{Op: faulty.Put, Name: "f", Times: -1, Err: answer})
			b.upload("f", "x")
			b.upload("g", "y")
			wantIs(t, b.fs.Flush(t.Context(), "."), errors.Unwrap(fmt.Errorf("%w", answer)))
			if lost, err := b.fs.Refused(); len(lost) != 1 || err != nil || lost[0].Name != "f" {
				t.Errorf("given up: %+v, %v", lost, err)
			}
			b.wantThere("g=y")
		})
	}
}

// A removal is done when there is no such file; a remote whose root is not there has not said so.
func TestARemovalWaitsForTheRoot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, writeback.Options{Mode: writeback.Writes})
		defer b.stop()
		b.has("f", "old")
		b.faults.Inject(faulty.Fault{Op: faulty.Put, Times: -1, Err: remote.ErrNotExist})
		b.faults.Inject(faulty.Fault{Op: faulty.Remove, Times: -1, Err: remote.ErrNotExist})
		b.faults.Inject(faulty.Fault{Op: faulty.Stat, Times: -1, Err: remote.ErrNotExist})
		b.upload("f", "new") // the far side is not there: nothing tells that f is
		synctest.Wait()
		b.ok(b.Remove(t.Context(), "f"))
		time.Sleep(time.Hour)
		b.faults.Heal()
		b.wantSeen()
		time.Sleep(maxDelay)
		synctest.Wait()
		b.wantThere()
	})
}

func TestOneCauseIsOneLoudLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, writeback.Options{Mode: writeback.Writes, Gate: writeback.NewGate(4)})
		defer b.stop()
		b.stop()
		wrong := &refusing{text: "the key of bob is wrong, request %d"}
		b.wrap = wrong.over
		b.start()
		for i := range 20 {
			b.upload(fmt.Sprintf("f%d", i), "x")
		}
		time.Sleep(5 * time.Minute)
		loud := func() []string {
			var lines []string
			for line := range strings.Lines(b.logged.String()) {
				if strings.Contains(line, "level=ERROR") || strings.Contains(line, "level=WARN") {
					lines = append(lines, line)
				}
			}
			return lines
		}
		if lines := loud(); len(lines) != 1 || !strings.Contains(lines[0], "the key of bob is wrong") {
			t.Errorf("after five minutes the log has %d loud lines: %q", len(lines), lines)
		}
		time.Sleep(30 * time.Minute)
		if lines := loud(); len(lines) < 3 || len(lines) > 4 || !strings.Contains(lines[2], "changes=20") {
			t.Errorf("after 35 minutes the log has %d loud lines: %q", len(lines), lines)
		}
		for _, q := range b.fs.Queue() {
			if !strings.HasPrefix(q.Because, "permission denied: the key of bob is wrong") {
				t.Errorf("%s waits because of %q", q.Name, q.Because)
			}
		}
		w := b.fs.Waiting()
		if len(w.Causes) != 1 || w.Causes[0].Changes != 20 || time.Since(w.Causes[0].Since) < 30*time.Minute {
			t.Errorf("the causes are %+v", w.Causes)
		}
		wrong.healed.Store(true)
		time.Sleep(maxDelay)
		synctest.Wait()
		if w := b.fs.Waiting(); w.Changes != 0 || len(w.Causes) != 0 {
			t.Errorf("after the cause has ended: %+v", w)
		}
		b.wantLogged("level=INFO", "the key of bob is wrong", "over")
	})
}

// A cause that comes and goes is not told of each time.
func TestACauseThatComesAndGoesIsToldOfOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, writeback.Options{Mode: writeback.Writes})
		defer b.stop()
		for i := range 50 {
			b.faults.Inject(faulty.Fault{Op: faulty.Put, Times: 1, Err: errNetwork})
			b.upload(fmt.Sprintf("f%d", i), "x")
			time.Sleep(5 * time.Second)
			synctest.Wait()
		}
		if n := strings.Count(b.logged.String(), "level=WARN") + strings.Count(b.logged.String(), "level=ERROR"); n != 1 {
			t.Errorf("%d loud lines", n)
		}
		if w := b.fs.Waiting(); w.Changes != 0 || len(w.Causes) != 0 {
			t.Errorf("at the end: %+v", w)
		}
	})
}

// A file that is renamed or replaced while it waits waits for the same cause.
func TestACauseGoesWithTheFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRig(t, writeback.Options{Mode: writeback.Writes})
		defer b.stop()
		b.faults.Inject(faulty.Fault{Op: faulty.Put, Times: -1, Err: errNetwork})
		b.upload("f", "x")
		synctest.Wait()
		b.ok(b.Rename(t.Context(), "f", "g"))
		if w := b.fs.Waiting(); len(w.Causes) != 1 || w.Causes[0].Changes != 1 {
			t.Errorf("after a renaming: %+v", w.Causes)
		}
		b.ok(b.Remove(t.Context(), "g"))
		synctest.Wait()
		if w := b.fs.Waiting(); w.Changes > 1 {
			t.Errorf("after the removal: %+v", w)
		}
	})
}

// poor is a disk on which contents cannot be read for a while.
type poor struct {
	*disktest.Disk
	open fault // of what waits
	read fault
}

// fault is an error that may be set and taken back at any time.
type fault struct{ err atomic.Pointer[error] }

func (f *fault) set(err error) { f.err.Store(&err) }

func (f *fault) get() error {
	if err := f.err.Load(); err != nil {
		return *err
	}
	return nil
}

func (p *poor) OpenFile(name string, flag int) (disk.File, error) {
	if err := p.open.get(); err != nil && strings.HasPrefix(name, "dirty/") && flag == os.O_RDONLY {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	f, err := p.Disk.OpenFile(name, flag)
	if err != nil {
		return nil, err
	}
	return &poorFile{f, p}, nil
}

type poorFile struct {
	disk.File
	p *poor
}

func (f *poorFile) ReadAt(b []byte, off int64) (int, error) {
	switch err := f.p.read.get(); err {
	case nil:
		return f.File.ReadAt(b, off)
	case io.EOF:
		return 0, io.EOF
	default:
		return 0, &fs.PathError{Op: "read", Path: "dirty/x", Err: err}
	}
}

func TestALocalDiskThatFailsForAWhileLosesNothing(t *testing.T) {
	for _, trouble := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EIO, syscall.EACCES, syscall.ENOSPC} {
		for what, fail := range map[string]func(p *poor, err error){
			"open": func(p *poor, err error) { p.open.set(err) },
			"read": func(p *poor, err error) { p.read.set(err) },
		} {
			t.Run(what+" "+trouble.Error(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := &poor{Disk: disktest.New()}
					b := newRigAt(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Second}, &rig{disk: p.Disk, on: p})
					defer b.stop()
					b.upload("f", "content")
					fail(p, trouble)
					time.Sleep(10 * time.Minute)
					if lost, err := b.fs.Refused(); len(lost) != 0 || err != nil {
						t.Fatalf("given up: %+v, %v", lost, err)
					}
					if q := b.fs.Queue(); len(q) != 1 || !strings.Contains(q[0].Because, trouble.Error()) ||
						!strings.Contains(q[0].Because, "cache") {
						t.Errorf("it waits as %+v", q)
					}
					fail(p, nil)
					time.Sleep(maxDelay)
					synctest.Wait()
					b.wantThere("f=content")
				})
			})
		}
	}
}

func TestAContentThatIsCutOnTheDiskIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &poor{Disk: disktest.New()}
		b := newRigAt(t, writeback.Options{Mode: writeback.Writes, WriteBack: time.Second}, &rig{disk: p.Disk, on: p})
		defer b.stop()
		b.upload("f", "content")
		p.read.set(io.EOF)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		lost, err := b.fs.Refused()
		if len(lost) != 1 || err != nil || !strings.Contains(lost[0].Reason, "cache") {
			t.Errorf("given up: %+v, %v", lost, err)
		}
		b.wantThere()
	})
}

// refusing is a remote that refuses what is stored, each time in other words.
type refusing struct {
	remote.Forward
	text   string
	asked  atomic.Int64
	healed atomic.Bool
}

func (r *refusing) over(below remote.Remote) remote.Remote {
	r.Remote = below
	return r
}

func (r *refusing) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	if r.healed.Load() {
		return r.Forward.Put(ctx, name, body, o)
	}
	why := fmt.Errorf("%w: "+r.text, remote.ErrPermission, r.asked.Add(1))
	return remote.Entry{}, &fs.PathError{Op: "put", Path: name, Err: why}
}
