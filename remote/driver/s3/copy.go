package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
)

// moveRounds is how often a move begins anew because the file was replaced before it was copied.
const moveRounds = 5

// Move implements remote.Mover: the server copies, and the original is removed, each on the
// precondition that it is the version that was looked at. What is stored under the old name once it
// was copied stays.
func (r *Remote) Move(ctx context.Context, from, to string) error {
	for round := 1; ; round++ {
		err := r.moveOnce(ctx, from, to, round < moveRounds)
		if !errors.Is(err, remote.ErrChanged) || round == moveRounds {
			return err
		}
	}
}

// moveOnce moves what it finds. If strict, it is remote.ErrChanged when a file was replaced before
// it was copied; else the newer one is copied, too, and stays.
func (r *Remote) moveOnce(ctx context.Context, from, to string, strict bool) error {
	source, target, info, err := r.pair(ctx, "move", from, to)
	if errors.Is(err, errDirectory) {
		return r.explain(ctx, "move", from, r.moveDir(ctx, source, target, info))
	}
	if err != nil || source == target {
		return err
	}
	etag := info.ETag
	if !strict && info.Size <= r.opt.CopyCutoff { // what is copied in parts must be of one version
		info.ETag = ""
	}
	if _, err := r.copyObject(ctx, source, target, info, time.Time{}); err != nil {
		return r.explain(ctx, "move", from, err)
	}
	err = r.leave(ctx, source, func() error { return r.removeVersion(ctx, source, etag) })
	if errors.Is(err, remote.ErrChanged) || isMissing(err) {
		return nil // a new file came after the rename, or somebody has removed the old one
	}
	return r.explain(ctx, "move", from, err)
}

// Copy implements remote.Copier. The modification time is copied too.
func (r *Remote) Copy(ctx context.Context, from, to string) error {
	source, target, info, err := r.pair(ctx, "copy", from, to)
	if err != nil || source == target {
		return err
	}
	_, err = r.copyObject(ctx, source, target, info, time.Time{})
	return r.explain(ctx, "copy", from, err)
}

// SetModTime implements remote.ModTimer: the server copies the object onto itself, unless it has
// that time.
func (r *Remote) SetModTime(ctx context.Context, name string, t time.Time) error {
	at, err := r.begin(ctx, "setmodtime", name)
	if err != nil {
		return err
	}
	if err := r.CheckTime(name, t); err != nil {
		return err
	}
	if !at.object() || at == r.root {
		return fail("setmodtime", name, remote.ErrUnsupported)
	}
	info, isDir, err := r.lookAt(ctx, at)
	if err == nil && isDir {
		err = remote.ErrUnsupported // a directory has no time
	}
	if err != nil {
		return r.explain(ctx, "setmodtime", name, err)
	}
	if old, _ := modTime(info); old.Equal(t) {
		return nil
	}
	_, err = r.copyObject(ctx, at, at, info, t)
	return r.explain(ctx, "setmodtime", name, err)
}

// CheckTime implements remote.TimeChecker.
func (r *Remote) CheckTime(name string, t time.Time) error {
	if kept, ok := parseTime(formatTime(t)); !ok || !kept.Equal(t) {
		return fail("checktime", name, remote.ErrInvalid)
	}
	return nil
}

// errDirectory says that pair has found a directory.
var errDirectory = fmt.Errorf("%w for a directory", remote.ErrUnsupported)

// pair looks at a file and at the name that it is to get.
func (r *Remote) pair(ctx context.Context, op, from, to string) (source, target place, info minio.ObjectInfo, err error) {
	if source, err = r.begin(ctx, op, from); err != nil {
		return
	}
	if target, err = r.begin(ctx, op, to); err != nil {
		return
	}
	if !source.object() || source == r.root {
		err = fail(op, from, remote.ErrUnsupported)
		return
	}
	isDir := false
	if info, isDir, err = r.lookAt(ctx, source); err == nil && isDir {
		err = errDirectory
	}
	if err == nil && source != target {
		err = r.free(ctx, target)
	}
	err = r.explain(ctx, op, from, err)
	return
}

// copyObject lets the server copy an object with all that is known of it. Its modification time
// becomes t; that of the original, if t is zero. It returns the ETag of the copy.
func (r *Remote) copyObject(ctx context.Context, from, to place, info minio.ObjectInfo, t time.Time) (etag string, err error) {
	old, set := modTime(info)
	replace := !set || !t.IsZero()
	if t.IsZero() {
		t = old
	}
	if info.Size > r.opt.CopyCutoff {
		done, err := r.copyInParts(ctx, from, to, info, t)
		if err != nil {
			return "", err
		}
		etag = done.ETag
	} else {
		header := r.copyHeader(info)
		maps.Copy(header, r.copyFacts(to, info, t, replace))
		done, err := r.once.CopyObject(ctx, from.bucket, from.key, to.bucket, to.key, header, minio.CopySrcOptions{}, minio.PutObjectOptions{})
		if err != nil {
			return "", err
		}
		etag = done.ETag
	}
	r.rememberTime(to, etag, t)
	r.dirs.Stored(to.name())
	return etag, nil
}

// copyFacts are the headers that say what a copy is to be besides its content. The server copies
// what the original says of itself, unless that is to be replaced, and never the storage class.
func (r *Remote) copyFacts(to place, info minio.ObjectInfo, t time.Time, replace bool) map[string]string {
	header := map[string]string{}
	o := r.putOptions(to, time.Time{})
	if replace {
		header["x-amz-metadata-directive"] = "REPLACE"
		describeAs(&o, info)
		setTimeOf(&o, t)
	}
	o.StorageClass = cmp.Or(o.StorageClass, classOf(info))
	for k, v := range o.Header() {
		if replace || k != "Content-Type" {
			header[k] = v[0]
		}
	}
	return header
}

// copyInParts copies an object that is too long to be copied at once.
func (r *Remote) copyInParts(ctx context.Context, from, to place, info minio.ObjectInfo, t time.Time) (minio.UploadInfo, error) {
	o, err := r.keptOptions(ctx, to, from, info)
	if err != nil {
		return minio.UploadInfo{}, err
	}
	setTimeOf(&o, t)
	m := r.startMultipart(ctx, to, o, true)
	err = m.copyFrom(from, info, info.Size)
	if err == nil {
		var done minio.UploadInfo
		if done, err = m.complete(ctx, info.Size); err == nil {
			return done, nil
		}
	}
	_ = m.abort() // what failed first is what matters
	return minio.UploadInfo{}, err
}
