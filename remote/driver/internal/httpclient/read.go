package httpclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"ferry/remote"
)

var (
	errRange = errors.New("the server sends another range than asked for")
	errShort = errors.New("the server breaks off before the end of the file")
)

// Open asks for n bytes of the file at u from byte off on, or with n < 0 for all of them. The
// reader fails when the server sends less than it promised, and when ctx ends; closing it ends the
// request. An answer that is no content is the error: a *StatusError, or a redirection to a
// directory's name (see IsSlashRedirect) with the status 301 or 308.
func (c *Client) Open(ctx context.Context, u *url.URL, off, n int64) (*File, error) {
	ctx, cancel := context.WithCancel(ctx)
	req := c.Request(ctx, http.MethodGet, u, nil)
	req.Header.Set("Accept-Encoding", "identity")
	SetRange(req.Header, off, n)
	resp, err := c.Get(req)
	if err != nil {
		cancel()
		return nil, err
	}
	return NewFile(ctx, cancel, resp, off, n)
}

// SetRange makes a header ask for n bytes from byte off on, or with n < 0 for all of them.
func SetRange(h http.Header, off, n int64) {
	span := Range(off, n)
	if remote.ClipLength(off, n) == 0 { // what is asked is only whether there is such a file
		span = "bytes=0-0"
	}
	if span != "" {
		h.Set("Range", span)
	}
}

// Range returns the value of a header Range that asks for n bytes from byte off on, or with n <= 0
// for all of them, as no range has no bytes. It is "" for a whole file.
func Range(off, n int64) string {
	switch n = remote.ClipLength(off, n); {
	case n > 0:
		return fmt.Sprintf("bytes=%d-%d", off, off+n-1)
	case off > 0:
		return fmt.Sprintf("bytes=%d-", off)
	}
	return ""
}

// TotalSize reads the size of the whole file from a Content-Range (RFC 9110 section 14.4).
func TotalSize(contentRange string) (int64, bool) {
	_, whole, _ := strings.Cut(contentRange, "/")
	size, err := strconv.ParseInt(whole, 10, 64)
	return size, err == nil
}

// NewFile returns the content of the answer to a request under ctx that SetRange made. cancel ends
// ctx, and is called when the file is closed. An answer that is no content is a *StatusError.
func NewFile(ctx context.Context, cancel context.CancelFunc, resp *http.Response, off, n int64) (*File, error) {
	n = remote.ClipLength(off, n)
	f := &File{Header: resp.Header, Size: -1, cancel: cancel, body: resp.Body, left: n}
	var err error
	switch {
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable,
		n == 0 && (resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusPartialContent):
		f.Close()
		f.left = 0
		return f, nil
	case resp.StatusCode == http.StatusOK:
		f.Size = resp.ContentLength
		err = f.startWhole(ctx, off)
	case resp.StatusCode == http.StatusPartialContent:
		f.promised, f.Size, err = promised(resp.Header.Get("Content-Range"), off, n)
	default:
		err = Refused(resp)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	f.body = withContext(ctx, f.body)
	return f, nil
}

// promised reads how many bytes an answer gives, and how many the file has or -1, from its
// Content-Range (RFC 9110 section 14.4).
func promised(contentRange string, off, n int64) (length, size int64, err error) {
	unit, spec, _ := strings.Cut(contentRange, " ")
	span, whole, _ := strings.Cut(spec, "/")
	from, to, ok := strings.Cut(span, "-")
	first, err1 := strconv.ParseInt(from, 10, 64)
	last, err2 := strconv.ParseInt(to, 10, 64)
	if !strings.EqualFold(unit, "bytes") || !ok || err1 != nil || err2 != nil || first != off || last < first {
		return 0, 0, errRange
	}
	size, err = strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return last + 1 - first, -1, nil
	}
	end := size
	if n > 0 {
		end = min(size, off+n)
	}
	if last+1 != end {
		return 0, 0, errRange
	}
	return last + 1 - first, size, nil
}

// A File is the content of an answer.
type File struct {
	Header http.Header // of the answer
	Size   int64       // of the whole file; -1 unknown

	cancel   context.CancelFunc
	body     io.ReadCloser
	left     int64 // what the caller still wants; below 0 everything
	promised int64 // what the server still has to send; below 0 unknown
}

// startWhole makes an answer that holds the whole file begin at off.
func (f *File) startWhole(ctx context.Context, off int64) error {
	f.promised = f.Size
	if f.Size >= 0 {
		f.promised = max(0, f.Size-off)
	}
	if f.left >= 0 && f.promised > f.left {
		f.promised = f.left
	}
	if off == 0 {
		return nil
	}
	_, err := io.CopyN(io.Discard, withContext(ctx, f.body), off)
	if err == io.EOF { // off is behind the end
		err = nil
	}
	return err
}

// Read implements io.Reader.
func (f *File) Read(p []byte) (int, error) {
	if f.left == 0 {
		return 0, io.EOF
	}
	if f.left > 0 {
		p = p[:min(int64(len(p)), f.left)]
	}
	n, err := f.body.Read(p)
	if f.left > 0 {
		f.left -= int64(n)
	}
	if f.promised >= 0 {
		f.promised = max(0, f.promised-int64(n))
	}
	if (err == io.EOF && f.promised > 0) || errors.Is(err, io.ErrUnexpectedEOF) {
		return n, fmt.Errorf("%w: %w", errShort, io.ErrUnexpectedEOF)
	}
	return n, err
}

// A Content is a File as remote.Remote's Open returns it.
type Content struct {
	*File
	// Fail names the file in an error of reading.
	Fail func(err error) error
	// Describe is that of remote.Described.
	Describe func(f *File) (remote.Entry, bool)
}

// Read implements io.Reader.
func (c *Content) Read(p []byte) (int, error) {
	n, err := c.File.Read(p)
	if err != nil && err != io.EOF {
		err = c.Fail(err)
	}
	return n, err
}

// Described implements remote.Described.
func (c *Content) Described() (remote.Entry, bool) { return c.Describe(c.File) }

// Close ends the request.
func (f *File) Close() error {
	f.cancel()
	return f.body.Close()
}

// withContext makes reads fail from the moment when ctx has ended, even if there is still something
// to read.
func withContext(ctx context.Context, body io.ReadCloser) io.ReadCloser {
	read := func(p []byte) (int, error) {
		n, err := body.Read(p)
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		return n, err
	}
	return struct {
		io.Reader
		io.Closer
	}{readFunc(read), body}
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }
