//go:build unix

package auth

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

// script returns a program that is a shell script, and its directory.
func script(t *testing.T, text string, o AskOptions) (*Program, string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "proxy")
	if err := os.WriteFile(path, []byte("#!/bin/sh\ncd "+dir+"\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	p, err := NewProgram(path+"  one two", o)
	if err != nil {
		t.Fatal(err)
	}
	return p, dir
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
	p, dir := script(t, `cat >question
echo "$@" >arguments
echo run >>runs
cat <<'END'
{"type": "sftp", "_root": "pub/bob", "_obscure": "pass,key_pem,none", "host": "example.org", "pass": "s3cret", "key_pem": "x"}
END
`, AskOptions{})
	l := Login{User: "bob", Password: `a"b`, IP: netip.MustParseAddr("::ffff:192.0.2.1")}
	want := Identity{User: "bob", Owner: "bob", Grant: &Grant{Backend: &Backend{
		Type: "sftp", Root: "pub/bob", Plain: []string{"pass", "key_pem"},
		Options: map[string]string{"host": "example.org", "pass": "s3cret", "key_pem": "x"},
	}}}
	for range 2 {
		if id, err := p.Authenticate(t.Context(), l); err != nil || !reflect.DeepEqual(id, want) {
			t.Errorf("got %+v, %v", id, err)
		}
	}
	if got := read(t, filepath.Join(dir, "question")); got != "{\n\t\"client_ip\": \"192.0.2.1\",\n\t\"pass\": \"a\\\"b\",\n\t\"user\": \"bob\"\n}" {
		t.Errorf("it was asked %s", got)
	}
	if got := read(t, filepath.Join(dir, "arguments")); got != "one two\n" {
		t.Errorf("its arguments were %q", got)
	}
	if got := read(t, filepath.Join(dir, "runs")); got != "run\n" {
		t.Errorf("it ran %q", got)
	}
}

func TestProgramAnswers(t *testing.T) {
	const ok = `echo '{"type":"local","_root":"/srv"}'`
	for name, tt := range map[string]struct {
		script string
		denied bool
		want   string // part of the error
	}{
		"refuses":                  {"echo no such user >&2; exit 1", true, "no such user"},
		"shows the password":       {"grep pass >&2; exit 1", true, "***"},
		"answers and refuses":      {ok + "; exit 3", true, "status 3"},
		"says nothing":             {"", true, "nothing"},
		"writes no JSON":           {"echo welcome", false, "byte 1"},
		"writes a number":          {`echo '{"type":"local","_root":"/","port":22}'`, false, "string"},
		"writes an array":          {"echo '[]'", false, "array"},
		"writes null":              {"echo null", false, `"type"`},
		"names no type":            {`echo '{"_root":"/"}'`, false, `"type"`},
		"names no root":            {`echo '{"type":"local"}'`, false, `"_root"`},
		"writes two objects":       {ok + "; " + ok, false, "JSON"},
		"cannot run what it needs": {"no-such-command-here", false, "127"},
		"is killed":                {"kill -9 $$", false, "killed"},
		"writes for ever":          {"yes", false, "1048576 bytes"},
		"reads nothing":            {"exec <&-; exit 1", true, "status 1"},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := script(t, tt.script, AskOptions{})
			_, err := p.Authenticate(t.Context(), Login{User: "bob", Password: "pa55word"})
			if err == nil || errors.Is(err, ErrDenied) != tt.denied || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q, denied: %v", err, tt.want, tt.denied)
			}
			if err != nil && strings.Contains(err.Error(), "pa55word") {
				t.Errorf("the error shows the password: %v", err)
			}
			if err != nil && !tt.denied && !strings.Contains(err.Error(), p.args[0]) {
				t.Errorf("the error does not name the program: %v", err)
			}
		})
	}
}

// What the program started ends with it.
func TestAProgramThatIsTooSlowIsEnded(t *testing.T) {
	p, dir := script(t, "sleep 1000 &\necho $! >child.new; mv child.new child\nwait\n", AskOptions{Timeout: time.Second})
	_, err := p.Authenticate(t.Context(), Login{User: "bob", Password: "x"})
	if err == nil || errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), "no answer in 1s") {
		t.Errorf("got %v", err)
	}
	child := strings.TrimSpace(read(t, filepath.Join(dir, "child")))
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		state, err := os.ReadFile("/proc/" + child + "/stat")
		if err != nil || strings.Contains(string(state), ") Z ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the process %s is still there: %s", child, state)
		}
	}
}

// Known users are let in while the program is away.
func TestAProgramThatGoesAway(t *testing.T) {
	p, dir := script(t, `echo '{"type":"local","_root":"/srv"}'`+"\n", AskOptions{Remember: -1, Stale: time.Hour})
	bob := Login{User: "bob", Password: "x"}
	if _, err := p.Authenticate(t.Context(), bob); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "proxy")); err != nil {
		t.Fatal(err)
	}
	if id, err := p.Authenticate(t.Context(), bob); err != nil || id.Grant.Backend.Root != "/srv" {
		t.Errorf("a known user: %+v, %v", id, err)
	}
	bob.Password = "y"
	if _, err := p.Authenticate(t.Context(), bob); err == nil || errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), p.args[0]) {
		t.Errorf("another password: %v", err)
	}
}

// However many log in, a few programs run.
func TestProgramsAreBounded(t *testing.T) {
	p, dir := script(t, `mkdir "run.$$" || exit 1
ls -d run.* | wc -l >>counts
rmdir "run.$$"
echo '{"type":"local","_root":"/srv"}'
`, AskOptions{Parallel: 2})
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if _, err := p.Authenticate(t.Context(), Login{User: string(rune('a' + i)), Password: "x"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	counts := strings.Fields(read(t, filepath.Join(dir, "counts")))
	if len(counts) != 20 {
		t.Errorf("%d runs", len(counts))
	}
	for _, c := range counts {
		if c != "1" && c != "2" {
			t.Errorf("%s ran at once", c)
		}
	}
}

func TestNewProgramRefuses(t *testing.T) {
	for _, command := range []string{"", "  ", "/no/such/program", "no-such-command-here x"} {
		if _, err := NewProgram(command, AskOptions{}); err == nil {
			t.Errorf("%q: no error", command)
		}
	}
}
