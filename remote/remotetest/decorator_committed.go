package remotetest

import (
	"context"
	"io"
	"io/fs"
	"strings"
	"time"

	"ferry/remote"
)

// slowAnswers is a remote whose changes cannot be called back: each ends its context while it is
// made, is made all the same, and reports a doubt.
type slowAnswers struct {
	remote.Forward
	during func() // what happens meanwhile
}

func (r slowAnswers) answer(ctx context.Context, change func(ctx context.Context) error) error {
	committed, release := remote.Committed(ctx)
	defer release()
	r.during()
	select {
	case <-committed.Done(): // soon, if whoever is above shortens the time
	case <-time.After(5 * time.Millisecond):
	}
	remote.Unanswered(committed)
	if committed.Err() != nil {
		return context.Cause(committed)
	}
	return change(committed)
}

func (r slowAnswers) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (e remote.Entry, err error) {
	content, err := io.ReadAll(body)
	if err != nil {
		return remote.Entry{}, err
	}
	err = r.answer(ctx, func(ctx context.Context) (err error) {
		e, err = r.Forward.Put(ctx, name, strings.NewReader(string(content)), o)
		return err
	})
	return e, err
}

func (r slowAnswers) PutIf(
	ctx context.Context, name string, body io.Reader, version string, o remote.PutOptions,
) (e remote.Entry, err error) {
	content, err := io.ReadAll(body)
	if err != nil {
		return remote.Entry{}, err
	}
	err = r.answer(ctx, func(ctx context.Context) (err error) {
		e, err = r.Forward.PutIf(ctx, name, strings.NewReader(string(content)), version, o)
		return err
	})
	return e, err
}

func (r slowAnswers) Remove(ctx context.Context, name string) error {
	return r.answer(ctx, func(ctx context.Context) error { return r.Forward.Remove(ctx, name) })
}

func (r slowAnswers) RemoveVersion(ctx context.Context, name, version string) error {
	return r.answer(ctx, func(ctx context.Context) error { return r.Forward.RemoveVersion(ctx, name, version) })
}

func (r slowAnswers) Mkdir(ctx context.Context, dir string) error {
	return r.answer(ctx, func(ctx context.Context) error { return r.Forward.Mkdir(ctx, dir) })
}

func (r slowAnswers) Rmdir(ctx context.Context, dir string) error {
	return r.answer(ctx, func(ctx context.Context) error { return r.Forward.Rmdir(ctx, dir) })
}

func (r slowAnswers) Move(ctx context.Context, from, to string) error {
	return r.answer(ctx, func(ctx context.Context) error { return r.Forward.Move(ctx, from, to) })
}

func (r slowAnswers) Copy(ctx context.Context, from, to string) error {
	return r.answer(ctx, func(ctx context.Context) error { return r.Forward.Copy(ctx, from, to) })
}

func (r slowAnswers) SetModTime(ctx context.Context, name string, t time.Time) error {
	return r.answer(ctx, func(ctx context.Context) error { return r.Forward.SetModTime(ctx, name, t) })
}

func (r slowAnswers) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	return r.answer(ctx, func(ctx context.Context) error { return r.Forward.SetMode(ctx, name, perm) })
}

// Stage implements remote.Stager.
func (r slowAnswers) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	s, err := r.Forward.Stage(ctx, name, o)
	return slowStage{s, r}, err
}

type slowStage struct {
	remote.Stage
	r slowAnswers
}

func (s slowStage) Commit(ctx context.Context, modTime time.Time) (e remote.Entry, err error) {
	err = s.r.answer(ctx, func(ctx context.Context) (err error) {
		e, err = s.Stage.Commit(ctx, modTime)
		return err
	})
	return e, err
}

// keepsPatience checks that changes of r, which is over a slowAnswers, succeed and are reported as
// in doubt although their contexts end in between. during is what the slowAnswers does then.
func (s *suite) keepsPatience(during *func()) {
	*during = func() {}
	s.put("f", "content")
	s.mkdir("d")
	e := s.stat("f")
	abilities := s.r.(interface {
		remote.Mover
		remote.Copier
		remote.ModTimer
		remote.Moder
		remote.Stager
		remote.VersionRemover
	})
	for _, c := range []struct {
		op   string
		call func(ctx context.Context) error
	}{
		{"SetModTime", func(ctx context.Context) error { return abilities.SetModTime(ctx, "f", time.Now()) }},
		{"SetMode", func(ctx context.Context) error { return abilities.SetMode(ctx, "f", 0o600) }},
		{"Copy", func(ctx context.Context) error { return abilities.Copy(ctx, "f", "g") }},
		{"Move", func(ctx context.Context) error { return abilities.Move(ctx, "g", "h") }},
		{"Mkdir", func(ctx context.Context) error { return s.r.Mkdir(ctx, "e") }},
		{"Rmdir", func(ctx context.Context) error { return s.r.Rmdir(ctx, "d") }},
		{"RemoveVersion", func(ctx context.Context) error { return abilities.RemoveVersion(ctx, "f", e.Version) }},
		{"Remove", func(ctx context.Context) error { return s.r.Remove(ctx, "h") }},
		{"Put", func(ctx context.Context) error {
			_, err := s.r.Put(ctx, "f", strings.NewReader("new"), remote.PutOptions{})
			return err
		}},
		{"PutIf", func(ctx context.Context) error {
			_, err := remote.PutIf(ctx, s.r, "new", strings.NewReader("new"), "", remote.PutOptions{})
			return err
		}},
		{"Commit", func(ctx context.Context) error {
			st, err := abilities.Stage(context.WithoutCancel(ctx), "f", remote.StageOptions{Owner: alice})
			if err != nil {
				return err
			}
			_, err = st.Commit(ctx, time.Time{})
			return err
		}},
	} {
		ctx, doubts := doubting(s.ctx)
		ctx, cancel := context.WithCancel(ctx)
		*during = cancel
		if err := c.call(ctx); err != nil {
			s.Errorf("%s: %v", c.op, err)
		}
		if n := doubts.Load(); n == 0 {
			s.Errorf("%s: nobody learns that it is in doubt", c.op)
		}
		cancel()
	}
}
