package onedrive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strings"

	"ferry/remote"
	"ferry/remote/driver/internal/httpclient"
)

// Open implements remote.Remote. The service is asked for the file, and says where its content is;
// that address proves who is asking for some time.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	err := check(ctx, name)
	if err == nil {
		err = remote.CheckOpen(name, off)
	}
	if err != nil {
		return nil, remote.Fail("open", name, err)
	}
	f, err := r.open(ctx, name, off, n)
	if err != nil {
		return nil, remote.Fail("open", name, err)
	}
	return f, nil
}

// open asks again where the content is when the address does not hold any more, once for each
// version of the file: it was replaced or removed meanwhile.
func (r *Remote) open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	before := "" // the version that was tried
	for attempt := 0; ; attempt++ {
		f, err := r.look(ctx, name)
		switch {
		case err != nil:
			return nil, err
		case f.item.isDir():
			return nil, remote.ErrIsDir
		}
		got, err := r.openContent(ctx, f, off, n)
		if err == nil {
			return r.newReader(name, f.item, got, off == 0 && n < 0), nil
		}
		var status *httpclient.StatusError
		if !errors.As(err, &status) || ctx.Err() != nil {
			return nil, err
		}
		other := before != f.item.ID+f.item.ETag
		before = f.item.ID + f.item.ETag
		if attempt+1 >= r.api.tries || !other && !isBusy(status.Code) {
			// It says nothing about the file: the service itself has just described it.
			return nil, fmt.Errorf("%s does not send the content that is there: it answers %d", status.Host, status.Code)
		}
		if isBusy(status.Code) {
			r.api.throttle.hold(ctx, retryAfter(status.RetryAfter, attempt))
		}
		if err := r.api.throttle.Wait(ctx); err != nil {
			return nil, err
		}
	}
}

func isBusy(code int) bool {
	return code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable
}

// openContent begins to read the content of f.
func (r *Remote) openContent(ctx context.Context, f *found, off, n int64) (*httpclient.File, error) {
	at := f.item.ContentAt
	if at == "" { // an item of another drive, or a service that does not tell
		answer, err := r.api.send(ctx, call{method: http.MethodGet, to: f.target.address() + "/content"})
		if err != nil {
			return nil, err
		}
		at = answer.Header.Get("Location")
		if answer.StatusCode != http.StatusFound || at == "" {
			return nil, refused(answer, r.api.login)
		}
		httpclient.Drain(answer)
	}
	u, err := r.api.foreign(at)
	if err != nil {
		return nil, err
	}
	return r.api.client.Open(ctx, u, off, n)
}

// A reader is the content of a file. It fails at the end when the whole does not have the checksum
// that the service keeps.
type reader struct {
	*httpclient.File
	name  string
	entry remote.Entry
	known bool // the content is that of the entry

	want []byte // nil where the checksum is not compared
	sum  hash.Hash
}

func (r *Remote) newReader(name string, i *item, f *httpclient.File, whole bool) *reader {
	_, base := remote.Split(name)
	got := &reader{File: f, name: name, entry: i.entry(base)}
	// A file that was replaced after it was described has another tag.
	tag := strings.TrimPrefix(f.Header.Get("ETag"), "W/")
	got.known = tag != "" && tag == strings.TrimPrefix(i.content().ETag, "W/") && got.entry.Version != "" &&
		(f.Size < 0 || f.Size == got.entry.Size)
	if whole && got.known && !r.opt.NoHash && r.opt.DriveType != DocumentLibrary {
		got.want, got.sum = i.quickXor(), NewQuickXor()
	}
	return got
}

func (f *reader) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	if f.want != nil {
		f.sum.Write(p[:n])
	}
	if err == io.EOF && f.want != nil && !bytes.Equal(f.sum.Sum(nil), f.want) {
		err = remote.ErrDigest
	}
	if err != nil && err != io.EOF {
		err = remote.Fail("read", f.name, err)
	}
	return n, err
}

// Described implements remote.Described.
func (f *reader) Described() (remote.Entry, bool) { return f.entry, f.known }
