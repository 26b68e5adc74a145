package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestTheDevicesOfTheReadme types what README has for three devices.
func TestTheDevicesOfTheReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(ferryBinary, filepath.Join(dir, "ferry")); err != nil {
		t.Fatal(err)
	}
	_, file, found := strings.Cut(string(text), "```toml\n")
	file, _, _ = strings.Cut(file, "```")
	if err := os.WriteFile(filepath.Join(dir, "users.toml"), []byte(file), 0o600); err != nil || !found {
		t.Fatal("README has no file of users:", err)
	}
	var names, serves []string
	for line := range strings.Lines(string(text)) {
		line, is := strings.CutPrefix(strings.TrimSpace(line), "./ferry ")
		if args := strings.Fields(line); is && args[0] == "users" {
			name := args[2]
			cmd := exec.Command("/bin/sh", "-c", "./ferry "+line)
			cmd.Dir, cmd.Stdin = dir, strings.NewReader(name+name+"\n")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", line, err, out)
			}
			names = append(names, name)
		} else if is && slices.Contains(args, "--users") {
			serves = args
		}
	}
	if len(names) != 3 || serves == nil {
		t.Fatalf("README has users %v, and %v", names, serves)
	}
	serves[slices.Index(serves, "--addr")+1] = "127.0.0.1:0"
	p, err := start(dir, []string{noFile}, serves...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	addrs, err := p.addresses(1)
	if err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, dir: dir, ferry: p, addr: addrs[0]}
	for _, name := range names {
		c := o.login(name)
		if c.do("AVBL", 213) == "" {
			t.Errorf("%s has no quota", name)
		}
		c.upload("STOR picture", []byte("of "+name))
		o.holds("files/"+name+"/picture", "of "+name)
		if name != "camera" && fmt.Sprint(lines(c.fetch("NLST"))) != "[picture]" {
			t.Errorf("%s lists something else", name)
		}
	}
	o.refused(names[0], names[1])
}
