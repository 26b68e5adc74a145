package chunker_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/chunker"
	"ferry/remote/driver/local"
	"ferry/remote/remotetest/servers"
)

// TestStreamsThatAreSharedWithRclone lets rclone read what was stored without its length, and store
// in place of it. make soak runs it.
func TestStreamsThatAreSharedWithRclone(t *testing.T) {
	bin := servers.Rclone(t)
	for _, options := range []string{"", ",transactions=norename", ",hash_type=md5all"} {
		dir := t.TempDir()
		disk, err := local.New(dir, local.Options{})
		if err != nil {
			t.Fatal(err)
		}
		o := chunker.Options{ChunkSize: inOneChunk, Marked: strings.Contains(options, "norename")}
		_, o.HashType, _ = strings.Cut(options, "hash_type=")
		r := over(t, disk, o)
		theirs := fmt.Sprintf(`:chunker,remote="%s",chunk_size=%db%s:f`, dir, inOneChunk, options)
		rclone := func(in, verb string) string {
			cmd := exec.CommandContext(t.Context(), bin, verb, theirs)
			cmd.Env = []string{"RCLONE_CONFIG=notfound", "HOME=" + t.TempDir()}
			cmd.Stdin = strings.NewReader(in)
			out, err := cmd.Output()
			if err != nil {
				t.Errorf("rclone %s%s: %v", verb, options, err)
			}
			return string(out)
		}
		for _, content := range []string{"short", oneChunk, twoChunks, oneChunk, "short", stored["old"]} {
			if _, err := stream(t.Context(), r, content, remote.PutOptions{}); err != nil {
				t.Fatal(err)
			}
			if got := rclone("", "cat"); got != content {
				t.Errorf("%d bytes are %d for rclone%s", len(content), len(got), options)
			}
			left, err := filepath.Glob(filepath.Join(dir, "*"))
			if want := stores(content, options); err != nil || len(left) != want {
				t.Errorf("%d bytes are stored as %s, %v", len(content), left, err)
			}
			rclone(content, "rcat")
			if got, err := read(t, r, "f", 0, -1); got != content || err != nil {
				t.Errorf("%d bytes of rclone%s are %d, %v", len(content), options, len(got), err)
			}
			if err := r.Remove(t.Context(), "f"); err != nil {
				t.Error(err)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
				t.Errorf("left: %s, %v", left, err)
			}
		}
	}
}

// stores is of how many files a content is.
func stores(content, options string) int {
	switch {
	case len(content) > inOneChunk:
		return 3
	case strings.Contains(options, "all"), strings.HasPrefix(content, "{"):
		return 2
	}
	return 1
}
