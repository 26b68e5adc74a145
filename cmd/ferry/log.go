package main

import (
	"io"
	"log/slog"
)

// levelNotice is for what an administrator wants to see without having asked: it lies between INFO and WARN.
const levelNotice = slog.Level(2)

// levelWords are the values of --log-level.
var levelWords = []string{"DEBUG", "INFO", "NOTICE", "ERROR"}

// levelName returns the word for a level.
func levelName(l slog.Level) string {
	switch {
	case l < slog.LevelInfo:
		return "DEBUG"
	case l < levelNotice:
		return "INFO"
	case l < slog.LevelWarn:
		return "NOTICE"
	case l < slog.LevelError:
		return "WARN"
	}
	return "ERROR"
}

// level returns the least level that o wants logged.
func (o *logOptions) leastLevel() slog.Level {
	switch {
	case o.quiet, o.level == "ERROR":
		return slog.LevelError
	case o.verbose > 1, o.level == "DEBUG":
		return slog.LevelDebug
	case o.verbose == 1, o.level == "INFO":
		return slog.LevelInfo
	}
	return levelNotice
}

// open returns the log that o describes, and what closes it.
func (o *logOptions) open(stderr io.Writer) (*slog.Logger, func(), error) {
	w, done := stderr, func() {}
	if o.file != "" {
		f := &logFile{name: o.file}
		if err := f.reopen(); err != nil {
			return nil, nil, err
		}
		o.opened = f
		w, done = f, f.close
	}
	if o.format == "json" || o.json {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: o.leastLevel(), ReplaceAttr: jsonAttr})), done, nil
	}
	return slog.New(o.textHandler(w)), done, nil
}

func (o *logOptions) textHandler(w io.Writer) *textHandler {
	h := newTextHandler(w, o.leastLevel())
	h.systemd = o.systemd
	return h
}

// statsAt is the level of the lines that --stats asks for.
func (o *logOptions) statsAt() slog.Level {
	return (&logOptions{level: o.statsLevel}).leastLevel()
}

// jsonAttr gives the level of a JSON line its word, and a duration its unit: took_s is a number of seconds.
func jsonAttr(groups []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		return slog.Float64(a.Key+"_s", a.Value.Duration().Seconds())
	}
	if l, ok := a.Value.Any().(slog.Level); ok && len(groups) == 0 && a.Key == slog.LevelKey {
		a.Value = slog.StringValue(levelName(l))
	}
	return a
}
