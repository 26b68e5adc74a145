package drive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"ferry/remote"
	"ferry/remote/driver/internal/google"
	"ferry/remote/network"
)

// Open implements remote.Remote.
func (r *Remote) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	err := remote.Check(ctx, name)
	if err == nil && off < 0 {
		err = remote.ErrInvalid
	}
	var content io.ReadCloser
	if err == nil {
		err = r.again(func() (err error) {
			content, err = r.open(ctx, name, off, remote.ClipLength(off, n))
			return err
		})
	}
	if err != nil {
		return nil, r.fail("open", name, err)
	}
	return content, nil
}

func (r *Remote) open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	f, content, err := r.lookup(ctx, name)
	switch {
	case err != nil:
		return nil, err
	case f.isFolder():
		return nil, remote.ErrIsDir
	case content.isDocument():
		return r.export(ctx, name, content, off, n)
	}
	_, base := remote.Split(name)
	read := &reader{r: r, name: name, entry: r.entry(base, f, content)}
	size := read.entry.Size
	if size >= 0 {
		off = min(off, size)
		read.left = size - off
		if n >= 0 {
			read.left = min(read.left, n)
		}
	}
	if size >= 0 && read.left == 0 || n == 0 {
		read.Closer, read.body, read.pinned = http.NoBody, http.NoBody, true
		return read, nil
	}
	span := ""
	switch {
	case size < 0:
		return nil, fmt.Errorf("%s does not tell the size of the file", r.service.host)
	case off > 0 || read.left < size:
		span = fmt.Sprintf("bytes=%d-%d", off, off+read.left-1)
	}
	answer, pinned, err := r.fetch(ctx, content, span)
	if err != nil {
		return nil, err
	}
	if err := checkContent(answer, content, span, read.left); err != nil {
		answer.Body.Close()
		return nil, fmt.Errorf("%s: %w", r.service.host, err)
	}
	read.Closer, read.body, read.pinned = answer.Body, remote.ContextReader(ctx, answer.Body), pinned
	return read, nil
}

// fetch asks for a part of the content of a file, by the revision that was looked up where the
// account may read revisions.
func (r *Remote) fetch(ctx context.Context, f *file, span string) (answer *http.Response, pinned bool, err error) {
	if f.HeadRevisionID != "" && (f.Capabilities == nil || f.Capabilities.CanReadRevisions) {
		answer, err = r.media(ctx, filePath(f.ID)+"/revisions/"+url.PathEscape(f.HeadRevisionID), span)
		var refused *google.AnswerError
		if !errors.As(err, &refused) || refused.Code >= http.StatusInternalServerError || refused.Code == http.StatusUnauthorized ||
			refused.Code == http.StatusTooManyRequests || google.IsRateLimit(refused.Reason) || refused.Reason == "cannotDownloadAbusiveFile" {
			return answer, true, err
		}
	}
	answer, err = r.media(ctx, filePath(f.ID), span)
	return answer, false, err
}

// media asks for a content.
func (r *Remote) media(ctx context.Context, path, span string) (*http.Response, error) {
	query := url.Values{"alt": {"media"}}
	if !strings.Contains(path, "/revisions/") {
		shared(query)
	}
	if r.options.AcknowledgeAbuse {
		query.Set("acknowledgeAbuse", "true")
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, r.service.Base+path+"?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	q.Header.Set("Accept-Encoding", "identity") // parts of what is packed would be wrong
	if span != "" {
		q.Header.Set("Range", span)
	}
	answer, err := r.service.Send(q)
	if err != nil {
		return nil, err
	}
	if err := google.Check(answer); err != nil {
		answer.Body.Close()
		return nil, err
	}
	return answer, nil
}

var errOther = errors.New("the content is not that of the file: it was replaced just now, or does not come from the service")

// checkContent compares an answer with what was asked for.
func checkContent(answer *http.Response, f *file, span string, length int64) error {
	switch {
	case network.IsPage(answer) && !strings.Contains(f.MimeType, "html"):
		return network.ErrPage
	case span != "" && answer.StatusCode != http.StatusPartialContent:
		return errors.New("it does not give parts of a file")
	case answer.ContentLength >= 0 && answer.ContentLength != length:
		return errOther
	}
	return nil
}

// export reads a document from byte off on. The service exports the whole of it each time.
func (r *Remote) export(ctx context.Context, name string, f *file, off, n int64) (io.ReadCloser, error) {
	form, ok := r.formatOf(f)
	if !ok {
		return nil, remote.ErrNotExist
	}
	query := url.Values{"mimeType": {form.mimeType}}
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, r.service.Base+filePath(f.ID)+"/export?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	answer, err := r.service.Send(q)
	if err != nil {
		return nil, err
	}
	if err := google.Check(answer); err != nil {
		answer.Body.Close()
		return nil, err
	}
	if network.IsPage(answer) {
		answer.Body.Close()
		return nil, network.ErrPage
	}
	read := &reader{Closer: answer.Body, r: r, name: name, body: remote.ContextReader(ctx, answer.Body), left: -1}
	if _, err := io.CopyN(io.Discard, read, off); err != nil && err != io.EOF {
		read.Close()
		return nil, err
	}
	read.most, read.limited = n, n >= 0
	return read, nil
}

// A reader reads a content, all that was promised of it.
type reader struct {
	io.Closer
	r       *Remote
	name    string
	body    io.Reader
	entry   remote.Entry
	pinned  bool  // it is certainly that content
	left    int64 // what is to come; below 0: nobody knows
	limited bool  // nobody wants more than most
	most    int64
}

// Read implements io.Reader.
func (f *reader) Read(p []byte) (int, error) {
	if f.limited {
		if f.most <= 0 {
			return 0, io.EOF
		}
		p = p[:min(int64(len(p)), f.most)]
	}
	n, err := f.body.Read(p)
	f.most -= int64(n)
	if f.left >= 0 {
		if f.left -= int64(n); f.left < 0 {
			return 0, f.r.fail("read", f.name, errOther)
		}
		if err == io.EOF && f.left > 0 {
			err = io.ErrUnexpectedEOF
		}
	}
	if err != nil && err != io.EOF {
		err = f.r.fail("read", f.name, err)
	}
	return n, err
}

// Described implements remote.Described.
func (f *reader) Described() (remote.Entry, bool) { return f.entry, f.pinned && f.entry.Version != "" }
