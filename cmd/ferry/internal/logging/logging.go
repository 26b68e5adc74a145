// Package logging makes the log that the flags describe: its levels, the form of its lines, its
// file.
package logging

import (
	"io"
	"log/slog"

	"ferry/cmd/ferry/internal/flags"
)

// Open returns the log that the flags describe, and its file: nil where it goes to standard error.
// The caller closes it.
func Open(o *flags.LogOptions, stderr io.Writer) (*slog.Logger, *File, error) {
	return OpenAt(o, stderr, LeastLevel(o))
}

// OpenAt is Open for a log whose level may change.
func OpenAt(o *flags.LogOptions, stderr io.Writer, least slog.Leveler) (*slog.Logger, *File, error) {
	var file *File
	w := stderr
	if o.File != "" {
		file = &File{Name: o.File}
		if err := file.Reopen(); err != nil {
			return nil, nil, err
		}
		w = file
	}
	if o.Format == "json" || o.JSON {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: least, ReplaceAttr: jsonAttr})), file, nil
	}
	h := NewText(w, least)
	h.systemd = o.Systemd
	return slog.New(h), file, nil
}

// jsonAttr gives the level of a JSON line its word, and a duration its unit: took_s is a number of
// seconds.
func jsonAttr(groups []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		return slog.Float64(a.Key+"_s", a.Value.Duration().Seconds())
	}
	if l, ok := a.Value.Any().(slog.Level); ok && len(groups) == 0 && a.Key == slog.LevelKey {
		a.Value = slog.StringValue(levelName(l))
	}
	return a
}
