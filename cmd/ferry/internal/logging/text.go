package logging

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// A textHandler writes one line for each record:
//
//	2026/01/02 15:04:05 NOTICE: message key=value group.key="a value"
//
// The time is local. Control characters come out escaped, so that nothing that a client sends can
// look like a line of its own.
type textHandler struct {
	least   slog.Leveler
	systemd bool   // lines begin with their level in place of the time
	attrs   string // written before those of the record, each with a space in front
	prefix  string // the open groups, each with a dot behind

	mu *sync.Mutex
	w  io.Writer // guarded by mu
}

// NewText returns a handler that writes lines from the level least on to w.
func NewText(w io.Writer, least slog.Leveler) *textHandler {
	return &textHandler{least: least, mu: new(sync.Mutex), w: w}
}

// Enabled implements slog.Handler.
func (h *textHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.least.Level() }

// Handle implements slog.Handler.
func (h *textHandler) Handle(_ context.Context, r slog.Record) error {
	b := make([]byte, 0, 256)
	if h.systemd {
		b = append(b, '<', syslogLevel(r.Level), '>')
	} else if !r.Time.IsZero() {
		b = r.Time.Local().AppendFormat(b, "2006/01/02 15:04:05 ")
	}
	word := levelName(r.Level)
	b = append(b, word...)
	b = append(b, "      "[:6-len(word)]...)
	b = append(b, ": "...)
	b = appendEscaped(b, r.Message)
	b = append(b, h.attrs...)
	r.Attrs(func(a slog.Attr) bool {
		b = appendAttr(b, h.prefix, a)
		return true
	})
	b = append(b, '\n')
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := h.w.Write(b)
	return err
}

// syslogLevel is the digit for a level in front of a line (sd-daemon(3)).
func syslogLevel(l slog.Level) byte {
	switch {
	case l < slog.LevelInfo:
		return '7'
	case l < Notice:
		return '6'
	case l < slog.LevelWarn:
		return '5'
	case l < slog.LevelError:
		return '4'
	}
	return '3'
}

// WithAttrs implements slog.Handler.
func (h *textHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	b := []byte(h.attrs)
	for _, a := range attrs {
		b = appendAttr(b, h.prefix, a)
	}
	with.attrs = string(b)
	return &with
}

// WithGroup implements slog.Handler.
func (h *textHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	with := *h
	with.prefix += name + "."
	return &with
}

// appendAttr appends " prefix.key=value", the members of a group one by one.
func appendAttr(b []byte, prefix string, a slog.Attr) []byte {
	v := a.Value.Resolve()
	if a.Key == "" && v.Kind() != slog.KindGroup {
		return b
	}
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, member := range v.Group() {
			b = appendAttr(b, prefix, member)
		}
		return b
	}
	b = append(b, ' ')
	b = appendEscaped(b, prefix+a.Key)
	b = append(b, '=')
	if v.Kind() == slog.KindTime {
		return v.Time().AppendFormat(b, time.RFC3339)
	}
	text := v.String()
	if text == "" || strings.ContainsAny(text, " \"=") || strings.ContainsFunc(text, Unprintable) {
		return strconv.AppendQuote(b, text)
	}
	return append(b, text...)
}

// appendEscaped appends s, what cannot be printed escaped as in a Go string.
func appendEscaped(b []byte, s string) []byte {
	if !strings.ContainsFunc(s, Unprintable) {
		return append(b, s...)
	}
	quoted := strconv.Quote(s)
	return append(b, strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)...)
}

// Unprintable reports whether r would do something else on a terminal than show.
func Unprintable(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }

// AtLeast returns a log that begins at that level or a lower one of log, where log is one of text
// lines; else log itself.
func AtLeast(log *slog.Logger, least slog.Level) *slog.Logger {
	h, ok := log.Handler().(*textHandler)
	if !ok {
		return log
	}
	with := *h
	with.least = lower{h.least, least}
	return slog.New(&with)
}

// lower is the lower one of two levels.
type lower [2]slog.Leveler

// Level implements slog.Leveler.
func (l lower) Level() slog.Level { return min(l[0].Level(), l[1].Level()) }
