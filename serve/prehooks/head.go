package prehooks

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"ferry/ftp"
)

// A head is what an upload continues.
type head struct {
	*content             // with the head in it; nil: there is none that could be continued
	of       fs.FileInfo // the file that it is of; nil: of none that is published
}

// head returns what an upload of name at off begins with: of the file, or of what was cut off.
func (c *checking) head(ctx context.Context, name string, off int64) (head, error) {
	if off == 0 {
		fresh, err := c.spool.begin()
		return head{content: fresh}, err
	}
	info, err := c.FS.Stat(ctx, name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && off == ftp.AtEnd:
		fresh, err := c.spool.begin()
		return head{content: fresh}, err
	case errors.Is(err, fs.ErrNotExist), err == nil && info.IsDir(), err == nil && off > info.Size():
		return head{}, nil
	case err != nil:
		return head{}, err
	}
	if off == ftp.AtEnd {
		off = info.Size()
	}
	if p, may := info.(ftp.Partial); may && p.Unfinished() {
		rest, err := c.spool.resume(c.spool.part(c.user, name), off, info.Size())
		if errors.Is(err, fs.ErrNotExist) {
			return head{}, errGone
		}
		return head{content: rest}, err
	}
	copied, err := c.copyHead(ctx, name, off)
	return head{copied, info}, err
}

// continues reports whether there may be an unfinished upload of name.
func (c *checking) continues(name string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), lookTime)
	defer cancel()
	info, err := c.FS.Stat(ctx, name)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	p, may := info.(ftp.Partial)
	return may && p.Unfinished()
}

// lookTime is how long the end of an upload waits to learn that.
const lookTime = 5 * time.Second

// copyHead reads the first off bytes of a file.
func (c *checking) copyHead(ctx context.Context, name string, off int64) (*content, error) {
	fresh, err := c.spool.begin()
	if err != nil {
		return nil, err
	}
	r, err := c.FS.Open(ctx, name, 0)
	if err == nil {
		defer r.Close()
		fresh.size, err = io.CopyN(fresh.w, r, off)
	}
	if err != nil {
		fresh.remove()
		return nil, err
	}
	return fresh, nil
}

// errGone is the error of an upload whose beginning cannot be checked.
var errGone error = &goneError{}

type goneError struct{}

func (*goneError) Error() string { return "the beginning of the upload is not there to be checked" }
func (*goneError) Unwrap() error { return errors.ErrUnsupported }
func (*goneError) Hint() string {
	return "What was sent before is not here any more to be checked: send the file from the beginning."
}
