package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ferry/cache"
	"ferry/cmd/ferry/internal/places"
	"ferry/remote"
)

// A writerFunc is an output.
type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// A check that is interrupted, or that nobody reads any more, leaves nothing behind, at whichever
// step.
func TestAnInterruptedCheckLeavesNothing(t *testing.T) {
	for _, step := range []string{"write", "read", "overwrite", "checksums", "modtime", "move", "continue", "move dir"} {
		for _, how := range []string{"signal", "pipe"} {
			t.Run(step+"/"+how, func(t *testing.T) {
				root := t.TempDir()
				signals := make(chan os.Signal)
				var out, errs bytes.Buffer
				broken := false
				w := writerFunc(func(b []byte) (int, error) {
					if broken {
						return 0, syscall.EPIPE
					}
					if !strings.HasPrefix(string(b), "  "+step+" ") {
						return out.Write(b)
					}
					if how == "signal" {
						signals <- os.Interrupt
						signals <- os.Interrupt // the first one has been heeded now
						return out.Write(b)
					}
					broken = true
					return 0, syscall.EPIPE
				})
				p := process{args: []string{"check", root}, stdout: w, stderr: &errs, signals: signals}
				status := p.run(t.Context())
				left, err := os.ReadDir(root)
				if err != nil || len(left) > 0 || status != exitFailure {
					t.Errorf("status %d, left %v, %v:\n%s%s", status, left, err, out.String(), errs.String())
				}
				if want := map[string]string{"signal": "interrupted", "pipe": "nobody reads"}[how]; !strings.Contains(errs.String(), want) {
					t.Errorf("it says %s", errs.String())
				}
				if strings.Contains(out.String(), "FAILED") {
					t.Errorf("steps fail that were not tried:\n%s", out.String())
				}
			})
		}
	}
}

// s3Errors is a server with one bucket that answers anything else with an error.
func s3Errors(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/xml")
		if r.URL.Path == "/" && r.Method == http.MethodGet {
			fmt.Fprint(w, "<ListAllMyBucketsResult><Buckets><Bucket><Name>one</Name></Bucket></Buckets></ListAllMyBucketsResult>")
			return
		}
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, "<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>")
	}))
	t.Cleanup(s.Close)
	return `:s3,provider=Other,endpoint="` + s.URL + `",access_key_id=key,secret_access_key=secret:`
}

// Where there are only buckets, a check says so and has not failed.
func TestCheckWithoutABucket(t *testing.T) {
	status, out, stderr := runNow(t, []string{"RCLONE_CONFIG=notfound"}, "check", s3Errors(t))
	if status != exitOK || strings.Contains(out, "FAILED") || !strings.Contains(out, "1 entries") || !strings.Contains(out, "only buckets") {
		t.Errorf("status %d:\n%s%s", status, out, stderr)
	}
}

// What is wrong is said once, with one remedy.
func TestMessagesSayAThingOnce(t *testing.T) {
	env, bucket := []string{"RCLONE_CONFIG=notfound"}, s3Errors(t)+"missing"
	_, out, _ := runNow(t, env, "check", bucket)
	_, _, served := runNow(t, env, "serve", "ftp", bucket, "--addr", "127.0.0.1:0")
	for _, text := range []string{out, served} {
		if strings.Count(text, "exist") != 1 || strings.Count(text, "create") != 1 || strings.Count(text, "correct the path") != 1 {
			t.Errorf("it says: %s", text)
		}
	}
	dir, root := t.TempDir(), t.TempDir()
	kept, err := places.OpenCache(places.CacheDir(dir, remote.Info{Name: "local:" + root, Place: "local:" + root}), cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	_, _, used := runNow(t, env, "serve", "ftp", root, "--addr", "127.0.0.1:0", "--vfs-cache-mode", "writes", "--cache-dir", dir)
	_, used, _ = strings.Cut(used, "ferry: ") // behind the log
	if strings.Count(used, filepath.Base(kept.Dir)) != 1 || strings.Count(used, "--cache-dir") != 1 || !strings.Contains(used, "in use") {
		t.Errorf("it says: %s", used)
	}
}

// A directory that looks empty is told what keeps it.
func TestRemovingADirectoryOfHiddenFiles(t *testing.T) {
	for flag, by := range map[string]string{"--exclude=*.tmp": "--exclude", "--max-size=0b": "size or age", "--max-depth=1": "--max-depth"} {
		root := t.TempDir()
		if err := os.MkdirAll(filepath.Join(root, "d"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, "d", "x.tmp"), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
		r := start(t, nil, root, "--addr", "127.0.0.1:0", flag)
		c := dial(t, r.url(t))
		c.cmd(331, "USER anonymous")
		c.cmd(230, "PASS x")
		if got := c.cmd(550, "RMD d"); !strings.Contains(got, by) || !strings.Contains(got, "1 of its entries") {
			t.Errorf("%s: %q", flag, got)
		}
	}
}

// Nobody is told of transfers that were aborted when none ran.
func TestASecondSignalWithoutTransfers(t *testing.T) {
	for range 20 {
		r := start(t, nil, ":memory:", "--addr", "127.0.0.1:0")
		r.url(t)
		r.signals <- os.Interrupt
		r.signals <- os.Interrupt
		r.wait(t)
		if strings.Contains(r.logged(), "abort") {
			t.Fatalf("the log:\n%s", r.logged())
		}
	}
	if err := stoppedAtOnce(0); strings.Contains(err.Error(), "abort") {
		t.Error(err)
	}
}

// A type that nothing here serves is marked.
func TestListRemotesMarksTypesWithoutADriver(t *testing.T) {
	h := newHouse(t, "[nas]\ntype = sftp\n\n[photos]\ntype = mega\ndescription = old ones\n")
	got := h.ok("listremotes", "--long")
	if !strings.Contains(got, "photos: mega (no driver) old ones") || strings.Count(got, "no driver") != 1 {
		t.Errorf("%q", got)
	}
}

// The rest of a program is ended by signals as any is, as long as it does not ask for them.
func TestSignalsAreCaughtByThoseThatHeedThem(t *testing.T) {
	asked := 0
	for _, args := range [][]string{{"version"}, {"listremotes"}, {"check", t.TempDir()}, {"cleanup", t.TempDir()}} {
		p := process{args: args, env: []string{"RCLONE_CONFIG=notfound"}, stdout: io.Discard, stderr: io.Discard, notify: func() { asked++ }}
		p.run(context.Background())
	}
	if asked != 2 {
		t.Errorf("%d commands ask for signals", asked)
	}
}
