package remote

import (
	"bytes"
	"crypto/md5"
	"testing"
)

func TestDigests(t *testing.T) {
	sum := md5.Sum([]byte("content"))
	for _, tt := range []struct {
		digest    Digest
		algorithm string
	}{
		{NewDigest(MD5, sum[:]), MD5},
		{NewDigest(CRC32C, []byte("\x61\xaf\x75\x33")), CRC32C},
	} {
		if got := tt.digest.Algorithm(); got != tt.algorithm {
			t.Errorf("%q is of %q", tt.digest, got)
		}
		h := tt.digest.New()
		h.Write([]byte("cont"))
		if tt.digest.Is(h) {
			t.Errorf("%s: half of the content has the sum of the whole", tt.algorithm)
		}
		h.Write([]byte("ent"))
		if !tt.digest.Is(h) {
			t.Errorf("%s: the content has the sum %x", tt.algorithm, h.Sum(nil))
		}
	}
	if d := NewDigest(MD5, nil); d != "" || d.Algorithm() != "" || d.New() != nil {
		t.Errorf("no sum is %q", d)
	}
	colons := NewDigest(MD5, bytes.Repeat([]byte(":"), md5.Size)) // a sum may hold any byte
	if colons.Algorithm() != MD5 || colons.New() == nil {
		t.Errorf("%q is of %q", colons, colons.Algorithm())
	}
	if NewDigest("sha3", []byte("x")).New() != nil {
		t.Error("an algorithm that nobody knows has a hash")
	}
}
