package crypt_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/crypt"
	"ferry/remote/driver/crypt/cipher"
	"ferry/remote/driver/memory"
)

// content returns n bytes without a pattern.
func content(n int) []byte {
	b := make([]byte, n)
	rng := rand.NewChaCha8([32]byte{byte(n)})
	_, _ = rng.Read(b) // never fails
	return b
}

func put(t testing.TB, r remote.Remote, name string, b []byte) {
	t.Helper()
	if _, err := r.Put(t.Context(), name, bytes.NewReader(b), remote.PutOptions{Size: int64(len(b))}); err != nil {
		t.Fatal(err)
	}
}

func get(ctx context.Context, r remote.Remote, name string, off, n int64) ([]byte, error) {
	f, err := r.Open(ctx, name, off, n)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// only returns the only name in the root of r.
func only(t testing.TB, r remote.Remote) string {
	t.Helper()
	var names []string
	for e, err := range r.List(t.Context(), ".") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, e.Name)
	}
	if len(names) != 1 {
		t.Fatalf("there are %q", names)
	}
	return names[0]
}

// raw returns what is stored below, which holds one file.
func raw(t testing.TB, below remote.Remote) (name string, b []byte) {
	t.Helper()
	name = only(t, below)
	b, err := get(t.Context(), below, name, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	return name, b
}

const blocks3 = 2*cipher.BlockData + 100 // three blocks, the last one short

// TestWhatWasChangedIsAnError flips bits all over a file: what is read of it are bytes that were
// written, and an error takes the place of those that were not.
func TestWhatWasChangedIsAnError(t *testing.T) {
	below := memory.New()
	r := open(t, below, crypt.Options{})
	want := content(blocks3)
	put(t, r, "f", want)
	name, stored := raw(t, below)
	var places []int
	for i := range 64 {
		places = append(places, i)
	}
	for _, block := range []int{32, 32 + cipher.BlockSize, 32 + 2*cipher.BlockSize} {
		places = append(places, block-1, block, block+15, block+16, block+17)
	}
	for i := range 20 {
		places = append(places, i*len(stored)/20, len(stored)-1-i)
	}
	for _, at := range places {
		changed := bytes.Clone(stored)
		changed[at] ^= 1 << (at % 8)
		put(t, below, name, changed)
		got, err := get(t.Context(), r, "f", 0, -1)
		if err == nil || !remote.Permanent(err) {
			t.Errorf("byte %d is changed: %v", at, err)
		}
		block := (at - 32) / cipher.BlockSize
		if at < 32 {
			block = 0
		}
		if !bytes.Equal(got, want[:block*cipher.BlockData]) {
			t.Errorf("byte %d is changed, and %d bytes are read", at, len(got))
		}
		if behind := int64(block+1) * cipher.BlockData; at >= 32 && behind < int64(len(want)) {
			if got, err := get(t.Context(), r, "f", behind, -1); err != nil || !bytes.Equal(got, want[behind:]) {
				t.Errorf("byte %d is changed: what follows its block is %d bytes, %v", at, len(got), err)
			}
		}
	}
}

// shortened is a remote that tells the whole size of its files, and gives less.
type shortened struct {
	remote.Remote
	by        int64
	described bool
}

func (s shortened) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	e, err := s.Stat(ctx, name)
	if err != nil {
		return nil, err
	}
	f, err := s.Remote.Open(ctx, name, off, n)
	if err != nil {
		return nil, err
	}
	limited := struct {
		io.Reader
		io.Closer
	}{io.LimitReader(f, max(e.Size-s.by-off, 0)), f}
	if s.described {
		return describedReader{limited, e}, nil
	}
	return limited, nil
}

type describedReader struct {
	io.ReadCloser
	e remote.Entry
}

func (d describedReader) Described() (remote.Entry, bool) { return d.e, true }

// TestWhatIsCutIsNoticed cuts what is received at each place that matters, also where a block
// ends.
func TestWhatIsCutIsNoticed(t *testing.T) {
	for _, size := range []int{0, 1, cipher.BlockData, 2 * cipher.BlockData, blocks3} {
		below := memory.New()
		put(t, open(t, below, crypt.Options{}), "f", content(size))
		_, stored := raw(t, below)
		total := int64(len(stored))
		for _, left := range []int64{0, 1, 31, 32, 33, 48, 49, 32 + cipher.BlockSize - 1, 32 + cipher.BlockSize, 32 + cipher.BlockSize + 16,
			32 + 2*cipher.BlockSize, total - 17, total - 16, total - 1} {
			if left < 0 || left >= total {
				continue
			}
			for _, described := range []bool{true, false} {
				r := open(t, shortened{below, total - left, described}, crypt.Options{})
				if b, err := get(t.Context(), r, "f", 0, -1); err == nil {
					t.Errorf("%d of %d bytes come (described: %v), and %d are read without an error", left, total, described, len(b))
				} else if described && remote.Permanent(err) {
					t.Errorf("%d of %d bytes come, and it is not tried again: %v", left, total, err)
				}
				if size > cipher.BlockData {
					if b, err := get(t.Context(), r, "f", cipher.BlockData+5, cipher.BlockData); err == nil && int64(len(b)) != min(int64(size)-cipher.BlockData-5, cipher.BlockData) {
						t.Errorf("%d of %d bytes come (described: %v), and %d of a range are read without an error", left, total, described, len(b))
					}
				}
			}
		}
	}
}

// TestAFileThatIsCutBelow: where a block ends there is no mark, but the size shows it; anywhere
// else it is an error.
func TestAFileThatIsCutBelow(t *testing.T) {
	below := memory.New()
	r := open(t, below, crypt.Options{})
	put(t, r, "f", content(blocks3))
	name, stored := raw(t, below)
	for _, left := range []int{0, 5, 31, 33, 48, 49, 32 + cipher.BlockSize + 16, 32 + cipher.BlockSize + 17, len(stored) - 1} {
		put(t, below, name, stored[:left])
		if b, err := get(t.Context(), r, "f", 0, -1); err == nil {
			t.Errorf("cut to %d bytes, %d are read without an error", left, len(b))
		}
	}
	for _, left := range []int{0, 31, 33, 48, 32 + cipher.BlockSize + 16} {
		put(t, below, name, stored[:left])
		if e, err := r.Stat(t.Context(), "f"); err != nil || e.Size != -1 {
			t.Errorf("cut to %d bytes, it has %d, %v", left, e.Size, err)
		}
	}
	put(t, below, name, stored[:32+cipher.BlockSize])
	if e, err := r.Stat(t.Context(), "f"); err != nil || e.Size != cipher.BlockData {
		t.Errorf("cut after its first block, it has %d, %v", e.Size, err)
	}
}

func TestPassBadBlocks(t *testing.T) {
	below := memory.New()
	r := open(t, below, crypt.Options{PassBadBlocks: true})
	want := content(blocks3)
	put(t, r, "f", want)
	name, stored := raw(t, below)
	stored[32+cipher.BlockSize+20] ^= 1
	put(t, below, name, stored)
	var log bytes.Buffer
	ctx := remote.WithLog(t.Context(), slog.New(slog.NewTextHandler(&log, nil)))
	got, err := get(ctx, r, "f", 0, -1)
	clear(want[cipher.BlockData : 2*cipher.BlockData])
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if n := strings.Count(log.String(), "pass_bad_blocks"); n != 1 {
		t.Errorf("%d warnings: %s", n, log.String())
	}
}

func TestWhatIsNotEncrypted(t *testing.T) {
	below := memory.New()
	r := open(t, below, crypt.Options{Names: cipher.Options{Names: cipher.Off}})
	put(t, below, "f.bin", []byte("this is a file of somebody who does not encrypt anything"))
	_, err := get(t.Context(), r, "f", 0, -1)
	if !errors.Is(err, cipher.ErrNotEncrypted) || !remote.Permanent(err) {
		t.Errorf("%v", err)
	}
}

// TestAnotherPassword: neither names nor contents can be read.
func TestAnotherPassword(t *testing.T) {
	below := memory.New()
	put(t, open(t, below, crypt.Options{}), "f", content(10))
	other, err := crypt.New(below, crypt.Options{Keys: cipher.Keys{Name: [32]byte{9}}})
	if err != nil {
		t.Fatal(err)
	}
	var omitted []string
	ctx := remote.WithOmitted(t.Context(), func(entry, reason string) { omitted = append(omitted, entry+": "+reason) })
	for e, err := range other.List(ctx, ".") {
		t.Errorf("%+v, %v", e, err)
	}
	if len(omitted) != 1 || !strings.Contains(omitted[0], "password") {
		t.Errorf("left out: %q", omitted)
	}
	strict, err := crypt.New(below, crypt.Options{StrictNames: true, Keys: cipher.Keys{Name: [32]byte{9}}})
	if err != nil {
		t.Fatal(err)
	}
	entry, _, _ := strings.Cut(omitted[0], ": ")
	n := 0
	for _, err := range strict.List(ctx, ".") {
		if n++; err == nil || !strings.Contains(err.Error(), "strict_names") || !strings.Contains(err.Error(), strconv.Quote(entry)) || !remote.Permanent(err) {
			t.Errorf("%v", err)
		}
	}
	if n != 1 {
		t.Errorf("%d answers", n)
	}
}
