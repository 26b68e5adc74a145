package ftp_test

import (
	"strings"
	"testing"

	"ferry/ftp"
	"ferry/remote/driver/memory"
	"ferry/vfs"
)

// bare is a tree without any optional ability.
type bare struct{ ftp.FS }

func (bare) Close() error { return nil }

// teller tells whether times can be set.
type teller struct {
	ftp.Forward
	sets bool
}

func (t teller) SetsTimes() bool { return t.sets }

// TestFeatOfTimes offers the commands that set times where the tree does not say that none can be.
func TestFeatOfTimes(t *testing.T) {
	tree := vfs.New(memory.New(), vfs.Options{}).View("bob")
	for name, c := range map[string]struct {
		fs      ftp.FS
		offered bool
	}{
		"a tree":                     {tree, true},
		"a decorator of it":          {ftp.Forward{FS: tree}, true},
		"one without times":          {vfs.New(memory.New(), vfs.Options{NoModTime: true}).View("bob"), false},
		"one that tells":             {teller{ftp.Forward{FS: tree}, false}, false},
		"a decorator of that":        {ftp.Forward{FS: teller{ftp.Forward{FS: tree}, false}}, false},
		"one that has no such call":  {bare{tree}, false},
		"a decorator of that, again": {ftp.Forward{FS: bare{tree}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t, memory.New(), nil)
			srv.Backend = backendFunc(func() (ftp.FS, error) { return c.fs, nil })
			overPipe(t, srv, func(d *dialogue) {
				d.steps("> REIN", "<< 220")
				if feat := d.command("FEAT", "211"); !strings.Contains(feat, "MFMT") {
					t.Errorf("before the login FEAT is %s", feat)
				}
				d.steps("> USER bob", "<< 331", "> PASS x", "<< 230")
				feat := d.command("FEAT", "211")
				if strings.Contains(feat, "MFMT") != c.offered || strings.Contains(feat, "SITE UTIME") != c.offered {
					t.Errorf("FEAT is %s", feat)
				}
			})
		})
	}
}
