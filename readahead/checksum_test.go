package readahead

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"ferry/cache"
	"ferry/disk/disktest"
	"ferry/remote"
)

// summing is a remote that reports checksums, on request wrong ones.
type summing struct {
	*far
	digest remote.Digest
	size   int64 // that is told; 0 = the real one
}

// Stat returns the same description as a read.
func (s *summing) Stat(ctx context.Context, name string) (remote.Entry, error) {
	e, err := s.far.Stat(ctx, name)
	e.Digest = s.digest
	return e, err
}

func (s *summing) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	r, err := s.far.Open(ctx, name, off, n)
	if err != nil {
		return nil, err
	}
	e, _ := remote.Describe(r)
	e.Digest = s.digest
	if s.size > 0 {
		e.Size = s.size
	}
	return described{r, e}, nil
}

type described struct {
	io.ReadCloser
	entry remote.Entry
}

func (d described) Described() (remote.Entry, bool) { return d.entry, true }

// newSumming serves f of that size, in the first 10 bytes of which is told what is not there if
// wrong.
func newSumming(t *testing.T, o Options, size int, wrong bool) (*Tree, []byte) {
	t.Helper()
	b := newBehind(t, Options{})
	data := content(size)
	b.put("f", data)
	sum := md5.Sum(data)
	if wrong {
		sum[0]++
	}
	tree := New(&summing{far: b.far, digest: remote.NewDigest(remote.MD5, sum[:])}, o)
	t.Cleanup(func() { tree.Close() })
	return tree, data
}

func TestTheChecksumIsComparedAtTheEndOfAWholeRead(t *testing.T) {
	for _, size := range []int{1, blockSize, 3 * blockSize} {
		for _, o := range []Options{{}, sixteenMegabytes(), {Buffer: mib, Chunks: &Chunks{Size: mib / 4, Streams: 2}}} {
			for _, wrong := range []bool{false, true} {
				t.Run(fmt.Sprint(size, o.Buffer, o.Chunks != nil, wrong), func(t *testing.T) {
					v, data := newSumming(t, o, size, wrong)
					checkRead(t, v, data, wrong, func(w io.Writer, r io.Reader) (int64, error) { return io.Copy(w, r) })
					checkRead(t, v, data, wrong, func(w io.Writer, r io.Reader) (int64, error) {
						return io.Copy(w, struct{ io.Reader }{r})
					})
				})
			}
		}
	}
}

func checkRead(t *testing.T, v *Tree, data []byte, wrong bool, copyAll func(io.Writer, io.Reader) (int64, error)) {
	t.Helper()
	r, err := v.Open(t.Context(), "f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var got bytes.Buffer
	_, err = copyAll(&got, r)
	if !bytes.Equal(got.Bytes(), data) {
		t.Errorf("%d bytes came", got.Len())
	}
	if !wrong {
		if err != nil {
			t.Error(err)
		}
		return
	}
	var h interface{ Hint() string }
	if !errors.Is(err, remote.ErrDigest) || !errors.As(err, &h) || !strings.Contains(h.Hint(), "--no-checksum") {
		t.Errorf("a content with another checksum ended with %v", err)
	}
}

// Of a copy that is not whole the beginning is held, and wrong.
func TestWhatIsHeldIsComparedToo(t *testing.T) {
	d := disktest.New()
	store, err := cache.Open(d, cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	v, data := newSumming(t, Options{Buffer: mib, Store: store}, 16*mib, false)
	r, err := v.Open(t.Context(), "f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, mib)); err != nil {
		t.Fatal(err)
	}
	r.Close()
	for _, name := range d.Files() {
		if f, err := d.OpenFile(name, os.O_RDWR); err == nil && strings.HasPrefix(name, "clean/") {
			f.WriteAt([]byte{0, 0, 0}, 16384+1000)
			f.Close()
		}
	}
	read := func() ([]byte, error) {
		r, err := v.Open(t.Context(), "f", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		return io.ReadAll(r)
	}
	if got, err := read(); !errors.Is(err, remote.ErrDigest) || bytes.Equal(got, data) {
		t.Errorf("what is wrong ended with %v", err)
	}
	for range 2 {
		if got, err := read(); err != nil || !bytes.Equal(got, data) {
			t.Errorf("then %d bytes came, %v", len(got), err)
		}
	}
}

func TestChecksumsThatAreNotCompared(t *testing.T) {
	read := func(v *Tree, off int64) error {
		r, err := v.Open(t.Context(), "f", off, -1)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		_, err = io.Copy(io.Discard, r)
		return err
	}
	v, _ := newSumming(t, Options{Checksums: ChecksumsOff}, 1000, true)
	if err := read(v, 0); err != nil {
		t.Errorf("with --no-checksum: %v", err)
	}
	v, _ = newSumming(t, Options{}, 1000, true)
	if err := read(v, 1); err != nil {
		t.Errorf("from the second byte on: %v", err)
	}
	r, err := v.Open(t.Context(), "f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, 500)); err != nil {
		t.Errorf("half of it: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// A large MD5 sum is computed for those who ask for it: its reader is another one.
func TestTheMD5OfLargeFilesIsComparedOnDemand(t *testing.T) {
	for o, want := range map[Checksums]bool{ChecksumsCheap: false, ChecksumsAll: true} {
		v, _ := newSumming(t, Options{Checksums: o}, 1000, true)
		s := v.Remote.(*summing)
		s.size = 64<<20 + 1
		r, err := v.Open(t.Context(), "f", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		if _, got := r.(*checkedReader); got != want {
			t.Errorf("mode %d: it is compared: %v", o, got)
		}
		r.Close()
		s.digest = remote.NewDigest(remote.CRC32C, []byte("1234"))
		r, err = v.Open(t.Context(), "f", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		if _, got := r.(*checkedReader); !got {
			t.Errorf("mode %d: a CRC32C is not compared", o)
		}
		r.Close()
	}
}

func TestWhatHasAnotherChecksumIsNotKept(t *testing.T) {
	for _, wrong := range []bool{true, false} {
		s, err := cache.Open(disktest.New(), cache.Options{})
		if err != nil {
			t.Fatal(err)
		}
		o := sixteenMegabytes()
		o.Store = s
		v, _ := newSumming(t, o, 3*blockSize, wrong)
		for _, compared := range []bool{true, wrong} { // what is held was compared when it came
			r, err := v.Open(t.Context(), "f", 0, -1)
			if err != nil {
				t.Fatal(err)
			}
			if e, _ := remote.Describe(r); (e.Digest != "") != compared {
				t.Errorf("the digest of the reader is %q", e.Digest)
			}
			if _, err := io.Copy(io.Discard, r); errors.Is(err, remote.ErrDigest) != wrong {
				t.Errorf("the read ended with %v", err)
			}
			r.Close()
		}
		if _, held := s.Last("f"); held == wrong {
			t.Errorf("held: %v, with a wrong checksum: %v", held, wrong)
		}
	}
}
