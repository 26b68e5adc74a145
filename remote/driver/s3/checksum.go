package s3

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"maps"
	"net/http"
	"net/netip"

	"github.com/minio/minio-go/v7"
)

// The parts of an upload are signed with their content, or, where that is enough, carry a CRC-32C,
// which costs both sides a small part of it. It is enough where nobody on the way can change what
// is sent, because it is encrypted or does not leave this machine: then the checksum only has to
// find accidents.

const (
	algorithmHeader = "x-amz-checksum-algorithm"
	sumHeader       = "X-Amz-Checksum-Crc32c"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errDamaged = errors.New("the server has received something else than was sent")

// crc32c returns the checksum of content as S3 writes it.
func crc32c(content []byte) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.Checksum(content, castagnoli)))
}

// sumsEnough reports whether checksums are enough for the parts of an upload.
func (o *Options) sumsEnough() bool {
	if o.UnsignedPayload || o.V2Auth {
		return false // those have a Content-MD5, or want none
	}
	ip, err := netip.ParseAddr(hostOnly(o.host))
	return o.secure || err == nil && ip.IsLoopback()
}

// newUpload begins a multipart upload, and reports whether its parts are to carry checksums. With
// copies among the parts they cannot: those have none that is known here. A server that refuses to
// hear of checksums is not asked again.
func (r *Remote) newUpload(ctx context.Context, at place, o minio.PutObjectOptions, copies bool) (id string, sums bool, err error) {
	try := !copies && r.opt.sumsEnough() && !r.noSums.Load()
	if try {
		summed := o
		summed.UserMetadata = maps.Clone(o.UserMetadata)
		summed.UserMetadata[algorithmHeader] = "CRC32C"
		id, err = r.again.NewMultipartUpload(ctx, at.Bucket, at.Name, summed)
		if !isRefusal(err) {
			return id, err == nil, err
		}
	}
	id, err = r.again.NewMultipartUpload(ctx, at.Bucket, at.Name, o)
	if try && err == nil {
		r.noSums.Store(true)
	}
	return id, false, err
}

// isRefusal reports whether err says that the server does not want a request as it is.
func isRefusal(err error) bool {
	var e minio.ErrorResponse
	return errors.As(err, &e) && (e.StatusCode == http.StatusBadRequest || e.StatusCode == http.StatusNotImplemented)
}

// put stores content as the n-th part.
func (m *multipart) put(ctx context.Context, id string, n int, content []byte) (minio.CompletePart, error) {
	o := minio.PutObjectPartOptions{DisableContentSha256: true, SSE: m.r.opt.customer()}
	sum := ""
	if m.sums {
		sum = crc32c(content)
		o.CustomHeader = http.Header{sumHeader: {sum}}
	} else {
		o.Md5Base64, o.Sha256Hex = m.r.digests(content)
	}
	p, err := m.r.again.PutObjectPart(ctx, m.at.Bucket, m.at.Name, id, n, bytes.NewReader(content), int64(len(content)), o)
	if err != nil {
		return minio.CompletePart{}, err
	}
	part := minio.CompletePart{PartNumber: n, ETag: p.ETag}
	switch {
	case !m.sums:
	case p.ChecksumCRC32C == sum:
		part.ChecksumCRC32C = sum
	case p.ChecksumCRC32C == "": // nobody has looked at it
		m.r.noSums.Store(true)
	default:
		return part, errDamaged
	}
	return part, nil
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
