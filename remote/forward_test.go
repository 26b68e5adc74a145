package remote_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
)

// plain hides every optional interface of the remote it holds.
type plain struct{ remote.Remote }

// decorated is a decorator that counts what passes through it.
type decorated struct {
	remote.Forward
	calls *[]string
}

func (d decorated) Move(ctx context.Context, from, to string) error {
	*d.calls = append(*d.calls, "move")
	return d.Forward.Move(ctx, from, to)
}

func (d decorated) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	*d.calls = append(*d.calls, "put")
	return d.Forward.Put(ctx, name, body, o)
}

func put(t *testing.T, r remote.Remote, name, content string) {
	t.Helper()
	if _, err := r.Put(t.Context(), name, strings.NewReader(content), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, r remote.Remote, name string) string {
	t.Helper()
	f, err := r.Open(t.Context(), name, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAbilityIsTheDriversThroughDecorators(t *testing.T) {
	var calls []string
	r := decorated{remote.Forward{Remote: remote.Forward{Remote: memory.New()}}, &calls}
	put(t, r, "a", "x")
	if _, ok := remote.AsStager(r); !ok {
		t.Error("a decorated Stager is no Stager")
	}
	if err := remote.Move(t.Context(), r, "a", "b"); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(calls, " "); got != "put move" {
		t.Errorf("calls that passed the decorator: %s", got)
	}
	if err := remote.SetModTime(t.Context(), r, "b", time.Unix(5, 0)); err != nil {
		t.Error(err)
	}
	if err := remote.SetMode(t.Context(), r, "b", 0o600); err != nil {
		t.Error(err)
	}
	if sum, err := remote.Hash(t.Context(), r, "b", "md5"); err != nil || len(sum) != 16 {
		t.Errorf("Hash = %x, %v", sum, err)
	}
	if _, err := remote.GetUsage(t.Context(), r); err != nil {
		t.Error(err)
	}
}

func TestWhatTheDriverLacksIsUnsupported(t *testing.T) {
	ctx := t.Context()
	f := remote.Forward{Remote: plain{memory.New()}}
	if _, ok := remote.AsStager(f); ok {
		t.Error("a decorator made a Stager of a remote that is none")
	}
	_, hashErr := f.Hash(ctx, "x", "md5")
	_, usageErr := f.Usage(ctx)
	_, stageErr := f.Stage(ctx, "x", remote.StageOptions{Owner: "a"})
	_, partErr := f.Part(ctx, "x", "a")
	_, helperHash := remote.Hash(ctx, f, "x", "md5")
	_, helperUsage := remote.GetUsage(ctx, f)
	for what, err := range map[string]error{
		"Move":              f.Move(ctx, "x", "y"),
		"Copy":              f.Copy(ctx, "x", "y"),
		"SetModTime":        f.SetModTime(ctx, "x", time.Now()),
		"SetMode":           f.SetMode(ctx, "x", 0),
		"Hash":              hashErr,
		"Usage":             usageErr,
		"Stage":             stageErr,
		"Part":              partErr,
		"DropPart":          f.DropPart(ctx, "x", "a"),
		"remote.SetModTime": remote.SetModTime(ctx, f, "x", time.Now()),
		"remote.SetMode":    remote.SetMode(ctx, f, "x", 0),
		"remote.Hash":       helperHash,
		"remote.GetUsage":   helperUsage,
	} {
		var pe *fs.PathError
		if !errors.Is(err, remote.ErrUnsupported) || !errors.As(err, &pe) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestMoveWithoutMoverCopiesAndRemoves(t *testing.T) {
	ctx := t.Context()
	mem := memory.New()
	r := plain{mem}
	put(t, r, "a", "new")
	put(t, r, "b", "old")
	when := time.Unix(1e9, 0)
	if err := mem.SetModTime(ctx, "a", when); err != nil {
		t.Fatal(err)
	}
	if err := remote.Move(ctx, r, "a", "b"); err != nil {
		t.Fatal(err)
	}
	if got := get(t, r, "b"); got != "new" {
		t.Errorf("content %q", got)
	}
	if e, err := r.Stat(ctx, "b"); err != nil || !e.ModTime.Equal(when) {
		t.Errorf("time %v, %v", e.ModTime, err)
	}
	if _, err := r.Stat(ctx, "a"); !errors.Is(err, remote.ErrNotExist) {
		t.Errorf("the old name: %v", err)
	}
}

func TestMoveWithoutMoverRefuses(t *testing.T) {
	ctx := t.Context()
	r := plain{memory.New()}
	put(t, r, "f", "x")
	if err := r.Mkdir(ctx, "d"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from, to string
		want     error
	}{
		{"d", "e", remote.ErrUnsupported},
		{"none", "e", remote.ErrNotExist},
		{"f", "d", remote.ErrIsDir},
		{"f", "none/f", remote.ErrNotExist},
		{"f", "f", nil},
	} {
		if err := remote.Move(ctx, r, c.from, c.to); !errors.Is(err, c.want) {
			t.Errorf("Move(%s, %s) = %v, want %v", c.from, c.to, err, c.want)
		}
	}
	if got := get(t, r, "f"); got != "x" {
		t.Errorf("content %q", got)
	}
}

func TestMoveKeepsAFileThatDiffersInCaseOnly(t *testing.T) {
	r := caseless{plain{memory.New()}}
	put(t, r, "a", "x")
	if err := remote.Move(t.Context(), r, "a", "A"); !errors.Is(err, remote.ErrUnsupported) {
		t.Errorf("Move = %v", err)
	}
	if got := get(t, r, "a"); got != "x" {
		t.Errorf("content %q", got)
	}
}

type caseless struct{ plain }

func (c caseless) Info() remote.Info {
	info := c.plain.Info()
	info.Caps.CaseInsensitive = true
	return info
}

func TestCopyKeepsTheModTime(t *testing.T) {
	ctx := t.Context()
	mem := memory.New()
	put(t, mem, "a", "x")
	when := time.Unix(1e9, 0)
	if err := mem.SetModTime(ctx, "a", when); err != nil {
		t.Fatal(err)
	}
	for to, r := range map[string]remote.Remote{"by itself": mem, "through us": plain{mem}} {
		if err := remote.Copy(ctx, r, "a", to); err != nil {
			t.Fatal(err)
		}
		if e, err := r.Stat(ctx, to); err != nil || !e.ModTime.Equal(when) || get(t, r, to) != "x" {
			t.Errorf("%s: %+v, %v", to, e, err)
		}
	}
	if err := mem.Mkdir(ctx, "d"); err != nil {
		t.Fatal(err)
	}
	if err := remote.Copy(ctx, mem, "d", "e"); !errors.Is(err, remote.ErrIsDir) {
		t.Errorf("a directory: %v", err)
	}
	if err := remote.Copy(ctx, mem, "../a", "e"); !errors.Is(err, remote.ErrInvalid) {
		t.Errorf("a name that is none: %v", err)
	}
}

func TestContextReaderFailsWithTheCause(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	r := remote.ContextReader(ctx, strings.NewReader("abc"))
	if n, err := r.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Fatalf("Read = %d, %v", n, err)
	}
	cause := errors.New("cause")
	cancel(cause)
	if n, err := r.Read(make([]byte, 1)); n != 0 || err != cause {
		t.Errorf("Read = %d, %v", n, err)
	}
}

func TestCheckSize(t *testing.T) {
	for _, c := range []struct {
		got, announced int64
		want           error
	}{{5, 0, nil}, {0, 0, nil}, {5, 5, nil}, {4, 5, remote.ErrSize}, {6, 5, remote.ErrSize}, {0, 5, remote.ErrSize}} {
		if err := remote.CheckSize(c.got, c.announced); !errors.Is(err, c.want) {
			t.Errorf("CheckSize(%d, %d) = %v", c.got, c.announced, err)
		}
	}
}
