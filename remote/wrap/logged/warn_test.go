package logged_test

import (
	"context"
	"log/slog"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/logged"
)

// A warner is a remote that warns of what it looks at.
type warner struct{ *memory.Remote }

func (w warner) Stat(ctx context.Context, name string) (remote.Entry, error) {
	remote.Warn(ctx, "look at this", "path", name)
	return w.Remote.Stat(ctx, name)
}

func TestWhatADriverWarnsOfIsLogged(t *testing.T) {
	out := &lines{}
	r := logged.New(warner{memory.New()}, slog.New(out))
	if _, err := r.Stat(t.Context(), "."); err != nil {
		t.Fatal(err)
	}
	compare(t, out.warnings, "look at this path=.")
}

// lines is a handler that keeps warnings.
type lines struct {
	slog.Handler
	warnings []string
}

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }

func (l *lines) WithAttrs([]slog.Attr) slog.Handler { return l }

func (l *lines) Handle(_ context.Context, r slog.Record) error {
	if r.Level == slog.LevelWarn {
		line := r.Message
		r.Attrs(func(a slog.Attr) bool {
			line += " " + a.String()
			return true
		})
		l.warnings = append(l.warnings, line)
	}
	return nil
}
