package prehooks

import (
	"context"
	"io"

	"ferry/ftp"
)

// checking is a tree that has uploads checked before they are published. What comes goes into a
// local file as well as into the tree below: so it can be read as a whole whatever that is, and
// what was sent when the check is done is not sent again.
type checking struct {
	ftp.Forward
	asker
}

// Create implements ftp.FS.
func (c *checking) Create(ctx context.Context, name string, off int64) (ftp.Upload, error) {
	return c.create(ctx, name, off, func(off int64) (ftp.Upload, error) { return c.FS.Create(ctx, name, off) })
}

// CreateNew implements ftp.Keeper.
func (c *checking) CreateNew(ctx context.Context, name string, off int64, alone bool) (ftp.Upload, error) {
	return c.create(ctx, name, off, func(off int64) (ftp.Upload, error) { return c.Forward.CreateNew(ctx, name, off, alone) })
}

func (c *checking) create(ctx context.Context, name string, off int64, do func(off int64) (ftp.Upload, error)) (ftp.Upload, error) {
	if !c.concerns(name) {
		return do(off)
	}
	h, err := c.head(ctx, name, off)
	if err != nil {
		return nil, err
	}
	if h.content == nil {
		return do(off) // which is an error
	}
	u := &upload{tree: c, name: name, head: h, content: h.content}
	if u.Upload, err = do(0); err != nil {
		u.content.remove()
		return nil, err
	}
	u.from, _ = u.Upload.(io.ReaderFrom)
	if err := u.pass(h.size); err != nil {
		u.Abort()
		return nil, err
	}
	return u, nil
}

// concerns reports whether any hook checks files of that name.
func (c *checking) concerns(name string) bool {
	for _, k := range c.list {
		if k.Asks(check) && k.MatchUser(c.user) && k.MatchPath("/"+name) {
			return true
		}
	}
	return false
}
