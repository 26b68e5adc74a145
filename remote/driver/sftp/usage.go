package sftp

import (
	"context"

	"ferry/remote"

	"ferry/remote/driver/internal/conns"
)

// Usage implements remote.Usager, where the server has statvfs@openssh.com.
func (r *Remote) Usage(ctx context.Context) (remote.Usage, error) {
	var u remote.Usage
	err := r.with(ctx, "usage", ".", func(c *conn) (err error) {
		u, err = r.usage(ctx, c)
		return err
	})
	if err != nil {
		return remote.Usage{}, err
	}
	return u, nil
}

func (r *Remote) usage(ctx context.Context, c *conn) (remote.Usage, error) {
	if _, ok := c.sftp.HasExtension("statvfs@openssh.com"); !ok {
		return remote.Usage{}, remote.ErrUnsupported
	}
	p := r.path(".")
	return conns.Await(ctx, c, func() (remote.Usage, error) {
		v, err := c.sftp.StatVFS(p)
		if err != nil {
			return remote.Usage{}, err
		}
		return remote.Usage{Total: int64(v.TotalSpace()), Used: -1, Free: int64(v.Frsize * v.Bavail)}, nil
	}, nil)
}
