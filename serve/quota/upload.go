package quota

import (
	"context"
	"io"
	"log/slog"
	"slices"

	"ferry/ftp"
)

// An upload reserves its bytes while they arrive.
type upload struct {
	ftp.Upload
	account *Account
	log     *slog.Logger
	key     string // see FS.key
	begin   int64  // bytes that were there before the first one

	written int64

	old      int64 // guarded by account.mu; size of the file that it replaces or continues
	exists   bool  // guarded by account.mu; there is one
	credit   int64 // guarded by account.mu; how many bytes of the old file have not been used up
	reserved int64 // guarded by account.mu
	done     bool  // guarded by account.mu; nothing is reserved any more
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

// Unwrap implements ftp.Wrapping.
func (u *upload) Unwrap() ftp.Upload { return u.Upload }

// reserve reserves up to n bytes more, and returns how many. Those of the old file come first. Less
// than least is only where there is not more, also at other nodes.
func (u *upload) reserve(n, least int64) int64 {
	a := u.account
	a.mu.Lock()
	defer a.mu.Unlock()
	if lacks := least - u.credit; lacks > 0 {
		a.obtain(Usage{Bytes: lacks})
	}
	of := min(u.credit, n)
	u.credit -= of
	got := min(n-of, a.left().Bytes)
	a.reserved.Bytes += got
	u.reserved += got
	return of + got
}

// unreserve gives back n bytes that did not come.
func (u *upload) unreserve(n int64) {
	a := u.account
	a.mu.Lock()
	defer a.mu.Unlock()
	got := min(u.reserved, n)
	u.reserved -= got
	a.reserved.Bytes -= got
	u.credit += n - got
}

// giveBack ends what is reserved.
func (u *upload) giveBack() {
	a := u.account
	a.mu.Lock()
	defer a.mu.Unlock()
	a.end(u)
}

// meets has u replace what is called like it now: a file of the size, or none. What it has taken of
// the file that was there before is reserved instead.
//
// LOCKS_REQUIRED(u.account.mu)
func (u *upload) meets(exists bool, size int64) {
	u.credit += size - u.old
	u.old = size
	if u.credit < 0 {
		u.reserved -= u.credit
		u.account.reserved.Bytes -= u.credit
		u.credit = 0
	}
	switch {
	case exists && !u.exists:
		u.account.reserved.Files--
	case !exists && u.exists:
		u.account.reserved.Files++
	}
	u.exists = exists
}

// Write implements ftp.Upload.
func (u *upload) Write(p []byte) (int, error) {
	if n := int64(len(p)); u.reserve(n, n) < n {
		return 0, u.account.tooManyBytes()
	}
	n, err := u.Upload.Write(p)
	u.written += int64(n)
	return n, err
}

// readAtLeast is what is reserved at least to read, so that near a limit few bytes are not read one
// by one.
const readAtLeast = 256 << 10

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
		may := u.reserve(want, min(want, readAtLeast))
		rest := io.LimitedReader{R: part.R, N: may}
		n, err := u.from.ReadFrom(&rest)
		u.unreserve(may - n)
		u.written += n
		total += n
		part.N -= n
		switch {
		case err != nil || rest.N > 0:
			return total, err
		case may == 0 && want > 0:
			return total, ftp.Ends(part.R, u.account.tooManyBytes())
		case part.N > 0:
			continue
		case limited:
			return total, nil
		}
		part.N = 1 << 20
	}
}

// Commit implements ftp.Upload.
func (u *upload) Commit(ctx context.Context) error {
	if err := u.Upload.Commit(ctx); err != nil {
		return err
	}
	u.account.count(ctx, u.log, u.stored)
	return nil
}

// Abort implements ftp.Upload.
func (u *upload) Abort() {
	u.Upload.Abort()
	u.giveBack()
}

// stored ends u, which is a file now, and returns how much more there is.
//
// LOCKS_REQUIRED(u.account.mu)
func (u *upload) stored() Usage {
	if u.done {
		return Usage{}
	}
	u.account.end(u)
	size := u.begin + u.written
	more := Usage{Bytes: size - u.old}
	if !u.exists {
		more.Files = 1
	}
	u.account.changed(u.key, true, size)
	return more
}

// begin reserves the file of an upload that begins, and reports whether there may be one more.
func (a *Account) begin(u *upload) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !u.exists {
		a.obtain(Usage{Files: 1})
		if a.left().Files == 0 {
			return false
		}
		a.reserved.Files++
	}
	if a.uploads == nil {
		a.uploads = map[string][]*upload{}
	}
	a.uploads[u.key] = append(a.uploads[u.key], u)
	return true
}

// end gives back what an upload has reserved.
//
// LOCKS_REQUIRED(a.mu)
func (a *Account) end(u *upload) {
	if u.done {
		return
	}
	u.done = true
	a.reserved.Bytes -= u.reserved
	if !u.exists {
		a.reserved.Files--
	}
	a.uploads[u.key] = slices.DeleteFunc(a.uploads[u.key], func(o *upload) bool { return o == u })
	if len(a.uploads[u.key]) == 0 {
		delete(a.uploads, u.key)
	}
}

// awaits reports whether an upload of that key is under way.
func (a *Account) awaits(key string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.uploads[key]) > 0
}

// changed tells the uploads of that key that are under way what there is now: a file, or none.
//
// LOCKS_REQUIRED(a.mu)
func (a *Account) changed(key string, exists bool, size int64) {
	for _, u := range a.uploads[key] {
		u.meets(exists, size)
	}
}
