package s3

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"

	"github.com/minio/minio-go/v7"

	"ferry/remote"
)

// md5Header is where rclone keeps the MD5 sum of an object that was stored in parts, in base64.
const md5Header = "Md5chksum"

// Hash implements remote.Hasher: the server knows the MD5 sum of what was stored in one piece.
func (r *Remote) Hash(ctx context.Context, name, algorithm string) ([]byte, error) {
	at, err := r.begin(ctx, "hash", name)
	if err != nil {
		return nil, err
	}
	if algorithm != "md5" {
		return nil, fail("hash", name, remote.ErrUnsupported)
	}
	if !at.object() || at == r.root {
		return nil, fail("hash", name, remote.ErrIsDir)
	}
	info, err := r.headFile(ctx, at)
	if err != nil {
		return nil, r.explain(ctx, "hash", name, err)
	}
	if sum := md5Of(info); sum != nil {
		return sum, nil
	}
	return nil, fail("hash", name, remote.ErrUnsupported)
}

// md5Of returns what is known of an object's MD5 sum. An ETag is one only where nothing is
// encrypted with a key that the server does not hold by itself.
func md5Of(info minio.ObjectInfo) []byte {
	if sum, err := base64.StdEncoding.DecodeString(info.UserMetadata[md5Header]); err == nil && len(sum) == md5.Size {
		return sum
	}
	h := info.Headers
	if sse := h.Get("X-Amz-Server-Side-Encryption"); sse != "" && sse != "AES256" ||
		h.Get("X-Amz-Server-Side-Encryption-Customer-Algorithm") != "" {
		return nil
	}
	if sum, err := hex.DecodeString(info.ETag); err == nil && len(sum) == md5.Size {
		return sum
	}
	return nil
}
