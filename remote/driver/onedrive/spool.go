package onedrive

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"
	"time"

	"ferry/budget"
	"ferry/remote"
)

// smallBody is the memory that an upload begins with.
const smallBody = 64 << 10

// An upload is a Put under way.
type upload struct {
	name    string
	modTime time.Time
	size    int64  // -1 = not known yet
	head    []byte // the beginning of the body
	whole   bool   // which is all of it
	rest    io.Reader
	temp    *os.File // the whole body, where its length was not known
	sum     hash.Hash
	untimed bool // the modification time did not go with the content
	limit   int64
	budget  *budget.Budget
	memory  *budget.Upload
}

func newUpload(r *Remote, name string, o remote.PutOptions) *upload {
	u := &upload{name: name, modTime: o.ModTime, size: -1, sum: NewQuickXor(), budget: r.opt.Network.Memory}
	u.memory = u.budget.Upload()
	if o.Size > 0 {
		u.size = o.Size
	}
	u.limit = max(singleLimit, min(r.opt.UploadCutoff, maxChunk))
	return u
}

// end frees what the upload holds.
func (u *upload) end() {
	u.memory.End()
	if u.temp != nil {
		u.temp.Close()
		_ = os.Remove(u.temp.Name()) // it is gone already but on Windows
	}
}

// begin reads the body as far as one request goes, or less where it is known to be longer.
func (u *upload) begin(ctx context.Context, body io.Reader) error {
	limit := u.limit
	if u.size > limit {
		limit = smallBody
	}
	if err := u.memory.Begin(ctx, min(limit, smallBody)); err != nil {
		return err
	}
	err := u.fill(body, smallBody)
	if err == nil && limit > smallBody {
		if err := u.memory.Collect(ctx, limit); err != nil {
			return err
		}
		err = u.fill(body, limit)
	}
	n := int64(len(u.head))
	switch {
	case err == io.EOF:
		if err := checkSize(n, u.size); err != nil {
			return err
		}
		u.size, u.whole = n, true
		return nil
	case err != nil:
		return err
	case u.size >= 0 && n > u.size:
		return checkSize(n, u.size)
	}
	u.rest = body
	return nil
}

// checkSize compares a length with the one that was announced, if any.
func checkSize(got, announced int64) error { return remote.CheckSize(got, max(announced, 0)) }

// fill reads until the head has limit bytes.
func (u *upload) fill(body io.Reader, limit int64) error {
	for int64(len(u.head)) < limit {
		if len(u.head) == cap(u.head) {
			u.head = slices.Grow(u.head, int(min(max(smallBody, int64(len(u.head))), limit-int64(len(u.head)))))
		}
		n, err := body.Read(u.head[len(u.head):min(int64(cap(u.head)), limit)])
		u.head = u.head[:len(u.head)+n]
		if err != nil {
			return err
		}
	}
	return nil
}

// collect writes the whole body to a temporary file, so that its length is known.
func (u *upload) collect(ctx context.Context) error {
	f, err := os.CreateTemp("", "ferry-upload-*")
	if err != nil {
		return noTemp(err)
	}
	u.temp = f
	_ = os.Remove(f.Name()) // it stays until it is closed, but on Windows
	if _, err := f.Write(u.head); err != nil {
		return noTemp(err)
	}
	u.head = nil
	u.memory.End()
	u.memory = u.budget.Upload()
	body := &watched{r: u.rest}
	if _, err := io.Copy(f, body); err != nil {
		if body.err != nil {
			return body.err
		}
		return noTemp(err)
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return noTemp(err)
	}
	u.size = size
	if !u.rewind() {
		return errors.New("the temporary file cannot be read")
	}
	return context.Cause(ctx)
}

// noTemp explains what is wrong with this machine; it says nothing about the remote.
func noTemp(err error) error {
	return fmt.Errorf("an upload of unknown length is collected in a file of %s first (set TMPDIR, or --vfs-cache-mode writes): %v",
		os.TempDir(), err)
}

// rewind has the body begin anew, if that is possible.
func (u *upload) rewind() bool {
	u.sum.Reset()
	if u.whole {
		return true
	}
	if u.temp == nil {
		return false
	}
	_, err := u.temp.Seek(0, io.SeekStart)
	u.rest = u.temp
	return err == nil
}

// A watched reader knows what it failed with.
type watched struct {
	r   io.Reader
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}
