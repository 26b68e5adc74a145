package union

import (
	"context"
	"io"
	"iter"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/local"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
)

// newUnion returns a union of upstreams, of which o says the policies.
func newUnion(t *testing.T, o Options, ups ...Upstream) remote.Remote {
	t.Helper()
	o.Upstreams = ups
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func up(r remote.Remote) Upstream { return Upstream{Remote: r} }

// plain has no optional interface, and no file has a number or a version.
type plain struct{ remote.Remote }

func (p plain) Info() remote.Info {
	info := p.Remote.Info()
	info.Caps.Modes, info.Caps.MoveDir, info.Caps.ModTime = false, false, 0
	return info
}

func (p plain) Stat(ctx context.Context, name string) (remote.Entry, error) {
	e, err := p.Remote.Stat(ctx, name)
	e.ID, e.Version = 0, ""
	return e, err
}

func (p plain) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	e, err := p.Remote.Put(ctx, name, body, o)
	e.ID, e.Version = 0, ""
	return e, err
}

func (p plain) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		for e, err := range p.Remote.List(ctx, dir) {
			e.ID, e.Version = 0, ""
			if !yield(e, err) {
				return
			}
		}
	}
}

func disk(t *testing.T) remote.Remote {
	t.Helper()
	r, err := local.New(t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRemote(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		ups  func(t *testing.T) []Upstream
	}{
		{"defaults", Options{}, func(t *testing.T) []Upstream { return []Upstream{up(memory.New()), up(memory.New())} }},
		{"everywhere", Options{Create: "all"}, func(t *testing.T) []Upstream { return []Upstream{up(disk(t)), up(memory.New())} }},
		{"at random", Options{Create: "rand", Search: "newest"}, func(t *testing.T) []Upstream { return []Upstream{up(memory.New()), up(memory.New()), up(disk(t))} }},
		{"one for new files", Options{Create: "ff"}, func(t *testing.T) []Upstream {
			return []Upstream{{Remote: memory.New(), ReadOnly: true}, {Remote: memory.New(), NoCreate: true}, up(disk(t))}
		}},
		{"without abilities", Options{Create: "all"}, func(t *testing.T) []Upstream { return []Upstream{up(plain{memory.New()}), up(memory.New())} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			remotetest.Run(t, func(t *testing.T) remote.Remote { return newUnion(t, c.o, c.ups(t)...) })
		})
	}
}

// unread is a Stager that does not let read what it keeps of uploads.
type unread struct {
	remote.Remote
	remote.Stager
}

func TestPartsAreReadWhereAllUpstreamsReadThem(t *testing.T) {
	fixed := up(newUnread())
	fixed.ReadOnly = true
	for want, r := range map[bool]remote.Remote{
		true:  newUnion(t, Options{}, up(memory.New()), fixed),
		false: newUnion(t, Options{}, up(memory.New()), up(newUnread())),
	} {
		if _, stages := remote.AsStager(r); !stages {
			t.Error("it is no Stager")
		}
		if _, reads := remote.AsPartReader(r); reads != want {
			t.Errorf("it reads parts: %v", reads)
		}
	}
}

func newUnread() unread {
	r := memory.New()
	return unread{r, r}
}
