package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestTextLines(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(newTextHandler(&b, slog.LevelDebug))
	tests := []struct {
		log  func()
		want string // behind the time
	}{
		{func() { log.Log(t.Context(), levelNotice, "Serving", "n", 3) }, "NOTICE: Serving n=3"},
		{func() { log.Error("gone", "error", errors.New("no such file")) }, `ERROR : gone error="no such file"`},
		{func() { log.Info("x", "a", "", "b", `q"`, "c", "k=v", "d", "plain") }, `INFO  : x a="" b="q\"" c="k=v" d=plain`},
		{func() { log.Debug("x", "d", 90*time.Second, "t", time.Unix(0, 0).UTC()) }, "DEBUG : x d=1m30s t=1970-01-01T00:00:00Z"},
		{func() { log.Warn("two\nlines \x1b[0m \"quoted\" é", "k", "a\nb\xff") }, `WARN  : two\nlines \x1b[0m "quoted" é k="a\nb\xff"`},
		{func() { log.With("s", 1).WithGroup("g").With("a", 2).Info("m", "b", 3) }, "INFO  : m s=1 g.a=2 g.b=3"},
		{func() { log.Info("m", slog.Group("g", "a", 1, slog.Group("h", "b", 2)), slog.Group("", "c", 3)) }, "INFO  : m g.a=1 g.h.b=2 c=3"},
		{func() { log.Info("m", "pass", secret("hunter2")) }, "INFO  : m pass=***"},
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
		o    logOptions
		want string
	}{
		{logOptions{level: "NOTICE"}, "NOTICE WARN ERROR"},
		{logOptions{level: "NOTICE", quiet: true}, "ERROR"},
		{logOptions{level: "NOTICE", verbose: 1}, "INFO NOTICE WARN ERROR"},
		{logOptions{level: "NOTICE", verbose: 2}, "DEBUG INFO NOTICE WARN ERROR"},
		{logOptions{level: "DEBUG"}, "DEBUG INFO NOTICE WARN ERROR"},
		{logOptions{level: "INFO"}, "INFO NOTICE WARN ERROR"},
		{logOptions{level: "ERROR"}, "ERROR"},
	}
	for _, tt := range tests {
		for _, format := range []string{"text", "json"} {
			var b bytes.Buffer
			tt.o.format = format
			log, done, err := tt.o.open(&b)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, levelNotice, slog.LevelWarn, slog.LevelError} {
				log.Log(t.Context(), l, "m", "level", "inner")
			}
			done()
			got := strings.Join(regexp.MustCompile(`DEBUG|INFO|NOTICE|WARN|ERROR`).FindAllString(b.String(), -1), " ")
			if got != tt.want {
				t.Errorf("%+v: logged %q, want %q", tt.o, got, tt.want)
			}
		}
	}
}

func TestJSONLines(t *testing.T) {
	var b bytes.Buffer
	o := logOptions{level: "NOTICE", format: "json"}
	log, _, err := o.open(&b)
	if err != nil {
		t.Fatal(err)
	}
	log.Log(t.Context(), levelNotice, "Serving", "pass", secret("hunter2"), "file", "a b")
	var line map[string]any
	if err := json.Unmarshal(b.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line["level"] != "NOTICE" || line["msg"] != "Serving" || line["pass"] != "***" || line["file"] != "a b" {
		t.Errorf("got %s", b.Bytes())
	}
}

func TestLogFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	for range 2 {
		o := logOptions{level: "NOTICE", file: name, format: "text"}
		log, done, err := o.open(nil)
		if err != nil {
			t.Fatal(err)
		}
		log.Error("line")
		done()
	}
	b, err := os.ReadFile(name)
	if err != nil || strings.Count(string(b), "ERROR : line\n") != 2 {
		t.Errorf("the file holds %q, %v", b, err)
	}
}

func TestASecretIsNeverShown(t *testing.T) {
	s := secret("hunter2")
	type holder struct{ Pass secret }
	asJSON, err := json.Marshal(holder{s})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q", s, s, s, s, s), fmt.Sprintf("%+v %#v", holder{s}, holder{s}),
		secretValue(&s).String(), string(asJSON), fmt.Errorf("wrong: %v", s).Error(),
	} {
		if strings.Contains(text, "hunter2") || !strings.Contains(text, "***") {
			t.Errorf("shown as %q", text)
		}
	}
	if s.reveal() != "hunter2" || secret("").String() != "" {
		t.Error("a secret lost its text")
	}
}
