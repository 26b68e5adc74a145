package gcs

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"

	"ferry/remote"
	"ferry/remote/objects"
)

// store is the service behind an objects.Tree.
type store struct {
	client  *storage.Client
	host    string
	options Options
}

func (s *store) bucket(name string) *storage.BucketHandle {
	b := s.client.Bucket(name)
	if s.options.UserProject != "" {
		b = b.UserProject(s.options.UserProject)
	}
	return b
}

func (s *store) object(k objects.Key) *storage.ObjectHandle {
	return s.bucket(k.Bucket).Object(k.Name)
}

// Head implements objects.Store.
func (s *store) Head(ctx context.Context, k objects.Key) (objects.Object, error) {
	attrs, err := s.object(k).Attrs(ctx)
	if err != nil {
		return objects.Object{}, s.translate(err)
	}
	return describe(attrs), nil
}

// Page implements objects.Store.
func (s *store) Page(ctx context.Context, k objects.Key, token string, limit int) (objects.Page, error) {
	query := &storage.Query{Prefix: k.Name, Delimiter: "/", Projection: storage.ProjectionNoACL}
	if err := query.SetAttrSelection([]string{"Name", "Size", "Updated", "Generation", "Metadata"}); err != nil {
		return objects.Page{}, s.translate(err)
	}
	it := s.bucket(k.Bucket).Objects(ctx, query)
	info := it.PageInfo()
	info.Token, info.MaxSize = token, limit
	var p objects.Page
	for {
		attrs, err := it.Next()
		if errors.Is(err, iterator.Done) {
			return p, nil
		}
		if err != nil {
			return objects.Page{}, s.translate(err)
		}
		if attrs.Prefix != "" {
			p.Prefixes = append(p.Prefixes, attrs.Prefix)
		} else {
			p.Objects = append(p.Objects, describe(attrs))
		}
		if info.Remaining() == 0 {
			p.Next = info.Token
			return p, nil
		}
	}
}

// Open implements objects.Store. What is stored with gzip is read as it is stored.
func (s *store) Open(ctx context.Context, k objects.Key, off, n int64) (objects.Content, error) {
	r, err := s.object(k).ReadCompressed(true).NewRangeReader(ctx, off, n)
	if hasCode(err, http.StatusRequestedRangeNotSatisfiable) {
		return objects.Content{ReadCloser: io.NopCloser(strings.NewReader(""))}, nil
	}
	if err != nil {
		return objects.Content{}, s.translate(err)
	}
	o := objects.Object{Size: r.Attrs.Size}
	if r.Attrs.Generation != 0 {
		o.Version = version(r.Attrs.Generation)
	}
	return objects.Content{ReadCloser: &reader{s, r}, Object: o}, nil
}

// A reader translates the errors of reading.
type reader struct {
	store *store
	r     *storage.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && err != io.EOF {
		err = r.store.translate(err)
	}
	return n, err
}

func (r *reader) Close() error { return r.r.Close() }

// Copy implements objects.Store. The far side may ask to be asked again until it is done.
func (s *store) Copy(ctx context.Context, from, to objects.Key) error {
	copier := s.object(to).CopierFrom(s.object(from))
	copier.PredefinedACL = s.objectACL()
	_, err := copier.Run(ctx)
	return s.translate(err)
}

// Delete implements objects.Store.
func (s *store) Delete(ctx context.Context, k objects.Key) error {
	return s.translate(s.object(k).Delete(ctx))
}

// SetModTime implements objects.Store.
func (s *store) SetModTime(ctx context.Context, k objects.Key, t time.Time) error {
	_, err := s.object(k).Update(ctx, storage.ObjectAttrsToUpdate{Metadata: withModTime(t)})
	return s.translate(err)
}

// Hash implements objects.Store. Composed objects have no MD5.
func (s *store) Hash(ctx context.Context, k objects.Key, algorithm string) ([]byte, error) {
	if algorithm != "md5" {
		return nil, remote.ErrUnsupported
	}
	attrs, err := s.object(k).Attrs(ctx)
	if err != nil {
		return nil, s.translate(err)
	}
	if len(attrs.MD5) == 0 {
		return nil, remote.ErrUnsupported
	}
	return attrs.MD5, nil
}

func describe(attrs *storage.ObjectAttrs) objects.Object {
	return objects.Object{
		Name:    attrs.Name,
		Size:    attrs.Size,
		ModTime: modTime(attrs),
		Version: version(attrs.Generation),
	}
}

func version(generation int64) string { return strconv.FormatInt(generation, 10) }
