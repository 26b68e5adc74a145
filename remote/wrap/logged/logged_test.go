package logged_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/local"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/faulty"
	"ferry/remote/wrap/logged"
)

func TestContracts(t *testing.T) {
	remotetest.RunDecorator(t,
		func() remote.Remote { return memory.New() },
		func(r remote.Remote) remote.Remote {
			return logged.New(r, slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelDebug})))
		})
}

// observe has test use a remote with faults in virtual time, and returns what is logged from least
// on.
func observe(t *testing.T, least slog.Level, test func(t *testing.T, r *logged.Remote, faults *faulty.Remote)) []string {
	t.Helper()
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		untimed := func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}
		faults := faulty.New(memory.New())
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: least, ReplaceAttr: untimed}))
		test(t, logged.New(faults, log), faults)
	})
	return strings.FieldsFunc(out.String(), func(c rune) bool { return c == '\n' })
}

func compare(t *testing.T, got []string, want ...string) {
	t.Helper()
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("logged:\n%s\nwant:\n%s", g, w)
	}
}

func put(t *testing.T, r remote.Remote, name, content string) {
	t.Helper()
	if _, err := r.Put(t.Context(), name, strings.NewReader(content), remote.PutOptions{}); err != nil {
		t.Error(err)
	}
}

func TestEveryCallIsLogged(t *testing.T) {
	lines := observe(t, slog.LevelDebug, func(t *testing.T, r *logged.Remote, faults *faulty.Remote) {
		ctx := t.Context()
		put(t, r, "f", "content")
		faults.Inject(faulty.Fault{Op: faulty.Stat, Delay: time.Second, Slow: true})
		_, err := r.Stat(ctx, "f")
		errs := []error{err}
		for _, err := range r.List(ctx, ".") {
			errs = append(errs, err)
		}
		for _, n := range []int64{-1, 2} {
			f, err := r.Open(ctx, "f", 3, n)
			if err != nil {
				t.Fatal(err)
			}
			_, err = io.ReadAll(f)
			errs = append(errs, err, f.Close())
		}
		_, err = r.Hash(ctx, "f", "md5")
		errs = append(errs, err)
		_, err = r.Usage(ctx)
		errs = append(errs, err, r.SetModTime(ctx, "f", time.Unix(0, 0).UTC()), r.SetMode(ctx, "f", 0o640),
			r.Mkdir(ctx, "a dir"), r.Rmdir(ctx, "a dir"), r.Copy(ctx, "f", "g"), r.Move(ctx, "g", "h"), r.Remove(ctx, "h"))
		s, err := r.Stage(ctx, "f", remote.StageOptions{Owner: "o"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.WriteString(s, "part")
		errs = append(errs, err, s.Keep())
		_, err = r.Part(ctx, "f", "o")
		errs = append(errs, err, r.DropPart(ctx, "f", "o"))
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
	})
	const pre = "level=DEBUG msg="
	compare(t, lines,
		pre+"put remote=memory: name=f bytes=7 took=0s",
		pre+"stat remote=memory: name=f took=1s",
		pre+"list remote=memory: name=. entries=1 took=0s",
		pre+"open remote=memory: name=f offset=3 bytes=4 took=0s",
		pre+"open remote=memory: name=f offset=3 length=2 bytes=2 took=0s",
		pre+"hash remote=memory: name=f algorithm=md5 took=0s",
		pre+"usage remote=memory: name=. took=0s",
		pre+"setmodtime remote=memory: name=f modtime=1970-01-01T00:00:00.000Z took=0s",
		pre+"setmode remote=memory: name=f mode=-rw-r----- took=0s",
		pre+`mkdir remote=memory: name="a dir" took=0s`,
		pre+`rmdir remote=memory: name="a dir" took=0s`,
		pre+"copy remote=memory: name=f to=g took=0s",
		pre+"move remote=memory: name=g to=h took=0s",
		pre+"remove remote=memory: name=h took=0s",
		pre+"stage remote=memory: name=f offset=0 took=0s",
		pre+"keep remote=memory: name=f bytes=4 took=0s",
		pre+"part remote=memory: name=f took=0s",
		pre+"droppart remote=memory: name=f took=0s",
	)
}

func TestFailuresOnTheWayAreLoggedAtInfo(t *testing.T) {
	lines := observe(t, slog.LevelInfo, func(t *testing.T, r *logged.Remote, faults *faulty.Remote) {
		ctx := t.Context()
		put(t, r, "f", "content")
		if _, err := r.Stat(ctx, "none"); !errors.Is(err, remote.ErrNotExist) {
			t.Error(err) // an answer
		}
		ended, cancel := context.WithCancel(ctx)
		cancel()
		faults.Inject(faulty.Fault{Op: faulty.Stat})
		if _, err := r.Stat(ended, "f"); !errors.Is(err, faulty.ErrInjected) {
			t.Error(err) // nobody waits for it
		}
		faults.Inject(faulty.Fault{Op: faulty.Stat})
		if _, err := r.Stat(ctx, "f"); err == nil {
			t.Error("Stat does not fail")
		}
		faults.Inject(faulty.Fault{Op: faulty.Read, After: 3})
		f, err := r.Open(ctx, "f", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(f); err == nil {
			t.Error("Read does not fail")
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		faults.Inject(faulty.Fault{Op: faulty.Put, After: 2})
		if _, err := r.Put(ctx, "f", strings.NewReader("new"), remote.PutOptions{}); err == nil {
			t.Error("Put does not fail")
		}
		faults.Inject(faulty.Fault{Op: faulty.List, After: 1})
		for range r.List(ctx, ".") {
		}
		faults.Inject(faulty.Fault{Op: faulty.Commit})
		s, err := r.Stage(ctx, "f", remote.StageOptions{Owner: "o"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Commit(ctx, time.Time{}); err == nil {
			t.Error("Commit does not fail")
		}
		if err := s.Abort(); err != nil {
			t.Error(err)
		}
	})
	const pre, injected = "level=INFO msg=", "injected fault (injected into "
	compare(t, lines,
		pre+`stat remote=memory: name=f took=0s error="stat f: `+injected+`stat f)"`,
		pre+`open remote=memory: name=f offset=0 bytes=3 took=0s error="read f: `+injected+`read f)"`,
		pre+`put remote=memory: name=f bytes=2 took=0s error="put f: put f: `+injected+`put f)"`,
		pre+`list remote=memory: name=. entries=1 took=0s error="list .: `+injected+`list .)"`,
		pre+`publish remote=memory: name=f bytes=0 took=0s error="publish f: `+injected+`publish f)"`,
	)
}

func TestALocalFileStaysWhatItIs(t *testing.T) {
	l, err := local.New(t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	r := logged.New(l, slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer r.Close()
	put(t, r, "f", "content")
	f, err := r.Open(t.Context(), "f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, ok := f.(*os.File); !ok {
		t.Errorf("%T", f)
	}
	if !strings.Contains(out.String(), "msg=open") {
		t.Errorf("logged: %s", out.String())
	}
	s, err := r.Stage(t.Context(), "g", remote.StageOptions{Owner: "o"})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := s.(io.ReaderFrom); !ok {
		t.Errorf("%T is no io.ReaderFrom", s)
	}
	if err := s.Abort(); err != nil {
		t.Error(err)
	}
}
