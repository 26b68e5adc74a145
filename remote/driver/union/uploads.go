package union

import (
	"context"
	"io/fs"
	"iter"
	"strconv"
	"strings"

	"ferry/remote"
)

// uploads returns a context for a call of the upstream: its tokens become ours by its number in
// front.
func (u *upstream) uploads(ctx context.Context) context.Context {
	return remote.WithUploadsOf(ctx, func(token string) string { return strconv.Itoa(u.index) + "/" + token })
}

// AbortUpload implements remote.UploadAborter.
func (r *Remote) AbortUpload(ctx context.Context, token string) error {
	number, token, _ := strings.Cut(token, "/")
	i, err := strconv.Atoi(number)
	if err != nil || i < 0 || i >= len(r.ups) {
		return &fs.PathError{Op: "abortupload", Path: ".", Err: remote.ErrInvalid}
	}
	return remote.Renamed("abortupload", ".", remote.AbortUpload(ctx, r.ups[i].Remote, token))
}

// UnfinishedUploads implements remote.UploadLister. Upstreams that keep none are passed over.
func (r *Remote) UnfinishedUploads(ctx context.Context, dir string) iter.Seq2[remote.UnfinishedUpload, error] {
	return func(yield func(remote.UnfinishedUpload, error) bool) {
		for _, up := range r.ups {
			l, ok := remote.AsUploadLister(up.Remote)
			if !ok {
				continue
			}
			for u, err := range l.UnfinishedUploads(ctx, dir) {
				u.Token = strconv.Itoa(up.index) + "/" + u.Token
				if !yield(u, remote.Renamed("unfinisheduploads", dir, err)) || err != nil {
					return
				}
			}
		}
	}
}
