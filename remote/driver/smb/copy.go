package smb

import (
	"context"
	"os"

	smb2 "github.com/cloudsoda/go-smb2"

	"ferry/remote"
	"ferry/remote/partname"
)

// maxInside is how long a file may be that package smb2 copies inside the server: of a longer one
// it copies the first part again and again.
const maxInside = 16<<20 - 1

// Copy implements remote.Copier, for files that are not too long and in one share.
func (r *Remote) Copy(ctx context.Context, from, to string) error {
	if err := r.check(ctx, "copy", from); err != nil {
		return err
	}
	return r.with(ctx, "copy", to, func(c *conn) error {
		m, err := r.find(ctx, c, from)
		src := r.target(from)
		switch {
		case err != nil:
			return fail("copy", from, err)
		case m.dir():
			return fail("copy", from, remote.ErrIsDir)
		case m.size > maxInside, src.share != r.target(to).share:
			return remote.ErrUnsupported
		}
		s, err := r.begin(ctx, to, remote.StageOptions{Owner: partname.PutOwner})
		if err != nil {
			return err
		}
		defer s.Abort() // which does nothing after Commit
		if err := s.copyInside(ctx, src); err != nil {
			return err
		}
		_, err = s.Commit(ctx, m.modTime)
		return err
	})
}

// copyInside fills the hidden file, which is empty, inside the server.
func (s *stage) copyInside(ctx context.Context, src target) error {
	h := s.file
	_, err := call(ctx, s.r.files, s.c, src.share, func(share *smb2.Share) (struct{}, error) {
		from, err := share.OpenFile(src.path, os.O_RDONLY, 0)
		if err != nil {
			return struct{}{}, err
		}
		defer from.Close()
		return struct{}{}, h.use(func(f *smb2.File) error {
			n, err := f.ReadFrom(from)
			if err == nil && n > maxInside {
				err = remote.ErrChanged
			}
			return err
		})
	}, nil)
	return err
}
