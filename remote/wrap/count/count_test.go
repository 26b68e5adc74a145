package count_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/local"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/count"
	"ferry/remote/wrap/faulty"
)

func TestContracts(t *testing.T) {
	remotetest.RunDecorator(t,
		func() remote.Remote { return memory.New() },
		func(r remote.Remote) remote.Remote { return count.New(r) })
}

func put(t *testing.T, r remote.Remote, name, content string) {
	t.Helper()
	if _, err := r.Put(t.Context(), name, strings.NewReader(content), remote.PutOptions{}); err != nil {
		t.Error(err)
	}
}

func get(r remote.Remote, name string) (string, error) {
	f, err := r.Open(context.Background(), name, 0, -1)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	return string(b), err
}

func stage(t *testing.T, r remote.Remote, name, content string) remote.Stage {
	t.Helper()
	s, err := r.(remote.Stager).Stage(t.Context(), name, remote.StageOptions{Owner: "o"})
	if err == nil {
		_, err = io.WriteString(s, content)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryMethodIsCounted(t *testing.T) {
	r := count.New(memory.New())
	ctx := t.Context()
	put(t, r, "f", "content")
	_, err := get(r, "f")
	errs := []error{err}
	_, err = r.Stat(ctx, "f")
	errs = append(errs, err)
	for _, err := range r.List(ctx, ".") {
		errs = append(errs, err)
	}
	errs = append(errs, r.Mkdir(ctx, "d"), r.Rmdir(ctx, "d"), r.Copy(ctx, "f", "g"), r.Move(ctx, "g", "h"),
		r.Remove(ctx, "h"), r.SetModTime(ctx, "f", time.Now()), r.SetMode(ctx, "f", 0o600))
	_, err = r.Hash(ctx, "f", "md5")
	errs = append(errs, err)
	_, err = r.Usage(ctx)
	errs = append(errs, err)
	errs = append(errs, stage(t, r, "f", "part").Keep(), stage(t, r, "f", "part 2").Abort())
	_, err = r.Part(ctx, "f", "o")
	errs = append(errs, err, r.DropPart(ctx, "f", "o"))
	_, err = stage(t, r, "f", "whole").Commit(ctx, time.Time{})
	if err := errors.Join(append(errs, err)...); err != nil {
		t.Fatal(err)
	}
	s := r.Stats()
	var methods []string
	for _, name := range slices.Sorted(maps.Keys(s.Methods)) {
		methods = append(methods, name)
		m := s.Methods[name]
		want := int64(1)
		if name == "stage" {
			want = 3
		}
		if m.Calls != want || m.Running != 0 || m.Errors != 0 || m.Missing != 0 {
			t.Errorf("%s: %+v", name, m)
		}
	}
	want := "copy discard droppart hash keep list mkdir move open part publish put remove rmdir setmode setmodtime stage stat usage"
	if got := strings.Join(methods, " "); got != want {
		t.Errorf("methods:\n%s\nwant\n%s", got, want)
	}
	if s.Up != 7+4+6+5 || s.Down != 7 || s.Methods["put"].Up != 7 || s.Methods["stage"].Up != 15 || s.Methods["open"].Down != 7 {
		t.Errorf("%+v", s)
	}
}

func TestAnErrorIsCountedOnce(t *testing.T) {
	below := faulty.New(memory.New())
	r := count.New(below)
	put(t, r, "f", "content")
	below.Inject(faulty.Fault{Op: faulty.Read, After: 2})
	f, err := r.Open(t.Context(), "f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := io.ReadAll(f); err == nil {
			t.Error("Read does not fail")
		}
	}
	f.Close()
	f.Close()
	failing := io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, err := r.Put(t.Context(), "f", failing, remote.PutOptions{}); err == nil {
		t.Error("Put does not fail")
	}
	below.Inject(faulty.Fault{Op: faulty.List, After: 1})
	for range r.List(t.Context(), ".") {
	}
	for range r.List(t.Context(), ".") {
		break
	}
	s := r.Stats()
	for _, method := range []string{"open", "put", "list"} {
		if m := s.Methods[method]; m.Errors != 1 || m.Running != 0 {
			t.Errorf("%s: %+v", method, m)
		}
	}
	if s.Down != 2 || s.Up != 7+3 {
		t.Errorf("%+v", s)
	}
}

func TestWhatIsNotThereIsNoError(t *testing.T) {
	r := count.New(memory.New())
	if _, err := r.Stat(t.Context(), "none"); err == nil {
		t.Error("Stat finds it")
	}
	if _, err := r.Open(t.Context(), "none", 0, -1); err == nil {
		t.Error("Open finds it")
	}
	s := r.Stats()
	for _, method := range []string{"stat", "open"} {
		if m := s.Methods[method]; m.Errors != 0 || m.Missing != 1 || m.Running != 0 {
			t.Errorf("%s: %+v", method, m)
		}
	}
}

func TestAPublishThatFailsLeavesTheStageUnderWay(t *testing.T) {
	below := faulty.New(memory.New())
	r := count.New(below)
	below.Inject(faulty.Fault{Op: faulty.Commit})
	s := stage(t, r, "f", "content")
	if _, err := s.Commit(t.Context(), time.Time{}); err == nil {
		t.Error("Commit does not fail")
	}
	if m := r.Stats().Methods; m["stage"].Running != 1 || m["publish"].Errors != 1 || m["publish"].Running != 0 {
		t.Errorf("%+v", m)
	}
	if err := s.Abort(); err != nil {
		t.Error(err)
	}
	if m := r.Stats().Methods; m["stage"].Running != 0 || m["stage"].Errors != 0 || m["discard"].Calls != 1 {
		t.Errorf("%+v", m)
	}
}

func TestTheTimeOfACallIsCountedUntilItIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := faulty.New(memory.New())
		r := count.New(below)
		put(t, r, "f", "content")
		f, err := r.Open(t.Context(), "f", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		below.Inject(faulty.Fault{Op: faulty.Commit, Delay: time.Second, Slow: true})
		s := stage(t, r, "g", "content")
		if _, err := s.Commit(t.Context(), time.Time{}); err != nil {
			t.Error(err)
		}
		if m := r.Stats().Methods["open"]; m.Running != 1 || m.Time != 0 {
			t.Errorf("open: %+v", m)
		}
		f.Close()
		for _, method := range []string{"open", "publish", "stage"} {
			if m := r.Stats().Methods[method]; m.Running != 0 || m.Time != time.Second {
				t.Errorf("%s: %+v", method, m)
			}
		}
	})
}

func TestASnapshotFitsTogether(t *testing.T) {
	r := count.New(memory.New())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				put(t, r, "f", "content")
				if _, err := get(r, "f"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 200 {
		s := r.Stats()
		if s.Up != s.Methods["put"].Up || s.Down != s.Methods["open"].Down || s.Methods["put"].Running > 4 {
			t.Fatalf("%+v", s)
		}
	}
	wg.Wait()
	if s := r.Stats(); s.Up != 4*200*7 || s.Down != s.Up {
		t.Errorf("%+v", s)
	}
}

func TestALocalFileStaysWhatItIs(t *testing.T) {
	l, err := local.New(t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := count.New(l)
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
	s := stage(t, r, "g", "")
	if n, err := s.(io.ReaderFrom).ReadFrom(bytes.NewReader([]byte("content"))); n != 7 || err != nil {
		t.Errorf("ReadFrom = %d, %v", n, err)
	}
	if err := s.Abort(); err != nil {
		t.Error(err)
	}
	if m := r.Stats().Methods["stage"]; m.Up != 7 || m.Running != 0 {
		t.Errorf("%+v", m)
	}
}
