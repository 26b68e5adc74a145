package combine

import (
	"context"
	"io/fs"
	"iter"
	"strings"

	"ferry/remote"
)

// uploads returns a context for a call of the upstream: its tokens become ours by the name of the
// directory in front.
func (u *Upstream) uploads(ctx context.Context) context.Context {
	return remote.WithUploadsOf(ctx, func(token string) string { return u.Dir + "/" + token })
}

// AbortUpload implements remote.UploadAborter.
func (r *Remote) AbortUpload(ctx context.Context, token string) error {
	dir, token, _ := strings.Cut(token, "/")
	p, err := r.find(ctx, dir)
	if err != nil || p.up == nil {
		return &fs.PathError{Op: "abortupload", Path: ".", Err: remote.ErrInvalid}
	}
	return remote.Renamed("abortupload", dir, remote.AbortUpload(ctx, p.up.Remote, token))
}

// UnfinishedUploads implements remote.UploadLister. Upstreams that keep none are passed over.
func (r *Remote) UnfinishedUploads(ctx context.Context, dir string) iter.Seq2[remote.UnfinishedUpload, error] {
	return func(yield func(remote.UnfinishedUpload, error) bool) {
		p, err := r.find(ctx, dir)
		if err != nil {
			yield(remote.UnfinishedUpload{}, remote.Renamed("unfinisheduploads", dir, err))
			return
		}
		for i := range r.upstreams {
			up, below := &r.upstreams[i], "."
			if p.up != nil {
				below = p.name
			}
			l, ok := remote.AsUploadLister(up.Remote)
			if !ok || p.up != nil && p.up != up {
				continue
			}
			for u, err := range l.UnfinishedUploads(ctx, below) {
				u.Name, u.Token = remote.Join(up.Dir, u.Name), up.Dir+"/"+u.Token
				if !yield(u, remote.Renamed("unfinisheduploads", dir, err)) || err != nil {
					return
				}
			}
		}
	}
}
