package s3

import (
	"encoding/json"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
)

// sentParts is what objects.Sent keeps of a multipart upload.
type sentParts struct {
	ID    string     `json:"id"`
	Sums  bool       `json:"sums,omitempty"` // parts carry checksums
	Parts []sentPart `json:"parts"`
}

// A sentPart is one that the server has confirmed.
type sentPart struct {
	N      int    `json:"n"`
	ETag   string `json:"etag"`
	Size   int64  `json:"size"`
	CRC32C string `json:"crc32c,omitempty"`
}

// sentOf reads what another process has written down.
func sentOf(sent objects.Sent) (sentParts, error) {
	var p sentParts
	if err := json.Unmarshal(sent.State, &p); err != nil || p.ID == "" {
		return p, remote.ErrNotExist
	}
	size := int64(0)
	for _, part := range p.Parts {
		size += part.Size
	}
	if size != sent.Size {
		return p, remote.ErrNotExist
	}
	return p, nil
}

// sent returns p as package objects keeps it.
func (p sentParts) sent() objects.Sent {
	var s objects.Sent
	for _, part := range p.Parts {
		s.Size += part.Size
	}
	if s.Size == 0 {
		return objects.Sent{}
	}
	s.State, _ = json.Marshal(p) // never fails
	return s
}
