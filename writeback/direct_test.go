package writeback

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/faulty"
)

// wholes is a remote that takes whole files only.
type wholes struct{ remote.Remote }

func (w wholes) Move(ctx context.Context, from, to string) error {
	return w.Remote.(remote.Mover).Move(ctx, from, to)
}

func (w wholes) SetModTime(ctx context.Context, name string, t time.Time) error {
	return w.Remote.(remote.ModTimer).SetModTime(ctx, name, t)
}

func (w wholes) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	return w.Remote.(remote.Moder).SetMode(ctx, name, perm)
}

func TestADirectKeepsTheContracts(t *testing.T) {
	for name, below := range map[string]func() remote.Remote{
		"a remote that can stage":              func() remote.Remote { return memory.New() },
		"a remote that takes whole files only": func() remote.Remote { return wholes{memory.New()} },
	} {
		t.Run(name, func(t *testing.T) {
			remotetest.Run(t, func(*testing.T) remote.Remote { return NewDirect(below(), DirectOptions{}) })
		})
	}
}

// What continues a file is published only if that is still the file which the caller has seen.
func TestADirectNoticesThatAContinuedFileHasChanged(t *testing.T) {
	ctx := t.Context()
	d := NewDirect(memory.New(), DirectOptions{})
	put := func(content string) remote.Entry {
		e, err := d.Put(ctx, "f", strings.NewReader(content), remote.PutOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	for name, tt := range map[string]struct {
		meanwhile func()
		want      error
	}{
		"it is the same":    {func() {}, nil},
		"it was replaced":   {func() { put("other") }, remote.ErrChanged},
		"it was removed":    {func() { _ = d.Remove(ctx, "f") }, remote.ErrChanged},
		"another was moved": {func() { put("x"); _ = d.Move(ctx, "f", "g") }, remote.ErrChanged},
	} {
		t.Run(name, func(t *testing.T) {
			seen := put("first")
			s, err := d.Stage(ctx, "f", remote.StageOptions{Owner: "bob", Base: remote.BaseFile, Off: remote.AtEnd, File: seen})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(s, " and more"); err != nil {
				t.Fatal(err)
			}
			tt.meanwhile()
			if _, err := s.Commit(ctx, time.Time{}); !errors.Is(err, tt.want) {
				t.Errorf("Commit: %v, want %v", err, tt.want)
			}
			if err := s.Abort(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A change waits for one that is under way above or below its path, whichever way it is made.
func TestChangesOfADirectTakeTurns(t *testing.T) {
	for name, second := range map[string]func(ctx context.Context, d *Direct) error{
		"Put": func(ctx context.Context, d *Direct) error {
			_, err := d.Put(ctx, "d/f", strings.NewReader("x"), remote.PutOptions{})
			return err
		},
		"Remove": func(ctx context.Context, d *Direct) error { return d.Remove(ctx, "d/g") },
		"Mkdir":  func(ctx context.Context, d *Direct) error { return d.Mkdir(ctx, "d/e") },
		"Rmdir":  func(ctx context.Context, d *Direct) error { return d.Rmdir(ctx, "d/empty") },
		"SetModTime": func(ctx context.Context, d *Direct) error {
			return d.SetModTime(ctx, "d/g", time.Unix(1e9, 0))
		},
		"SetMode": func(ctx context.Context, d *Direct) error { return d.SetMode(ctx, "d/g", 0o600) },
		"Commit":  commitTo("d/f"),
	} {
		for kind, below := range map[string]func(r remote.Remote) remote.Remote{
			"staged": func(r remote.Remote) remote.Remote { return r }, "streamed": func(r remote.Remote) remote.Remote { return wholes{r} },
		} {
			t.Run(name+" "+kind, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { takesTurns(t, below, second) }) })
		}
	}
}

func commitTo(name string) func(ctx context.Context, d *Direct) error {
	return func(ctx context.Context, d *Direct) error {
		s, err := d.Stage(ctx, name, remote.StageOptions{Owner: "bob"})
		if errors.Is(err, remote.ErrUnsupported) {
			s, err = d.Stream(ctx, name, false)
		}
		if err != nil {
			return err
		}
		if _, err := s.Commit(ctx, time.Time{}); err != nil {
			return errors.Join(err, s.Abort())
		}
		return nil
	}
}

func takesTurns(t *testing.T, below func(remote.Remote) remote.Remote, second func(ctx context.Context, d *Direct) error) {
	m := memory.New()
	for _, dir := range []string{"d", "d/empty"} {
		if err := m.Mkdir(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.Put(t.Context(), "d/g", strings.NewReader("x"), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	slow := faulty.New(m)
	d := NewDirect(below(slow), DirectOptions{})
	slow.Inject(faulty.Fault{Op: faulty.Move, Delay: time.Minute, Slow: true})
	moved := make(chan error, 1)
	go func() { moved <- d.Move(t.Context(), "d", "e") }()
	synctest.Wait()
	began := time.Now()
	_ = second(t.Context(), d) // what it is about has another name by then
	if waited := time.Since(began); waited < time.Minute {
		t.Errorf("it waited %v for the rename of its directory, which takes a minute", waited)
	}
	if err := <-moved; err != nil {
		t.Error(err)
	}
}
