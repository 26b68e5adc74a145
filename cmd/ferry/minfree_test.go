package main

import (
	"os"
	"path/filepath"
	"testing"
)

// --min-free-space, or its variable, reaches the local directory, which refuses uploads by it, also
// behind a cache.
func TestMinFreeSpaceIsKept(t *testing.T) {
	const all = "8000P"
	for _, tt := range []struct {
		name string
		env  []string
		args []string
		want int
	}{
		{"a flag", nil, []string{"--min-free-space", all}, 452},
		{"its variable", []string{"FERRY_MIN_FREE_SPACE=" + all}, nil, 452},
		{"behind a cache", nil, []string{"--min-free-space", all, "--vfs-cache-mode", "minimal"}, 452},
		{"little", nil, []string{"--min-free-space", "1b"}, 226},
		{"off", []string{"FERRY_MIN_FREE_SPACE=" + all}, []string{"--min-free-space", "off"}, 226},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			args := append([]string{root, "--addr", "127.0.0.1:0", "--passive-port", "0", "--cache-dir", t.TempDir()}, tt.args...)
			r := start(t, tt.env, args...)
			c := dial(t, r.url(t))
			c.cmd(331, "USER anonymous")
			c.cmd(230, "PASS x")
			c.cmd(200, "TYPE I")
			if tt.want == 226 {
				data := c.upload("f")
				data.Write([]byte("hello"))
				data.Close()
				c.want(226)
				return
			}
			c.cmd(229, "EPSV")
			c.cmd(tt.want, "STOR f")
			if _, err := os.Stat(filepath.Join(root, "f")); err == nil {
				t.Error("the refused file is there")
			}
		})
	}
}
