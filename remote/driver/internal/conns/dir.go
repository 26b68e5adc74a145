package conns

import "context"

// A Dir is a directory that is reached over a connection: what a driver embeds in its staging.Dir.
type Dir[C Conn] struct {
	Conn C
	path string
	pool *Pool[C] // where the connection goes when this is closed; nil: it stays with the caller
}

// Over reaches the directory path over c, which stays with the caller.
func Over[C Conn](c C, path string) Dir[C] { return Dir[C]{Conn: c, path: path} }

// Borrow reaches the directory path over a connection of its own, which Close puts back.
func (p *Pool[C]) Borrow(ctx context.Context, path string) (Dir[C], error) {
	c, err := p.Get(ctx)
	return Dir[C]{c, path, p}, err
}

// Path implements staging.Dir.
func (d *Dir[C]) Path() string { return d.path }

// Close implements staging.Dir.
func (d *Dir[C]) Close() {
	if d.pool != nil {
		d.pool.Put(d.Conn)
	}
}
