package test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// longFile is several parts of an upload to S3.
const longFile = 22 << 20

// A server without a cache that is killed leaves parts in the bucket, which "ferry cleanup" lists
// and removes.
func TestCleanupOfWhatAKilledServerLeft(t *testing.T) {
	s := startGateway(t)
	env := s.environment("there", s.addr)
	here, beside := "there:"+s.fresh(t), "there:"+s.fresh(t)
	p, addr := serveAt(t, here, env)
	conn := login(t, "", addr).beginUpload("STOR long", content(longFile, "new"))
	defer conn.Close()
	unfinished(t, env, here, "1 unfinished uploads found")
	p.kill()
	for _, step := range []struct {
		args []string
		says []string
	}{
		{[]string{here}, []string{"0 unfinished uploads cleaned up"}}, // it is too young
		{[]string{beside, "--max-age", "0s"}, []string{"0 unfinished uploads cleaned up"}},
		{[]string{here, "--max-age", "0s", "--dry-run"}, []string{`would go "long"`, "1 unfinished uploads found"}},
		{[]string{here, "--max-age", "0s"}, []string{`removed  "long"`, "1 unfinished uploads cleaned up"}},
		{[]string{here, "--max-age", "0s"}, []string{"0 unfinished uploads cleaned up"}},
	} {
		out := ferry(t, env, append([]string{"cleanup"}, step.args...)...)
		for _, want := range step.says {
			if !strings.Contains(out, want) {
				t.Errorf("cleanup %s says\n%s\nwithout %q", strings.Join(step.args, " "), out, want)
			}
		}
	}
}

// One with a cache has noted what it has begun, and the next one aborts it.
func TestAServerAbortsWhatTheOneBeforeHasLeft(t *testing.T) {
	t.Parallel() // it mostly waits
	s := startGateway(t)
	env, dir := s.environment("there", s.addr), t.TempDir()
	here := "there:" + s.fresh(t)
	cached := append(env, "RCLONE_CACHE_DIR="+dir, "RCLONE_VFS_CACHE_MODE=writes", "RCLONE_VFS_WRITE_BACK=0s")
	body := content(longFile, "new")
	for range 3 {
		p, addr := serveAt(t, here, append(cached, "RCLONE_BWLIMIT=2M:off"))
		login(t, "", addr).upload("STOR long", body)
		unfinished(t, env, here, "1 unfinished uploads found")
		waitForNote(t, dir) // the answer with the id comes after the upload can be seen
		p.kill()
	}
	_, addr := serveAt(t, here, cached)
	unfinished(t, env, here, "0 unfinished uploads found")
	c := login(t, "", addr)
	if got := c.fetch("RETR long"); !bytes.Equal(got, body) {
		t.Errorf("the file has %s", bytesOnly(got))
	}
}

// waitForNote waits until there is a note of an upload below a directory for caches.
func waitForNote(t *testing.T, dir string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		notes, err := filepath.Glob(filepath.Join(dir, "vfs", "*", "uploads", "*"))
		if err != nil {
			t.Fatal(err)
		}
		if len(notes) > 0 {
			return
		}
	}
	t.Fatal("there is no note of the upload")
}

// unfinished waits until "ferry cleanup" would find so many uploads.
func unfinished(t *testing.T, env []string, where, want string) {
	t.Helper()
	var out string
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if out = ferry(t, env, "cleanup", where, "--max-age", "0s", "--dry-run"); strings.Contains(out, want) {
			return
		}
	}
	t.Fatalf("cleanup says\n%s\nwant %q", out, want)
}
