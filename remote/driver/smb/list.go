package smb

import (
	"context"
	"errors"
	"iter"
	"strings"

	smb2 "github.com/cloudsoda/go-smb2"

	"ferry/remote"
	"ferry/remote/driver/internal/conns"
	"ferry/remote/partname"
)

// List implements remote.Remote. A link to something that is not there is left out.
func (r *Remote) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return remote.Entries(func(take func(remote.Entry) bool) error {
		return r.with(ctx, "list", dir, func(c *conn) error {
			at := r.target(dir)
			if at.share == "" {
				return r.listShares(ctx, c, take)
			}
			d, err := r.openDir(ctx, c, at)
			if err != nil {
				return err
			}
			defer d.close()
			return d.each(ctx, func(m *meta) (bool, error) {
				e, ok, err := r.listed(ctx, c, dir, m)
				return err == nil && (!ok || take(e)), err
			})
		})
	})
}

// listed returns the entry that List yields for m, if it yields one.
func (r *Remote) listed(ctx context.Context, c *conn, dir string, m *meta) (remote.Entry, bool, error) {
	name, omitted := remote.ReadName(r.o.Encoding, m.name)
	switch {
	case partname.Hidden(m.name):
		e, ok := r.parts.Listed(ctx, r.over(c, dir), hidden(m))
		return e, ok, nil
	case strings.ContainsRune(m.name, '\\'):
		remote.Omitted(ctx, m.name, remote.OmittedName)
		return remote.Entry{}, false, nil
	case omitted != "":
		remote.Omitted(ctx, m.name, omitted)
		return remote.Entry{}, false, nil
	}
	if m.link() {
		found, err := r.find(ctx, c, remote.Join(dir, name))
		switch {
		case errors.Is(err, remote.ErrNotExist):
			return remote.Entry{}, false, nil
		case err != nil && !unanswered(err):
			remote.Omitted(ctx, m.name, "what it leads to may not be looked at")
			return remote.Entry{}, false, nil
		case err != nil:
			return remote.Entry{}, false, err
		}
		*m = found
	}
	return m.entry(name), true, nil
}

// listShares lists the shares that hold files.
func (r *Remote) listShares(ctx context.Context, c *conn, take func(remote.Entry) bool) error {
	shares, err := conns.Await(ctx, c, func() (shares []smb2.ShareInfo, err error) {
		err = c.safely(func() (err error) {
			shares, err = c.session.ListShares()
			return err
		})
		return shares, err
	}, nil)
	if err != nil {
		return err
	}
	for _, s := range shares {
		switch {
		case s.Type() != smb2.ShareTypeDiskTree, strings.HasSuffix(s.Name, "$") && !r.o.ShowSpecial:
		case !remote.ValidName(s.Name):
			remote.Omitted(ctx, s.Name, remote.OmittedName)
		case !take(remote.Entry{Name: s.Name, Dir: true}):
			return nil
		}
	}
	return nil
}
