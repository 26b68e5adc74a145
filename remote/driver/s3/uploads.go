package s3

import (
	"context"
	"iter"
	"strings"
	"sync"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
)

// uploadToken is what an upload is found by again. Only a key can hold a line end.
func uploadToken(at place, id string) string { return at.Bucket + "\n" + id + "\n" + at.Name }

// keptToken is what an upload that is kept for its owner is found by again: no upload has an empty
// id.
func keptToken(slot place) string { return uploadToken(slot, "") }

// tellUpload reports that an upload was begun, and returns what reports its end. What is to be left
// on the server when an upload fails is no concern of the caller.
func (r *Remote) tellUpload(ctx context.Context, at place, id string) (ended func(left bool)) {
	if r.opt.LeaveParts {
		return func(bool) {}
	}
	token := uploadToken(at, id)
	remote.UploadBegun(ctx, token)
	var once sync.Once
	return func(left bool) { once.Do(func() { remote.UploadEnded(ctx, token, left) }) }
}

// AbortUpload implements remote.UploadAborter.
func (r *Remote) AbortUpload(ctx context.Context, token string) error {
	bucket, rest, _ := strings.Cut(token, "\n")
	id, key, _ := strings.Cut(rest, "\n")
	at := place{Bucket: bucket, Name: key}
	switch {
	case ctx.Err() != nil:
		return remote.Fail("abortupload", ".", context.Cause(ctx))
	case id == "" && r.IsSlot(at):
		return remote.Fail("abortupload", r.nameAt(at), r.DropKept(ctx, at))
	case id == "" || !r.holdsPlace(at):
		return remote.Fail("abortupload", ".", remote.ErrInvalid)
	}
	return r.explain(ctx, "abortupload", r.nameAt(at), r.abortUpload(ctx, at, id))
}

func (r *Remote) abortUpload(ctx context.Context, at place, id string) error {
	err := r.again.AbortMultipartUpload(ctx, at.Bucket, at.Name, id)
	if isCode(err, "NoSuchUpload") {
		return nil
	}
	return err
}

// holdsPlace reports whether an object lies below the root.
func (r *Remote) holdsPlace(at place) bool {
	return at.Name != "" && (r.root.Bucket == "" || at.Bucket == r.root.Bucket && strings.HasPrefix(at.Name, r.root.Prefix()))
}

// nameAt is the reverse of locate. A key without a name is shown as it is.
func (r *Remote) nameAt(at place) string {
	elems := strings.Split(strings.TrimPrefix(at.Name, r.root.Prefix()), "/")
	if r.root.Bucket == "" {
		elems = append([]string{at.Bucket}, elems...)
	}
	for i, elem := range elems {
		if name, ok := r.names.Name(elem); ok {
			elem = name
		}
		elems[i] = elem
	}
	return strings.Join(elems, "/")
}

// UnfinishedUploads implements remote.UploadLister. The size of each costs a request.
func (r *Remote) UnfinishedUploads(ctx context.Context, dir string) iter.Seq2[remote.UnfinishedUpload, error] {
	return func(yield func(remote.UnfinishedUpload, error) bool) {
		at, err := r.Key(ctx, "unfinisheduploads", dir)
		if dir == "." {
			at = r.root
		}
		buckets := []string{at.Bucket}
		if err == nil && at.Bucket == "" {
			var all []minio.BucketInfo
			all, err = r.once.ListBuckets(ctx)
			buckets = buckets[:0]
			for _, b := range all {
				buckets = append(buckets, b.Name)
			}
			err = r.explain(ctx, "unfinisheduploads", dir, err)
		}
		if err != nil {
			yield(remote.UnfinishedUpload{}, err)
			return
		}
		for _, bucket := range buckets {
			for u, err := range r.uploadsIn(ctx, place{Bucket: bucket, Name: at.Name}) {
				if !yield(u, r.explain(ctx, "unfinisheduploads", dir, err)) || err != nil {
					return
				}
			}
		}
	}
}

// uploadsIn lists those below a place, page by page, first those that are kept for their owners.
// Of these, the ones under way are left out.
func (r *Remote) uploadsIn(ctx context.Context, dir place) iter.Seq2[remote.UnfinishedUpload, error] {
	return func(yield func(remote.UnfinishedUpload, error) bool) {
		kept := map[string]bool{}
		for u, err := range r.KeptUploads(ctx, dir.Bucket) {
			if err != nil {
				yield(remote.UnfinishedUpload{}, err)
				return
			}
			if p, err := sentOf(u.Sent); err == nil {
				kept[p.ID] = true
			}
			found := remote.UnfinishedUpload{Name: r.nameAt(u.Key), Begun: u.Changed, Size: u.Size, Token: keptToken(u.Slot)}
			if !u.Leased && strings.HasPrefix(u.Key.Name, dir.Prefix()) && !yield(found, nil) {
				return
			}
		}
		key, id := "", ""
		for {
			page, err := r.once.ListMultipartUploads(ctx, dir.Bucket, dir.Prefix(), key, id, "", 0)
			if err != nil {
				yield(remote.UnfinishedUpload{}, err)
				return
			}
			for _, u := range page.Uploads {
				at := place{Bucket: dir.Bucket, Name: u.Key}
				if !strings.HasPrefix(u.Key, dir.Prefix()) || kept[u.UploadID] {
					continue // some servers take the prefix for a key
				}
				found := remote.UnfinishedUpload{
					Name: r.nameAt(at), Begun: u.Initiated, Size: r.partsSize(ctx, at, u.UploadID), Token: uploadToken(at, u.UploadID),
				}
				if !yield(found, nil) {
					return
				}
			}
			if !page.IsTruncated || page.NextKeyMarker == key && page.NextUploadIDMarker == id {
				return
			}
			key, id = page.NextKeyMarker, page.NextUploadIDMarker
		}
	}
}

// partsSize returns how many bytes an upload has, -1 if the server does not tell.
func (r *Remote) partsSize(ctx context.Context, at place, id string) int64 {
	size, marker := int64(0), 0
	for {
		page, err := r.once.ListObjectParts(ctx, at.Bucket, at.Name, id, marker, 0)
		if err != nil {
			return -1
		}
		for _, p := range page.ObjectParts {
			size += p.Size
		}
		if !page.IsTruncated || page.NextPartNumberMarker <= marker {
			return size
		}
		marker = page.NextPartNumberMarker
	}
}
