package cache

import (
	"encoding/binary"
	"math"
	"time"
)

// A fieldReader decodes the value of one header field. A malformed value sets bad.
type fieldReader struct {
	rest []byte
	bad  bool
}

func (f *fieldReader) text() string {
	s := string(f.rest)
	f.rest = nil
	return s
}

// bytes decodes a string that more follows.
func (f *fieldReader) bytes() string {
	n := f.uint()
	if n > uint64(len(f.rest)) {
		f.bad = true
		return ""
	}
	s := string(f.rest[:n])
	f.rest = f.rest[n:]
	return s
}

func (f *fieldReader) uint() uint64 {
	v, n := binary.Uvarint(f.rest)
	if n <= 0 {
		f.bad = true
		return 0
	}
	f.rest = f.rest[n:]
	return v
}

func (f *fieldReader) upTo(limit uint64) uint64 {
	v := f.uint()
	if v > limit {
		f.bad = true
		return 0
	}
	return v
}

func (f *fieldReader) length() int64 { return int64(f.upTo(math.MaxInt64)) }

func (f *fieldReader) time() time.Time {
	sec, n := binary.Varint(f.rest)
	if n <= 0 {
		f.bad = true
		return time.Time{}
	}
	f.rest = f.rest[n:]
	return time.Unix(sec, int64(f.upTo(1e9-1))).UTC()
}
