package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ferry/cache"
	"ferry/cmd/ferry/internal/places"
	"ferry/remote"
)

func openTestCache(t *testing.T, dir string) places.Cache {
	t.Helper()
	s, err := places.OpenCache(places.CacheDir(dir, remote.Info{Name: "s3:bucket/a b", Place: "s3:host/bucket/a b"}), cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// refuse leaves a file in a cache below dir that the remote has refused, and one that waits.
func refuse(t *testing.T, dir string) (id string) { return refuseNamed(t, dir, "what:ever") }

func refuseNamed(t *testing.T, dir, refused string) (id string) {
	t.Helper()
	s := openTestCache(t, dir)
	for _, name := range []string{"waits", refused} {
		d, err := s.Create(t.Context(), cache.CreateOptions{Name: name, Owner: "o"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Write([]byte("content of " + name)); err != nil {
			t.Fatal(err)
		}
		r, err := d.Commit(t.Context(), cache.Record{Name: name}, cache.Durable)
		if err != nil {
			t.Fatal(err)
		}
		id = r.ID
	}
	if err := s.Fail(id, errors.New("the name is bad")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return id
}

// runCache runs ferry cache, and returns what it prints and its status.
func runCache(dir string, args ...string) (string, int) {
	var out bytes.Buffer
	p := process{args: append([]string{"cache", "--cache-dir", dir}, args...), stdout: &out, stderr: &out}
	status := p.run(context.Background())
	return out.String(), status
}

func TestCacheLooksAfterRefusedFiles(t *testing.T) {
	dir := t.TempDir()
	if out, status := runCache(dir, "ls"); out != "" || status != exitOK {
		t.Errorf("without a cache: %q, %d", out, status)
	}
	id := refuse(t, dir)
	out, status := runCache(dir, "ls")
	if status != exitOK || !strings.HasPrefix(out, "s3_bucket_a_b-") || !strings.Contains(out, ": 1 wait with 16B, 1 refused\n") ||
		!strings.Contains(out, id+" ") || !strings.Contains(out, `"what:ever": the name is bad`) {
		t.Errorf("ls prints %q, %d", out, status)
	}

	to := filepath.Join(t.TempDir(), "out")
	if out, status := runCache(dir, "export", id, to); out != "" || status != exitOK {
		t.Errorf("export: %q, %d", out, status)
	}
	if content, err := os.ReadFile(to); string(content) != "content of what:ever" {
		t.Errorf("exported %q, %v", content, err)
	}
	if out, status := runCache(dir, "export", id, to); status != exitFailure || !strings.Contains(out, "exists") {
		t.Errorf("export over a file: %q, %d", out, status)
	}

	if out, status := runCache(dir, "retry", id); out != "" || status != exitOK {
		t.Errorf("retry: %q, %d", out, status)
	}
	if out, _ := runCache(dir, "ls"); !strings.Contains(out, ": 2 wait with 36B, 0 refused\n") {
		t.Errorf("after retry ls prints %q", out)
	}
	if out, status := runCache(dir, "drop", id); status != exitFailure || !strings.Contains(out, "ferry cache ls") {
		t.Errorf("drop of what waits: %q, %d", out, status)
	}
	if out, status := runCache(dir, "drop"); status != exitUsage || !strings.Contains(out, "needs an ID") {
		t.Errorf("drop of nothing: %q, %d", out, status)
	}
}

func TestCacheDropsARefusedFile(t *testing.T) {
	dir := t.TempDir()
	id := refuse(t, dir)
	if out, status := runCache(dir, "drop", id); out != "" || status != exitOK {
		t.Errorf("drop: %q, %d", out, status)
	}
	if out, _ := runCache(dir, "ls"); !strings.Contains(out, ": 1 wait with 16B, 0 refused\n") {
		t.Errorf("after drop ls prints %q", out)
	}
}

func TestCacheDoesNotRetryWhatIsOlder(t *testing.T) {
	dir := t.TempDir()
	old := refuse(t, dir)
	newest := refuse(t, dir)
	other := refuseNamed(t, dir, "other")
	out, status := runCache(dir, "retry", old, newest, other)
	if status != exitFailure || !strings.Contains(out, `what:ever: something newer of that name was refused, too (`+newest+`); retry or drop that one`) {
		t.Errorf("retry: %q, %d", out, status)
	}
	if out, _ := runCache(dir, "ls"); !strings.Contains(out, " 1 refused\n") || !strings.Contains(out, "refused "+old) {
		t.Errorf("after retry ls prints %q", out)
	}
	if out, status := runCache(dir, "retry", old); status != exitFailure || !strings.Contains(out, "which is newer, waits") {
		t.Errorf("another retry: %q, %d", out, status)
	}
	s := openTestCache(t, dir)
	for _, r := range s.Pending() {
		if err := s.Done(r.ID, cache.Fingerprint{}, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if out, _ := runCache(dir, "ls"); !strings.Contains(out, "the name is bad (something newer of that name was stored or deleted since)") {
		t.Errorf("ls prints %q", out)
	}
}

func TestCacheLeavesACacheInUseAlone(t *testing.T) {
	dir := t.TempDir()
	id := refuse(t, dir)
	s := openTestCache(t, dir)
	defer s.Close()
	if out, status := runCache(dir, "ls"); status != exitOK || !strings.Contains(out, "ferry rc cache/ls") {
		t.Errorf("ls: %q, %d", out, status)
	}
	if out, status := runCache(dir, "drop", id); status != exitFailure || !strings.Contains(out, "ferry rc cache/ls") {
		t.Errorf("drop: %q, %d", out, status)
	}
}

func TestWithoutAModeWhatWaitsIsToldOf(t *testing.T) {
	dir, root := t.TempDir(), t.TempDir()
	s, err := places.OpenCache(places.CacheDir(dir, remote.Info{Name: "local:" + root}), cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Add(t.Context(), cache.Record{Kind: cache.Removed, Name: "f"}, cache.Durable); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r := start(t, nil, root, "--cache-dir", dir)
	r.url(t) // it serves
	if log := r.logged(); !strings.Contains(log, "serve it with --vfs-cache-mode writes") {
		t.Errorf("the log is %s", log)
	}
}

func TestCacheRetriesAll(t *testing.T) {
	dir := t.TempDir()
	old := refuse(t, dir)
	newest := refuse(t, dir)
	other := refuseNamed(t, dir, "other")
	out, status := runCache(dir, "retry", "--all")
	if status != exitOK || !strings.Contains(out, "waits   "+newest) || !strings.Contains(out, "waits   "+other) || !strings.Contains(out, "refused "+old) {
		t.Errorf("retry --all: %q, %d", out, status)
	}
	if out, _ := runCache(dir, "ls"); !strings.Contains(out, " 1 refused\n") || !strings.Contains(out, "refused "+old) {
		t.Errorf("after retry ls prints %q", out)
	}
	if out, status := runCache(dir, "retry", "--all", old); status != exitUsage {
		t.Errorf("--all with an ID: %q, %d", out, status)
	}
	s := openTestCache(t, dir)
	defer s.Close()
	if out, status := runCache(dir, "retry", "--all"); status != exitFailure || !strings.Contains(out, "ferry rc cache/retry all=true") {
		t.Errorf("while it is in use: %q, %d", out, status)
	}
}
