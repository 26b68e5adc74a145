package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
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
		f, err := os.OpenFile(o.file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return nil, nil, fmt.Errorf("--log-file: %w", err)
		}
		w, done = f, func() { f.Close() }
	}
	if o.format == "json" || o.json {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: o.leastLevel(), ReplaceAttr: nameLevel})), done, nil
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

// nameLevel gives the level of a JSON line its word.
func nameLevel(groups []string, a slog.Attr) slog.Attr {
	if l, ok := a.Value.Any().(slog.Level); ok && len(groups) == 0 && a.Key == slog.LevelKey {
		a.Value = slog.StringValue(levelName(l))
	}
	return a
}
