package s3

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"time"

	"github.com/minio/minio-go/v7"
)

// An upload collects the content of a file, and sends it in parts when it is longer than one. It is
// used by one goroutine.
type upload struct {
	r       *Remote
	at      place
	options minio.PutObjectOptions     // of the object, but for the time
	modTime time.Time                  // zero = that of the upload
	begin   func() (*multipart, error) // begins to send parts
	fail    func(error) error          // makes an error of this package of one that sending gave
	part    int64                      // how long a part is; 0 = as partSize says, because the size is not known

	buf   []byte     // what was not sent yet
	taken int64      // how many bytes there are, sent or not
	parts *multipart // nil as long as there is at most one part
}

func (u *upload) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		if err := u.makeRoom(); err != nil {
			return written, err
		}
		n := min(cap(u.buf)-len(u.buf), len(p))
		u.buf = append(u.buf, p[:n]...)
		u.taken += int64(n)
		written += n
		p = p[n:]
	}
	return written, nil
}

// ReadFrom takes all that src gives.
func (u *upload) ReadFrom(src io.Reader) (int64, error) {
	var total int64
	for {
		if err := u.makeRoom(); err != nil {
			return total, err
		}
		n, err := src.Read(u.buf[len(u.buf):cap(u.buf)])
		u.buf = u.buf[:len(u.buf)+n]
		u.taken += int64(n)
		total += int64(n)
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

// makeRoom makes the buffer larger, or sends it when it has the size of a part.
func (u *upload) makeRoom() error {
	if len(u.buf) < cap(u.buf) {
		return nil
	}
	size := u.part
	if size == 0 {
		size = u.r.partSize(u.number())
	}
	if int64(len(u.buf)) < size {
		u.buf = grow(u.buf, size)
		return nil
	}
	if err := u.inParts(); err != nil {
		return err
	}
	if err := u.parts.send(u.buf); err != nil {
		return u.fail(err)
	}
	u.buf = u.parts.buffer(u.part)
	return nil
}

// inParts begins to send parts, unless that has begun.
func (u *upload) inParts() error {
	if u.parts != nil {
		return nil
	}
	parts, err := u.begin()
	if err != nil {
		return u.fail(err)
	}
	u.parts = parts
	return nil
}

// number returns the number of the part that is being collected.
func (u *upload) number() int {
	if u.parts == nil {
		return 1
	}
	return u.parts.next
}

// finish publishes the file. When it fails, the upload is still to be dropped. Once a part could
// not be sent, nothing helps any more.
func (u *upload) finish(ctx context.Context) (minio.UploadInfo, error) {
	if u.parts != nil {
		if _, err := u.parts.state(); err != nil {
			return minio.UploadInfo{}, err
		}
	}
	if err := u.r.stillFree(ctx, u.at, u.parts != nil); err != nil {
		return minio.UploadInfo{}, repeated(err)
	}
	info, err := u.publish(ctx)
	if err != nil {
		return minio.UploadInfo{}, repeated(err)
	}
	u.r.rememberTime(u.at, info.ETag, u.modTime)
	u.r.dirs.Stored(u.at.name())
	return info, nil
}

func (u *upload) publish(ctx context.Context) (minio.UploadInfo, error) {
	if u.parts == nil {
		o := u.options
		setTimeOf(&o, u.modTime)
		return u.r.putWhole(ctx, u.at, u.buf, o)
	}
	if len(u.buf) > 0 {
		if err := u.parts.send(u.buf); err != nil {
			return minio.UploadInfo{}, err
		}
		u.buf = nil
	}
	return u.parts.complete(ctx, u.taken)
}

// putWhole stores a file in one request.
func (r *Remote) putWhole(ctx context.Context, at place, content []byte, o minio.PutObjectOptions) (minio.UploadInfo, error) {
	md5sum, sha256sum := r.digests(content)
	o.DisableContentSha256 = true // the digest is there already
	return r.again.PutObject(ctx, at.bucket, at.key, bytes.NewReader(content), int64(len(content)), md5sum, sha256sum, o)
}

// digests returns what a request that sends content has in its header: a SHA-256 for the signature,
// or a Content-MD5.
func (r *Remote) digests(content []byte) (md5sum, sha256sum string) {
	if r.opt.UnsignedPayload || r.opt.V2Auth {
		if r.opt.DisableChecksum {
			return "", ""
		}
		sum := md5.Sum(content)
		return base64.StdEncoding.EncodeToString(sum[:]), ""
	}
	sum := sha256.Sum256(content)
	return "", hex.EncodeToString(sum[:])
}
