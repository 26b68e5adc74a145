package quota

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"ferry/ftp"
)

// An upload reserves its bytes while they arrive.
type upload struct {
	ftp.Upload
	account *Account
	log     *slog.Logger
	old     int64 // size of the file that it replaces or continues
	exists  bool  // there is one
	begin   int64 // bytes that were there before the first one

	written  int64
	credit   int64 // how many bytes of the old file have not been used up
	reserved int64 // in the account
	done     bool  // nothing is reserved any more
}

// uploadFrom is an upload that is an io.ReaderFrom.
type uploadFrom struct {
	*upload
	from io.ReaderFrom
}

func (u *upload) asReaderFrom() ftp.Upload {
	if from, able := u.Upload.(io.ReaderFrom); able {
		return &uploadFrom{u, from}
	}
	return u
}

// reserve reserves up to n bytes more, and returns how many. Those of the old file come first.
func (u *upload) reserve(n int64) int64 {
	of := min(u.credit, n)
	u.credit -= of
	got := u.account.reserve(n - of)
	u.reserved += got
	return of + got
}

// unreserve gives back n bytes that did not come.
func (u *upload) unreserve(n int64) {
	got := min(u.reserved, n)
	u.reserved -= got
	u.account.release(Usage{Bytes: got})
	u.credit += n - got
}

// giveBack ends what is reserved.
func (u *upload) giveBack() {
	if u.done {
		return
	}
	u.done = true
	file := int64(1)
	if u.exists {
		file = 0
	}
	u.account.release(Usage{u.reserved, file})
}

// Write implements ftp.Upload.
func (u *upload) Write(p []byte) (int, error) {
	if u.reserve(int64(len(p))) < int64(len(p)) {
		return 0, tooManyBytes()
	}
	n, err := u.Upload.Write(p)
	u.written += int64(n)
	return n, err
}

// ReadFrom passes a limited connection on as one, so that the system can recognise it. At the limit
// it reads one byte more to learn whether the file ends there.
func (u *uploadFrom) ReadFrom(r io.Reader) (int64, error) {
	part, limited := r.(*io.LimitedReader)
	if !limited {
		part = &io.LimitedReader{R: r, N: 1 << 20}
	}
	var total int64
	for {
		want := part.N
		may := u.reserve(want)
		rest := io.LimitedReader{R: part.R, N: may}
		n, err := u.from.ReadFrom(&rest)
		u.unreserve(may - n)
		u.written += n
		total += n
		part.N -= n
		switch {
		case err != nil || rest.N > 0:
			return total, err
		case may < want:
			return total, u.ends(part.R)
		case limited:
			return total, nil
		}
		part.N = 1 << 20
	}
}

// ends returns an error if r does not end here.
func (u *upload) ends(r io.Reader) error {
	var one [1]byte
	_, err := io.ReadFull(r, one[:])
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return tooManyBytes()
}

// Commit implements ftp.Upload.
func (u *upload) Commit(ctx context.Context) error {
	if err := u.Upload.Commit(ctx); err != nil {
		return err
	}
	if u.done {
		return nil
	}
	u.giveBack()
	more := Usage{Bytes: u.begin + u.written - u.old}
	if !u.exists {
		more.Files = 1
	}
	u.account.count(ctx, more, u.log)
	return nil
}

// Abort implements ftp.Upload.
func (u *upload) Abort() {
	u.Upload.Abort()
	u.giveBack()
}
