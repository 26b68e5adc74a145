package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

// A download that is under way is shown with the size of its file, and how far it is.
func TestRCStatsOfADownload(t *testing.T) {
	const size = 64 << 20 // more than lies between a server and a client that does not read
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "large"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(root, "large"), size); err != nil {
		t.Fatal(err)
	}
	r, socket := controlled(t, root)
	c := dial(t, r.url(t))
	c.cmd(331, "USER anonymous")
	c.cmd(230, "PASS x")
	c.cmd(200, "TYPE I")
	data := c.passive()
	c.cmd(150, "RETR large")
	// What is being sent is counted by the megabyte or so.
	if _, err := io.ReadFull(data, make([]byte, 16<<20)); err != nil {
		t.Fatal(err)
	}
	out, _ := call(t, exitOK, "--unix-socket", socket, "core/stats")
	running, _ := out["transferring"].([]any)
	if len(running) != 1 {
		t.Fatalf("stats: %v", out)
	}
	file := running[0].(map[string]any)
	if file["name"] != "large" || file["size"] != float64(size) || file["bytes"].(float64) < 1<<20 || file["bytes"].(float64) > size ||
		file["speed"].(float64) <= 0 || file["percentage"].(float64) < 1 {
		t.Errorf("the download is shown as %v", file)
	}
	if out["bytes"].(float64) < 1<<20 || out["errors"] != 0.0 {
		t.Errorf("stats: %v", out)
	}
}
