package smb

import (
	"context"

	"ferry/remote/driver/internal/conns"
)

// hiding is a directory as package staging sees it, reached over a connection.
type hiding struct {
	conns.Dir[*conn]
	r *Remote
}

// borrow reaches the directory dir over a connection of its own.
func (r *Remote) borrow(ctx context.Context, dir string) (*hiding, error) {
	d, err := r.pool.Borrow(ctx, dir)
	if err != nil {
		return nil, err
	}
	return &hiding{d, r}, nil
}

// over reaches the directory dir over c, which stays with the caller.
func (r *Remote) over(c *conn, dir string) *hiding { return &hiding{conns.Over(c, dir), r} }
