package crypt

import (
	"context"
	"iter"

	"ferry/remote"
	"ferry/remote/driver/crypt/cipher"
)

// AbortUpload implements remote.UploadAborter. Tokens are those of the remote below.
func (r *Remote) AbortUpload(ctx context.Context, token string) error {
	return remote.Renamed("abortupload", ".", remote.AbortUpload(ctx, r.below, token))
}

// UnfinishedUploads implements remote.UploadLister. A remote below that keeps none has none. One
// whose name cannot be decrypted has the name that it has below.
func (r *Remote) UnfinishedUploads(ctx context.Context, dir string) iter.Seq2[remote.UnfinishedUpload, error] {
	return func(yield func(remote.UnfinishedUpload, error) bool) {
		l, ok := remote.AsUploadLister(r.below)
		if !ok {
			return
		}
		p, err := r.find(dir)
		if err != nil {
			yield(remote.UnfinishedUpload{}, remote.Renamed("unfinisheduploads", dir, err))
			return
		}
		for u, err := range l.UnfinishedUploads(ctx, p.dir) {
			if plain, ok := r.plainPath(u.Name, false); ok && err == nil {
				u.Name = plain
			}
			if size, ok := cipher.PlainSize(u.Size); ok && !r.o.PlainData {
				u.Size = size
			}
			if !yield(u, remote.Renamed("unfinisheduploads", dir, err)) || err != nil {
				return
			}
		}
	}
}
