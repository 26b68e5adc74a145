package s3

import (
	"context"
	"iter"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/minio/minio-go/v7"

	"ferry/remote/network"
)

// inOrder lists like ListObjectsIter, in the order of the keys: that gives the objects of a page
// before its directories.
func (r *Remote) inOrder(ctx context.Context, bucket string, o minio.ListObjectsOptions) iter.Seq[minio.ObjectInfo] {
	return func(yield func(minio.ObjectInfo) bool) {
		asked := pages{bound: r.opt.Network.Listing()}
		turned := int32(1)
		var page []minio.ObjectInfo
		flush := func() bool {
			slices.SortStableFunc(page, func(a, b minio.ObjectInfo) int { return strings.Compare(a.Key, b.Key) })
			for _, object := range page {
				if !yield(object) {
					return false
				}
			}
			page = page[:0]
			return true
		}
		for object := range r.asking(ctx).ListObjectsIter(context.WithValue(ctx, pagesKey{}, &asked), bucket, o) {
			if err := asked.bound.Entries(1); err != nil {
				object = minio.ObjectInfo{Err: err}
			}
			if n := asked.count.Load(); n != turned || object.Err != nil {
				turned = n
				if !flush() {
					return
				}
			}
			// A page that is full is whole: the next one need not be asked for before this one is
			// passed on.
			if page = append(page, object); (object.Err != nil || len(page) == o.MaxKeys) && !flush() {
				return
			}
		}
		flush()
	}
}

// pages counts those that were asked for of a listing.
type pages struct {
	count atomic.Int32
	bound *network.Listing
}

// pagesKey is that of a *pages in the values of a context.
type pagesKey struct{}

// counted counts the requests for pages of listings whose context has a counter.
type counted struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (c counted) RoundTrip(q *http.Request) (*http.Response, error) {
	if asked, ok := q.Context().Value(pagesKey{}).(*pages); ok && q.URL.Query().Has("prefix") {
		asked.count.Add(1)
		if err := asked.bound.Page(0); err != nil {
			return nil, err // the library goes on by itself while a page holds nothing
		}
	}
	return c.RoundTripper.RoundTrip(q)
}
