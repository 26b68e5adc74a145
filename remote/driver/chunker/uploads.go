package chunker

import (
	"context"
	"errors"
	"iter"
	"strings"

	"ferry/remote"
)

// The tokens of unfinished uploads begin with where they are.
const (
	tokenBelow = "below/" // in the remote below, by its own token
	tokenChunk = "chunk/" // a chunk without a record, by its name
)

// uploads returns a context for uploads to the remote below.
func uploads(ctx context.Context) context.Context {
	return remote.WithUploadsOf(ctx, func(token string) string { return tokenBelow + token })
}

// AbortUpload implements remote.UploadAborter.
func (r *Remote) AbortUpload(ctx context.Context, token string) error {
	if t, ok := strings.CutPrefix(token, tokenBelow); ok {
		return remote.AbortUpload(ctx, r.below, t)
	}
	name, ok := strings.CutPrefix(token, tokenChunk)
	dir, base := remote.Split(name)
	c, isChunk := r.names.parse(base)
	if !ok || !isChunk || !remote.ValidPath(name) {
		return remote.Renamed("abortupload", ".", remote.ErrInvalid)
	}
	used, err := r.uses(ctx, remote.Join(dir, c.base), c.txn)
	if err != nil || used {
		return remote.Renamed("abortupload", name, err)
	}
	err = r.below.Remove(ctx, name)
	if errors.Is(err, remote.ErrNotExist) {
		err = nil
	}
	return remote.Renamed("abortupload", name, err)
}

// uses reports whether the chunks of name with the mark txn belong to a file or to an upload of
// this process.
func (r *Remote) uses(ctx context.Context, name, txn string) (bool, error) {
	if txn == "" || r.isWriting(txn) {
		return true, nil
	}
	f, err := r.find(ctx, name)
	if err != nil && !errors.Is(err, remote.ErrNotExist) {
		return true, err
	}
	return err == nil && f.rec != nil && f.rec.Txn == txn, nil
}

// UnfinishedUploads implements remote.UploadLister: those of the remote below, and chunks whose
// mark no record has, as their uploads were killed.
func (r *Remote) UnfinishedUploads(ctx context.Context, dir string) iter.Seq2[remote.UnfinishedUpload, error] {
	return func(yield func(remote.UnfinishedUpload, error) bool) {
		if l, ok := remote.AsUploadLister(r.below); ok {
			for u, err := range l.UnfinishedUploads(ctx, dir) {
				u.Token = tokenBelow + u.Token
				if !yield(u, remote.Renamed("unfinisheduploads", dir, err)) || err != nil {
					return
				}
			}
		}
		r.leftChunks(ctx, dir, yield)
	}
}

// leftChunks yields the chunks in dir and below that belong to nothing, and reports whether to go
// on.
func (r *Remote) leftChunks(ctx context.Context, dir string, yield func(remote.UnfinishedUpload, error) bool) bool {
	var dirs []string
	for e, err := range r.entries(ctx, dir) {
		name := remote.Join(dir, e.Name)
		c, isChunk := r.names.parse(e.Name)
		switch {
		case err != nil:
			yield(remote.UnfinishedUpload{}, remote.Renamed("unfinisheduploads", dir, err))
			return false
		case e.Dir:
			dirs = append(dirs, name)
			continue
		case !isChunk:
			continue
		}
		base := remote.Join(dir, c.base)
		used, err := r.uses(ctx, base, c.txn)
		if used && err == nil {
			continue
		}
		u := remote.UnfinishedUpload{Name: base, Begun: e.ModTime, Size: e.Size, Token: tokenChunk + name}
		if !yield(u, remote.Renamed("unfinisheduploads", dir, err)) || err != nil {
			return false
		}
	}
	for _, d := range dirs {
		if !r.leftChunks(ctx, d, yield) {
			return false
		}
	}
	return true
}
