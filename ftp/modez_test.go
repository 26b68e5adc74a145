package ftp

import (
	"bytes"
	"compress/zlib"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

func TestOptsModeZ(t *testing.T) {
	for _, tt := range []struct {
		arg  string
		want int // -1 = refused
	}{
		{"Z LEVEL 9", 9},
		{"z level 0", 0},
		{"Z", 6},
		{"Z ENGINE ZLIB LEVEL 1", 1},
		{"Z METHOD 8", 6},
		{"Z LEVEL 10", -1},
		{"Z LEVEL -1", -1},
		{"Z LEVEL", -1},
		{"Z ENGINE LZO", -1},
		{"Z METHOD 9", -1},
		{"Z SPEED 9", -1},
		{"S", -1},
		{"", -1},
	} {
		level, err := parseOptsModeZ(tt.arg, 6)
		if tt.want < 0 && (!errors.Is(err, errSyntax) || level != 6) || tt.want >= 0 && (err != nil || level != tt.want) {
			t.Errorf("OPTS MODE %s: level %d, %v; want %d", tt.arg, level, err, tt.want)
		}
	}
}

// compressed returns data as a client sends it in MODE Z.
func compressed(data []byte, level int) []byte {
	var b bytes.Buffer
	w := newModeZWriter(&b, level)
	defer w.release()
	w.Write(data)
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func TestModeZ(t *testing.T) {
	noise := make([]byte, 200<<10)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	for _, data := range [][]byte{nil, []byte("a"), []byte(strings.Repeat("text ", 50000)), noise} {
		for level := range zlib.BestCompression + 1 {
			// Twice, so that the second takes what the first has given back.
			for range 2 {
				r := newModeZReader(iotest.HalfReader(bytes.NewReader(compressed(data, level))))
				got, err := io.ReadAll(r)
				if err != nil || !bytes.Equal(got, data) {
					t.Errorf("%d bytes at level %d come back as %d, %v", len(data), level, len(got), err)
				}
				if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
					t.Errorf("a read behind the end returned %d, %v", n, err)
				}
				r.release()
			}
		}
	}
}

// Every way to cut or damage a stream is an error, and the next transfer is not disturbed by it.
func TestModeZDamaged(t *testing.T) {
	data := []byte(strings.Repeat("some text that compresses. ", 100))
	whole := compressed(data, modeZLevel)
	read := func(r io.Reader) ([]byte, error) {
		z := newModeZReader(r)
		defer z.release()
		return io.ReadAll(z)
	}
	for cut := range len(whole) {
		if _, err := read(bytes.NewReader(whole[:cut])); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut after %d of %d bytes: %v; want io.ErrUnexpectedEOF", cut, len(whole), err)
		}
	}
	for i := range len(whole) {
		damaged := bytes.Clone(whole)
		damaged[i] ^= 0x10
		if got, err := read(bytes.NewReader(damaged)); err == nil {
			t.Errorf("byte %d changed: read %d bytes without an error", i, len(got))
		}
	}
	if _, err := read(io.MultiReader(bytes.NewReader(whole), strings.NewReader("x"))); !errors.Is(err, errAfterStream) {
		t.Errorf("with a byte behind the stream: %v", err)
	}
	reset := errors.New("connection reset")
	if _, err := read(io.MultiReader(bytes.NewReader(whole), iotest.ErrReader(reset))); !errors.Is(err, reset) {
		t.Errorf("reset behind the stream: %v", err)
	}
	if got, err := read(bytes.NewReader(whole)); err != nil || !bytes.Equal(got, data) {
		t.Errorf("after all that: %d bytes, %v", len(got), err)
	}
}

func TestModeZRelease(t *testing.T) {
	var b bytes.Buffer
	w := newModeZWriter(&b, modeZLevel)
	w.Write([]byte("a transfer that fails"))
	w.release()
	w.release()
	if _, err := io.ReadAll(newModeZReader(&b)); err == nil {
		t.Errorf("a stream that was never closed reads as a whole one")
	}
	r := newModeZReader(strings.NewReader(""))
	r.release()
	r.release()
	if n, err := r.Read(make([]byte, 1)); n != 0 || err == nil || err == io.EOF {
		t.Errorf("a read after release returned %d, %v", n, err)
	}
	if _, err := newModeZWriter(iotestWriter{io.ErrClosedPipe}, modeZLevel).Write(make([]byte, 1)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a write to a broken connection: %v", err)
	}
}

func FuzzModeZ(f *testing.F) {
	f.Add([]byte("text"), []byte{})
	f.Add([]byte{}, compressed([]byte("text"), 9))
	f.Fuzz(func(t *testing.T, data, stream []byte) {
		r := newModeZReader(bytes.NewReader(compressed(data, len(data)%10)))
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%q comes back as %q, %v", data, got, err)
		}
		r.release()
		// Whatever a client sends ends in an error or in a stream that zlib calls whole.
		r = newModeZReader(bytes.NewReader(stream))
		defer r.release()
		const enough = 1 << 20
		got, err = io.ReadAll(io.LimitReader(r, enough))
		if err == nil && len(got) < enough {
			z, zerr := zlib.NewReader(bytes.NewReader(stream))
			if zerr != nil {
				t.Fatalf("%q: accepted, but %v", stream, zerr)
			}
			if want, zerr := io.ReadAll(z); zerr != nil || !bytes.Equal(got, want) {
				t.Fatalf("%q: accepted as %q, but %v", stream, got, zerr)
			}
		}
	})
}
