package smb

import (
	"context"

	smb2 "github.com/cloudsoda/go-smb2"

	"ferry/remote"
)

// Usage implements remote.Usager: of the share. The server as a whole does not tell.
func (r *Remote) Usage(ctx context.Context) (remote.Usage, error) {
	at := r.target(".")
	if at.share == "" {
		return remote.Usage{}, fail("usage", ".", remote.ErrUnsupported)
	}
	var u remote.Usage
	err := r.with(ctx, "usage", ".", func(c *conn) (err error) {
		u, err = call(ctx, r.files, c, at.share, func(s *smb2.Share) (remote.Usage, error) {
			v, err := s.Statfs(at.path)
			if err != nil {
				return remote.Usage{}, err
			}
			block := v.BlockSize()
			return remote.Usage{Total: int64(v.TotalBlockCount() * block), Used: -1, Free: int64(v.AvailableBlockCount() * block)}, nil
		}, nil)
		return err
	})
	if err != nil {
		return remote.Usage{}, err
	}
	return u, nil
}
