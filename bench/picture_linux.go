package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// draw writes the picture of what a suite has measured beside the file that has its table, and
// returns the line that shows it there, "" where there is nothing to draw. What draws is a module
// of its own, built for it.
func (b *bench) draw(ctx context.Context, res *results, file string) (string, error) {
	var names []string
	for _, s := range b.servers {
		names = append(names, s.name)
	}
	p := pictureOf(res, names)
	if len(p.Panels) == 0 {
		return "", nil
	}
	text, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	bin := filepath.Join(b.state, "draw")
	if err := goBuild(ctx, "bench/draw", bin, "."); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, bin)
	cmd.Stdin = bytes.NewReader(text)
	var failed bytes.Buffer
	cmd.Stderr = &failed
	svg, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, lastLine(failed.String()))
	}
	name := b.suite.name + ".svg"
	return fmt.Sprintf("\n![what suite %s has measured](%s)\n", b.suite.name, name), os.WriteFile(filepath.Join(filepath.Dir(file), name), svg, 0o644)
}
