package logged_test

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/faulty"
	"ferry/remote/wrap/logged"
	"ferry/remote/wrap/retry"
)

// leaky is a remote whose listings leave something out, and fail as often as they are told to.
type leaky struct {
	remote.Forward
	omit  []string
	fails int
}

func (l *leaky) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		for _, entry := range l.omit {
			remote.Omitted(ctx, entry, remote.OmittedLine)
		}
		if l.fails--; l.fails >= 0 {
			yield(remote.Entry{}, errors.New("cut"))
			return
		}
		for e, err := range l.Forward.List(ctx, dir) {
			if !yield(e, err) {
				return
			}
		}
	}
}

// What a listing leaves out is one line in the log for each directory, whatever else is logged.
func TestOmissionsAreLoggedOnce(t *testing.T) {
	lines := observe(t, slog.LevelWarn, func(t *testing.T, r *logged.Remote, _ *faulty.Remote) {
		l := &leaky{Forward: remote.Forward{Remote: memory.New()}, omit: []string{"x y z", "z\n"}, fails: 1}
		again := retry.New(l, retry.Options{Attempts: 3})
		r.Forward.Remote = again
		list := func(dir string) {
			for _, err := range r.List(t.Context(), dir) {
				if err != nil && !errors.Is(err, remote.ErrNotExist) {
					t.Error(err)
				}
			}
		}
		list(".")
		list(".")
		list("d")
		l.omit = l.omit[:1]
		list(".")
		l.omit = nil
		list(".")
	})
	compare(t, lines,
		`level=WARN msg="a listing leaves entries out" remote=memory: name=. entries=2 first="x y z" reason="the line is not understood"`,
		`level=WARN msg="a listing leaves entries out" remote=memory: name=d entries=2 first="x y z" reason="the line is not understood"`,
		`level=WARN msg="a listing leaves entries out" remote=memory: name=. entries=1 first="x y z" reason="the line is not understood"`,
	)
}
