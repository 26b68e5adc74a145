package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/crypt"
	"ferry/remote/driver/crypt/cipher"
	"ferry/remote/driver/memory"
	"ferry/remote/driver/union"
	"ferry/remote/wrap/faulty"
)

// withParts is a remote with unfinished uploads of some owners.
func withParts(t *testing.T) *faulty.Remote {
	t.Helper()
	r := memory.New()
	for _, dir := range []string{"d", "d/e"} {
		if err := r.Mkdir(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a", "d/e/b"} {
		s, err := r.Stage(t.Context(), name, remote.StageOptions{Owner: "alice"})
		if err == nil {
			_, err = io.WriteString(s, "content")
			err = errors.Join(err, s.Keep())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return faulty.New(r)
}

func TestCleanupOfParts(t *testing.T) {
	r := withParts(t)
	r.Inject(faulty.Fault{Op: faulty.DropPart, Name: "a", Err: remote.ErrPermission})
	for _, step := range []struct {
		maxAge time.Duration
		dryRun bool
		says   []string
		err    error
	}{
		{maxAge: time.Hour, says: []string{"0 unfinished uploads cleaned up"}},
		{dryRun: true, says: []string{`would go "a"  7B`, `would go "d/e/b"  7B`, "2 unfinished uploads found, 14B"}},
		{says: []string{`FAILED   "a"`, `removed  "d/e/b"`, "1 unfinished uploads cleaned up"}, err: errCleanupFailed},
		{says: []string{`removed  "a"`, "1 unfinished uploads cleaned up"}},
		{says: []string{"0 unfinished uploads cleaned up"}},
	} {
		var out bytes.Buffer
		c := &cleaner{remote: r, out: &out, maxAge: step.maxAge, dryRun: step.dryRun}
		if err := c.run(t.Context()); !errors.Is(err, step.err) {
			t.Errorf("error %v, want %v", err, step.err)
		}
		for _, want := range step.says {
			if !strings.Contains(out.String(), want) {
				t.Errorf("it says\n%s\nwithout %q", out.String(), want)
			}
		}
	}
}

// keeper is a remote that keeps uploads in parts.
type keeper struct {
	remote.Remote
	kept  []remote.UnfinishedUpload
	err   error
	ended []string
}

func (k *keeper) UnfinishedUploads(context.Context, string) iter.Seq2[remote.UnfinishedUpload, error] {
	return func(yield func(remote.UnfinishedUpload, error) bool) {
		for _, u := range k.kept {
			if !yield(u, nil) {
				return
			}
		}
		if k.err != nil {
			yield(remote.UnfinishedUpload{}, k.err)
		}
	}
}

func (k *keeper) AbortUpload(_ context.Context, token string) error {
	k.ended = append(k.ended, token)
	return nil
}

func TestCleanupLeavesWhatMayBeUnderWay(t *testing.T) {
	k := &keeper{Remote: memory.New(), kept: []remote.UnfinishedUpload{
		{Name: "old", Token: "1", Size: 5 << 20, Begun: time.Now().Add(-25 * time.Hour)},
		{Name: "young", Token: "2", Size: -1, Begun: time.Now().Add(-23 * time.Hour)},
		{Name: "of unknown age", Token: "3"},
	}}
	var out bytes.Buffer
	c := &cleaner{remote: k, out: &out, maxAge: 24 * time.Hour}
	if err := c.run(t.Context()); err != nil || strings.Join(k.ended, " ") != "1" {
		t.Errorf("aborted are %q, %v", k.ended, err)
	}
	if !strings.Contains(out.String(), `removed  "old"  5Mi  25h0m0s old`) {
		t.Errorf("it says\n%s", out.String())
	}
	k.err = remote.ErrUnsupported
	if err := c.run(t.Context()); !errors.Is(err, remote.ErrUnsupported) {
		t.Errorf("a server that cannot list: %v", err)
	}
}

// What is kept for its owner below crypt is found through crypt.
func TestCleanupOfCrypt(t *testing.T) {
	r := withParts(t)
	keys, err := cipher.DeriveKeys("s3cret", "")
	if err != nil {
		t.Fatal(err)
	}
	encrypted, err := crypt.New(r, crypt.Options{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	stager, _ := remote.AsStager(encrypted)
	s, err := stager.Stage(t.Context(), "film", remote.StageOptions{Owner: "alice"})
	if err == nil {
		_, err = io.WriteString(s, "content")
		err = errors.Join(err, s.Keep())
	}
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := (&cleaner{remote: encrypted, out: &out}).run(t.Context()); err != nil || !strings.Contains(out.String(), `removed  "film"`) {
		t.Errorf("%v, it says\n%s", err, out.String())
	}
}

func TestCleanupCommand(t *testing.T) {
	dir := t.TempDir()
	if status, stdout, stderr := runNow(t, nil, "cleanup", dir, "--dry-run"); status != exitOK || stdout != "0 unfinished uploads found, 0\n" {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
	if status, _, stderr := runNow(t, nil, "cleanup", ":http,url='http://127.0.0.1:1/':"); status != exitFailure || !strings.Contains(stderr, "read-only") {
		t.Errorf("status %d\n%s", status, stderr)
	}
	if status, _, _ := runNow(t, nil, "cleanup"); status != exitUsage {
		t.Errorf("without a remote: status %d", status)
	}
	if status, _, _ := runNow(t, nil, "cleanup", dir, "--max-age", "soon"); status != exitUsage {
		t.Errorf("a wrong age: status %d", status)
	}
}

// An upstream that does not answer is a failure, told once; what the others have is cleaned up.
func TestCleanupOfAUnionWithADeadUpstream(t *testing.T) {
	dead := withParts(t)
	dead.Inject(faulty.Fault{Op: faulty.List, Times: -1, Err: errors.New("it does not answer")})
	r, err := union.New(union.Options{Upstreams: []union.Upstream{{Remote: memory.New()}, {Remote: dead}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"x", "y"} {
		if err := r.Mkdir(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	err = (&cleaner{remote: r, out: &out}).run(t.Context())
	if !errors.Is(err, errCleanupFailed) || strings.Count(out.String(), "FAILED") != 1 || !strings.Contains(out.String(), "this upstream does not answer") {
		t.Errorf("%v, it says\n%s", err, out.String())
	}
}
