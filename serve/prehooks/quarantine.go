package prehooks

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"ferry/events"
)

// keepIn stores a local file in a directory of the tree, which is made if need be, under a name of
// its own that ends with that of the file called name. It returns where that is.
func (c *checking) keepIn(ctx context.Context, dir, name, local string) (string, error) {
	in, ok := nameOf(dir)
	if !ok {
		return "", errors.New("the quarantine of the hook is no directory of the tree: write one like /quarantine")
	}
	ctx = events.WithoutOrigin(ctx) // nobody is told that a file which was refused is stored
	if err := c.makeAll(ctx, in); err != nil {
		return "", err
	}
	f, err := os.Open(local)
	if err != nil {
		return "", err
	}
	defer f.Close()
	now := time.Now()
	kept := in + "/" + now.UTC().Format("20060102T150405Z") + "-" + events.NewID(now)[18:] + "-" + path.Base(name)
	u, err := c.FS.Create(ctx, kept, 0)
	if err != nil {
		return "", err
	}
	defer u.Abort()
	if from, able := u.(io.ReaderFrom); able {
		_, err = from.ReadFrom(f)
	} else {
		_, err = io.Copy(u, f)
	}
	if err == nil {
		err = u.Commit(ctx)
	}
	return kept, err
}

// makeAll makes a directory and those above it.
func (c *checking) makeAll(ctx context.Context, dir string) error {
	for i := range dir + "/" {
		if i < len(dir) && dir[i] != '/' {
			continue
		}
		switch info, err := c.FS.Stat(ctx, dir[:i]); {
		case err == nil && info.IsDir():
			continue
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return err
		}
		if err := c.FS.Mkdir(ctx, dir[:i]); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}
