package access

import (
	"context"
	"io"

	"ferry/ftp"
)

// An upload is one that is limited, or that is to be remembered.
type upload struct {
	ftp.Upload
	tree *tree
	name string
	left int64 // how many bytes may follow; below 0 = any number
}

// uploadFrom is an upload that is an io.ReaderFrom.
type uploadFrom struct {
	*upload
	from io.ReaderFrom
}

// Unwrap implements ftp.Wrapping.
func (u *upload) Unwrap() ftp.Upload { return u.Upload }

// plain returns u, or the upload below if there is nothing to do but to pass calls on.
func (u *upload) plain() ftp.Upload {
	if u.tree.own == nil && u.left < 0 {
		return u.Upload
	}
	if from, able := u.Upload.(io.ReaderFrom); able {
		return &uploadFrom{u, from}
	}
	return u
}

// Write implements ftp.Upload.
func (u *upload) Write(p []byte) (int, error) {
	if u.left >= 0 && int64(len(p)) > u.left {
		return 0, tooLarge(u.name)
	}
	n, err := u.Upload.Write(p)
	u.took(int64(n))
	return n, err
}

func (u *upload) took(n int64) {
	if u.left >= 0 {
		u.left -= n
	}
}

// ReadFrom passes a limited connection on as one, so that the system can recognise it. At the limit
// it reads one byte more to learn whether the file ends there.
func (u *uploadFrom) ReadFrom(r io.Reader) (int64, error) {
	if u.left < 0 {
		return u.from.ReadFrom(r)
	}
	part, limited := r.(*io.LimitedReader)
	if !limited {
		part = &io.LimitedReader{R: r, N: 1<<63 - 1}
	}
	if part.N <= u.left {
		n, err := u.from.ReadFrom(part)
		u.took(n)
		return n, err
	}
	rest := io.LimitedReader{R: part.R, N: u.left}
	n, err := u.from.ReadFrom(&rest)
	part.N -= n
	u.took(n)
	if err != nil || rest.N > 0 {
		return n, err
	}
	return n, ftp.Ends(part, tooLarge(u.name))
}

// Commit implements ftp.Upload.
func (u *upload) Commit(ctx context.Context) error {
	if err := u.Upload.Commit(ctx); err != nil {
		return err
	}
	u.tree.own.add(u.name)
	return nil
}
