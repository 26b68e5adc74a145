package logging

import (
	"log/slog"

	"ferry/cmd/ferry/internal/flags"
)

// Notice is for what an administrator wants to see without having asked: it lies between INFO and
// WARN.
const Notice = slog.Level(2)

// levelName returns the word for a level.
func levelName(l slog.Level) string {
	switch {
	case l < slog.LevelInfo:
		return "DEBUG"
	case l < Notice:
		return "INFO"
	case l < slog.LevelWarn:
		return "NOTICE"
	case l < slog.LevelError:
		return "WARN"
	}
	return "ERROR"
}

// LeastLevel returns the least level that o wants logged.
func LeastLevel(o *flags.LogOptions) slog.Level {
	switch {
	case o.Quiet, o.Level == "ERROR":
		return slog.LevelError
	case o.Verbose > 1, o.Level == "DEBUG":
		return slog.LevelDebug
	case o.Verbose == 1, o.Level == "INFO":
		return slog.LevelInfo
	}
	return Notice
}

// StatsLevel is the level of the lines that --stats asks for.
func StatsLevel(o *flags.LogOptions) slog.Level {
	return LeastLevel(&flags.LogOptions{Level: o.StatsLevel})
}
