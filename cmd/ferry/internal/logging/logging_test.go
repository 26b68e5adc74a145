package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ferry/cmd/ferry/internal/flags"
)

func TestTextLines(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(NewText(&b, slog.LevelDebug))
	tests := []struct {
		log  func()
		want string // behind the time
	}{
		{func() { log.Log(t.Context(), Notice, "serving", "n", 3) }, "NOTICE: serving n=3"},
		{func() { log.Error("gone", "error", errors.New("no such file")) }, `ERROR : gone error="no such file"`},
		{func() { log.Info("x", "a", "", "b", `q"`, "c", "k=v", "d", "plain") }, `INFO  : x a="" b="q\"" c="k=v" d=plain`},
		{func() { log.Debug("x", "d", 90*time.Second, "t", time.Unix(0, 0).UTC()) }, "DEBUG : x d=1m30s t=1970-01-01T00:00:00Z"},
		{func() { log.Warn("two\nlines \x1b[0m \"quoted\" é", "k", "a\nb\xff") }, `WARN  : two\nlines \x1b[0m "quoted" é k="a\nb\xff"`},
		{func() { log.With("s", 1).WithGroup("g").With("a", 2).Info("m", "b", 3) }, "INFO  : m s=1 g.a=2 g.b=3"},
		{func() { log.Info("m", slog.Group("g", "a", 1, slog.Group("h", "b", 2)), slog.Group("", "c", 3)) }, "INFO  : m g.a=1 g.h.b=2 c=3"},
		{func() { log.Info("m", "pass", flags.Secret("hunter2")) }, "INFO  : m pass=***"},
		{func() { log.WithGroup("").Info("m", slog.Attr{}) }, "INFO  : m"},
	}
	line := regexp.MustCompile(`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (.*)\n$`)
	for _, tt := range tests {
		b.Reset()
		tt.log()
		if got := line.FindStringSubmatch(b.String()); got == nil || got[1] != tt.want {
			t.Errorf("got %q, want %q", b.String(), tt.want)
		}
	}
}

func TestLevels(t *testing.T) {
	tests := []struct {
		o    flags.LogOptions
		want string
	}{
		{flags.LogOptions{Level: "NOTICE"}, "NOTICE WARN ERROR"},
		{flags.LogOptions{Level: "NOTICE", Quiet: true}, "ERROR"},
		{flags.LogOptions{Level: "NOTICE", Verbose: 1}, "INFO NOTICE WARN ERROR"},
		{flags.LogOptions{Level: "NOTICE", Verbose: 2}, "DEBUG INFO NOTICE WARN ERROR"},
		{flags.LogOptions{Level: "DEBUG"}, "DEBUG INFO NOTICE WARN ERROR"},
		{flags.LogOptions{Level: "INFO"}, "INFO NOTICE WARN ERROR"},
		{flags.LogOptions{Level: "ERROR"}, "ERROR"},
	}
	for _, tt := range tests {
		for _, format := range []string{"text", "json"} {
			var b bytes.Buffer
			tt.o.Format = format
			log, file, err := Open(&tt.o, &b)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, Notice, slog.LevelWarn, slog.LevelError} {
				log.Log(t.Context(), l, "m", "level", "inner")
			}
			file.Close()
			got := strings.Join(regexp.MustCompile(`DEBUG|INFO|NOTICE|WARN|ERROR`).FindAllString(b.String(), -1), " ")
			if got != tt.want {
				t.Errorf("%+v: logged %q, want %q", tt.o, got, tt.want)
			}
		}
	}
}

func TestJSONLines(t *testing.T) {
	var b bytes.Buffer
	o := flags.LogOptions{Level: "NOTICE", Format: "json"}
	log, _, err := Open(&o, &b)
	if err != nil {
		t.Fatal(err)
	}
	log.Log(t.Context(), Notice, "serving", "pass", flags.Secret("hunter2"), "file", "a b")
	var line map[string]any
	if err := json.Unmarshal(b.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line["level"] != "NOTICE" || line["msg"] != "serving" || line["pass"] != "***" || line["file"] != "a b" {
		t.Errorf("got %s", b.Bytes())
	}
}

func TestLogFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	for range 2 {
		o := flags.LogOptions{Level: "NOTICE", File: name, Format: "text"}
		log, file, err := Open(&o, nil)
		if err != nil {
			t.Fatal(err)
		}
		log.Error("line")
		file.Close()
	}
	b, err := os.ReadFile(name)
	if err != nil || strings.Count(string(b), "ERROR : line\n") != 2 {
		t.Errorf("the file holds %q, %v", b, err)
	}
}

func TestLevelsOfTheSystemsLog(t *testing.T) {
	for level, want := range map[slog.Level]byte{slog.LevelDebug: '7', slog.LevelInfo: '6', Notice: '5', slog.LevelWarn: '4', slog.LevelError: '3'} {
		if got := syslogLevel(level); got != want {
			t.Errorf("%v: %c", level, got)
		}
	}
}

func TestADurationInJSONHasAUnit(t *testing.T) {
	var out bytes.Buffer
	log, file, err := Open(&flags.LogOptions{Format: "json"}, &out)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	log.Warn("x", slog.Duration("took", 1500*time.Millisecond))
	got := map[string]any{}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || got["took_s"] != 1.5 || got["took"] != nil {
		t.Errorf("%v: %s", err, out.String())
	}
}
