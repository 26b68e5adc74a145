package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestGroupLimit(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"a.slice/memory.max":                     "67108864\n",
		"a.slice/b.service/memory.max":           "max\n",
		"memory/docker/memory.limit_in_bytes":    "9223372036854771712\n",
		"memory/docker/x/memory.limit_in_bytes":  "33554432\n",
		"memory/memory.limit_in_bytes":           "9223372036854771712\n",
		"memory/docker/xy/memory.limit_in_bytes": "broken",
	} {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for groups, want := range map[string]uint64{
		"0::/a.slice/b.service\n": 64 << 20,
		"0::/\n":                  0,
		"0::/../../c\n":           0,
		"":                        0,
		"nonsense\n":              0,
		"3:cpu:/a.slice\n5:memory:/docker/x\n0::/":  32 << 20,
		"5:memory:/docker/xy\n":                     0,
		"5:memory:/docker/x\n0::/a.slice/b.service": 32 << 20,
	} {
		if got := groupLimit(root, groups); got != want {
			t.Errorf("%q: %d, want %d", groups, got, want)
		}
	}
}
