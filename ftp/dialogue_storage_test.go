package ftp_test

import (
	"context"
	"io/fs"
	"testing"
	"time"

	"ferry/cache"
	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/driver/local"
	"ferry/remote/driver/memory"
	"ferry/vfs"
	"ferry/writeback"
)

// cacheModes are the modes that a script is played in by "option every-mode".
func cacheModes() map[string]writeback.Mode {
	return map[string]writeback.Mode{"off": 0, "minimal": writeback.Minimal, "writes": writeback.Writes, "full": writeback.Full}
}

// dialogueStore is what a script is played over.
func dialogueStore(t *testing.T, options map[string]bool) remote.Remote {
	switch {
	case options["local"]:
		l, err := local.New(t.TempDir(), local.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	case options["narrow"]:
		return shortTimes{memory.New()}
	}
	return memory.New()
}

// dialogueCache is the cache of the mode that the options name.
func dialogueCache(t testing.TB, options map[string]bool) writeback.Options {
	for name, mode := range cacheModes() {
		if name == "off" || !options[name] {
			continue
		}
		store, err := cache.Open(disktest.New(), cache.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		return writeback.Options{Store: store, Mode: mode, WriteBack: time.Hour}
	}
	return writeback.Options{}
}

// keepCarryingOut does what waits in a cache, where there is one, until the test ends.
func keepCarryingOut(t testing.TB, tree *vfs.FS, options map[string]bool) {
	if !options["every-mode"] {
		return
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- tree.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		tree.Close()
	})
}

// shortTimes keeps modification times from 1970 to 2106 only, to the second, as SFTP does. It is
// not as quick as a cache.
type shortTimes struct{ *memory.Remote }

func (n shortTimes) Info() remote.Info {
	info := n.Remote.Info()
	info.Caps.CheapStat, info.Caps.ModTime = false, time.Second
	return info
}

func (n shortTimes) CheckTime(name string, t time.Time) error {
	if t.Unix() < 0 || t.Unix() >= 1<<32 {
		return &fs.PathError{Op: "setmodtime", Path: name, Err: remote.ErrInvalid}
	}
	return nil
}

func (n shortTimes) SetModTime(ctx context.Context, name string, t time.Time) error {
	if err := n.CheckTime(name, t); err != nil {
		return err
	}
	return n.Remote.SetModTime(ctx, name, t.Truncate(time.Second))
}
