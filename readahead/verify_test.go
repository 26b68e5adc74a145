package readahead

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"io"
	"os"
	"strings"
	"testing"

	"ferry/disk/disktest"
	"ferry/remote"
	"ferry/remote/wrap/faulty"
)

// newSummed is a Tree with a copy of f on the disk d, of which the remote tells the checksum.
func newSummed(t *testing.T, d *disktest.Disk, size int) (*behind, []byte) {
	t.Helper()
	b := newBehind(t, Options{Buffer: 16 << 20, Store: openStore(t, d, 0)})
	data := content(size)
	b.put("f", data)
	sum := md5.Sum(data)
	b.below.known = func(name string) (remote.Entry, bool) {
		e, err := b.store.Stat(t.Context(), name)
		e.Digest = remote.NewDigest(remote.MD5, sum[:])
		return e, err == nil
	}
	b.wantFile("f", data)
	return b, data
}

// spoil changes a byte of what is held.
func spoil(t *testing.T, d *disktest.Disk) {
	t.Helper()
	for _, name := range d.Files() {
		if !strings.HasPrefix(name, "clean/") {
			continue
		}
		f, err := d.OpenFile(name, os.O_RDWR)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte{0, 0, 0}, 16384+1000); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
}

func TestACopyThatIsWrongIsReadFromTheRemote(t *testing.T) {
	for _, off := range []int64{0, 500} {
		d := disktest.New()
		b, data := newSummed(t, d, 3<<20)
		spoil(t, d)
		before := b.remote.Calls(faulty.Open)
		r := b.open("f", off)
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data[off:]) {
			t.Errorf("from %d on it gives %d bytes, %v", off, len(got), err)
		}
		closeReader(t, r)
		if b.remote.Calls(faulty.Open) == before {
			t.Error("the remote was not asked")
		}
		spoil(t, d)
		b.wantFile("f", data) // what was fetched is compared when it is read again
		before = b.remote.Calls(faulty.Open)
		b.wantFile("f", data)
		if b.remote.Calls(faulty.Open) != before {
			t.Error("a copy that is right was not read")
		}
	}
}

func TestACopyIsComparedOnce(t *testing.T) {
	d := disktest.New()
	b, data := newSummed(t, d, 3<<20)
	b.wantFile("f", data)
	d.StartLog()
	before := b.remote.Calls(faulty.Open)
	r := b.open("f", 0)
	if reads := strings.Count(d.Log(), "read clean/"); reads > 2 { // slots of the header
		t.Errorf("it is read %d times before anybody reads", reads)
	}
	if e, _ := remote.Describe(r); e.Digest != "" {
		t.Error("it is to be compared again by who reads")
	}
	closeReader(t, r)
	if b.remote.Calls(faulty.Open) != before {
		t.Error("the remote was asked")
	}
}

func TestWhoComparesACopySaysSo(t *testing.T) {
	d := disktest.New()
	b, data := newSummed(t, d, 3<<20)
	b.opt.Checksums = ChecksumsOff // not before it is read
	for _, compared := range []bool{false, true} {
		r := b.open("f", 0)
		if e, _ := remote.Describe(r); e.Digest == "" != compared {
			t.Errorf("there is the digest %x, compared before: %v", e.Digest, compared)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		r.(*reader).verified()
		closeReader(t, r)
	}
}

func TestTheHashOfAFingerprintIsADigest(t *testing.T) {
	sum := md5.Sum([]byte("x"))
	if got := digestOf("md5:" + hex.EncodeToString(sum[:])); got != remote.NewDigest(remote.MD5, sum[:]) {
		t.Errorf("%q", got)
	}
	for _, hash := range []string{"", "md5:", "crc32c:00", "md5:xyz"} {
		if got := digestOf(hash); got != "" {
			t.Errorf("%s is %q", hash, got)
		}
	}
}
