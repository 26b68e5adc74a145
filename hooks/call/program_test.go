//go:build unix

package call

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ferry/events"
)

// script returns the path of a shell script that runs in a directory of its own.
func script(t *testing.T, text string) (program, dir string) {
	t.Helper()
	dir = t.TempDir()
	program = filepath.Join(dir, "hook")
	if err := os.WriteFile(program, []byte("#!/bin/sh\ncd "+dir+"\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return program, dir
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestProgram(t *testing.T) {
	t.Setenv("FERRY_PASS", "pa55word")
	program, dir := script(t, `cat >question; env >environment; echo "$#:$1" >arguments; echo '{"path":"/x","message":"no"}'`)
	c := newCaller(t, Options{Hook: "h", Program: []string{program, "a b; rm -rf x"}, Source: "s"})
	e := stored()
	e.Path = "/in/a\x00\nb $(reboot)"
	answer, err := c.Call(t.Context(), Message{Name: "upload.stored", Event: e, Tries: 2})
	if err != nil || answer.Path != "/x" || answer.Message != "no" {
		t.Fatalf("%+v, %v", answer, err)
	}
	if got := read(t, filepath.Join(dir, "arguments")); got != "1:a b; rm -rf x\n" {
		t.Errorf("arguments %q", got)
	}
	if got := read(t, filepath.Join(dir, "question")); !strings.Contains(got, `"type":"dev.ferry.upload.stored"`) {
		t.Errorf("it was told %s", got)
	}
	env := read(t, filepath.Join(dir, "environment"))
	for _, want := range []string{"FERRY_EVENT=upload.stored\n", "FERRY_USER=bob\n", "FERRY_PATH=/in/a\nb $(reboot)\n", "FERRY_SIZE=0\n", "FERRY_TRY=3\n",
		"FERRY_PREVIOUS_NAMES=/in/a.csv.part\n", "FERRY_ADDRESS=192.0.2.1\n", "FERRY_HOOK_NAME=h\n", "PATH="} {
		if !strings.Contains(env, want) {
			t.Errorf("%q is not in its environment:\n%s", want, env)
		}
	}
	if strings.Contains(env, "pa55word") {
		t.Errorf("it has the password of the server:\n%s", env)
	}
}

func TestEnvironmentsOfOthers(t *testing.T) {
	program, dir := script(t, `env >environment; echo "$@" >arguments`)
	run := func(env string, e *events.Event) string {
		t.Helper()
		c := newCaller(t, Options{Program: []string{program}, Env: env})
		if _, err := c.Call(t.Context(), Message{Name: e.Kind.String(), Event: e}); err != nil {
			t.Fatal(err)
		}
		return read(t, filepath.Join(dir, "environment")) + read(t, filepath.Join(dir, "arguments"))
	}
	got := run("sftpgo", stored())
	for _, want := range []string{"SFTPGO_ACTION=upload\n", "SFTPGO_ACTION_USERNAME=bob\n", "SFTPGO_ACTION_VIRTUAL_PATH=/in/a.csv\n", "SFTPGO_ACTION_STATUS=1\n",
		"SFTPGO_ACTION_ELAPSED=1500\n", "SFTPGO_ACTION_FS_PROVIDER=1\n", "SFTPGO_ACTION_PROTOCOL=FTP\n", "SFTPGO_ACTION_IP=192.0.2.1\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("sftpgo: no %q in\n%s", want, got)
		}
	}
	if got := run("sftpgo", &events.Event{Kind: events.UploadAborted}); !strings.Contains(got, "SFTPGO_ACTION_STATUS=2\n") {
		t.Errorf("sftpgo: an upload that was cut off is good:\n%s", got)
	}
	got = run("pure-ftpd", &events.Event{Kind: events.UploadStored, User: "bob", Remote: "local", Name: "/srv/ftp/a b.csv", Path: "/a b.csv", Size: 9})
	if !strings.Contains(got, "UPLOAD_SIZE=9\n") || !strings.Contains(got, "UPLOAD_VUSER=bob\n") || !strings.HasSuffix(got, "\n/srv/ftp/a b.csv\n") {
		t.Errorf("pure-ftpd:\n%s", got)
	}
}

func TestStatusesOfPrograms(t *testing.T) {
	for name, tt := range map[string]struct {
		script  string
		bad     bool
		refused bool
		text    string
	}{
		"good":         {script: "exit 0"},
		"reads not":    {script: "exec <&-; exit 0"},
		"no":           {script: "echo virus found; exit 1", bad: true, refused: true, text: "virus found"},
		"no by stderr": {script: "echo virus found >&2; exit 1", bad: true, refused: true, text: "virus found"},
		"cannot run":   {script: "no-such-command-here", bad: true, text: "127"},
		"killed":       {script: "kill -9 $$", bad: true, text: "killed"},
		"talks a lot":  {script: "head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; exit 0"},
	} {
		t.Run(name, func(t *testing.T) {
			program, _ := script(t, tt.script)
			e := stored()
			e.Path = strings.Repeat("x", 100) // more than is read
			_, err := newCaller(t, Options{Program: []string{program}}).Call(t.Context(), Message{Name: "upload.stored", Event: e})
			bad := (*Error)(nil)
			if errors.As(err, &bad) != tt.bad || err != nil && !tt.bad {
				t.Fatalf("%v", err)
			}
			if tt.bad && (bad.Refused != tt.refused || !strings.Contains(err.Error(), tt.text)) {
				t.Errorf("%+v", bad)
			}
		})
	}
}

// What the program started ends with it.
func TestASlowProgramIsEnded(t *testing.T) {
	program, dir := script(t, "sleep 1000 &\necho $! >child.new; mv child.new child\nwait\n")
	_, err := newCaller(t, Options{Program: []string{program}, Timeout: time.Second}).Call(t.Context(), Message{Name: "delete", Event: &events.Event{}})
	if bad := (*Error)(nil); !errors.As(err, &bad) || bad.Refused || !strings.Contains(err.Error(), "no answer in 1s") {
		t.Errorf("%v", err)
	}
	child := strings.TrimSpace(read(t, filepath.Join(dir, "child")))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		state, err := os.ReadFile("/proc/" + child + "/stat")
		if err != nil || strings.Contains(string(state), ") Z ") {
			return
		}
	}
	t.Errorf("the process %s is still there", child)
}

// What is checked comes as an open file.
func TestAFileToCheck(t *testing.T) {
	program, dir := script(t, `cat <&3 >content; echo "$FERRY_FILE" >name`)
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("hello"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	c := newCaller(t, Options{Program: []string{program}})
	if _, err := c.Call(t.Context(), Message{Name: "check", Event: stored(), File: f, FilePath: f.Name()}); err != nil {
		t.Fatal(err)
	}
	if content, name := read(t, filepath.Join(dir, "content")), read(t, filepath.Join(dir, "name")); content != "hello" || name != f.Name()+"\n" {
		t.Errorf("it read %q of %q", content, name)
	}
}

func TestOutputIsLogged(t *testing.T) {
	program, _ := script(t, "echo one; echo two >&2; i=0; while [ $i -lt 100 ]; do echo line $i; i=$((i+1)); done")
	var log bytes.Buffer
	c := newCaller(t, Options{Hook: "h", Program: []string{program}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if _, err := c.Call(t.Context(), Message{Name: "delete", Event: &events.Event{ID: "7"}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`msg="hook: one" hook=h id=7 stream=stdout`, `msg="hook: two" hook=h id=7 stream=stderr`, "and more lines"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in\n%s", want, log.String())
		}
	}
}
