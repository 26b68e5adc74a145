package ftp

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

var asciiTexts = []struct{ local, wire string }{
	{"", ""},
	{"a", "a"},
	{"\n", "\r\n"},
	{"a\nb\n", "a\r\nb\r\n"},
	{"\n\n\n", "\r\n\r\n\r\n"},
	{"a\rb", "a\rb"},
	{"a\r", "a\r"},
	{"a\r\rb\n", "a\r\rb\r\n"},
	{strings.Repeat("line\n", 20000), strings.Repeat("line\r\n", 20000)},
	{strings.Repeat("x", 3*asciiBufferSize), strings.Repeat("x", 3*asciiBufferSize)},
}

func TestASCIIWriter(t *testing.T) {
	texts := append(asciiTexts, struct{ local, wire string }{"a\r\nb\r\r\n", "a\r\nb\r\r\n"})
	for _, tt := range texts {
		for _, step := range []int{1, 2, 3, 7, asciiBufferSize, 1 << 20} {
			var wire bytes.Buffer
			w := newASCIIWriter(&wire)
			for p := []byte(tt.local); len(p) > 0; {
				n, err := w.Write(p[:min(step, len(p))])
				if n != min(step, len(p)) || err != nil {
					t.Fatalf("Write returned %d, %v", n, err)
				}
				p = p[n:]
			}
			if wire.String() != tt.wire {
				t.Errorf("%.20q in steps of %d goes out as %.20q; want %.20q", tt.local, step, wire.String(), tt.wire)
			}
		}
	}
}

func TestASCIIReader(t *testing.T) {
	texts := append(asciiTexts, struct{ local, wire string }{"a\nb\r\n\n", "a\nb\r\r\n\n"})
	for _, tt := range texts {
		for name, wrap := range map[string]func(io.Reader) io.Reader{
			"at once":      func(r io.Reader) io.Reader { return r },
			"by byte":      iotest.OneByteReader,
			"data and EOF": iotest.DataErrReader,
		} {
			got, err := io.ReadAll(newASCIIReader(wrap(strings.NewReader(tt.wire))))
			if err != nil || string(got) != tt.local {
				t.Errorf("%.20q, %s: %.20q, %v; want %.20q", tt.wire, name, got, err, tt.local)
			}
			got, err = io.ReadAll(iotest.OneByteReader(newASCIIReader(wrap(strings.NewReader(tt.wire)))))
			if err != nil || string(got) != tt.local {
				t.Errorf("%.20q, %s, read by byte: %.20q, %v; want %.20q", tt.wire, name, got, err, tt.local)
			}
		}
	}
}

func TestASCIIErrors(t *testing.T) {
	broken := errors.New("broken")
	got, err := io.ReadAll(newASCIIReader(io.MultiReader(strings.NewReader("a\r\nb\r"), iotest.ErrReader(broken))))
	if string(got) != "a\nb" || !errors.Is(err, broken) {
		t.Errorf("read %q, %v; want what came before the error", got, err)
	}
	w := newASCIIWriter(iotestWriter{broken})
	if n, err := w.Write([]byte("a\n")); n != 0 || !errors.Is(err, broken) {
		t.Errorf("Write returned %d, %v; want the error of the connection", n, err)
	}
}

type iotestWriter struct{ err error }

func (w iotestWriter) Write([]byte) (int, error) { return 0, w.err }

func FuzzASCII(f *testing.F) {
	f.Add([]byte("a\r\nb\rc\n\r"), uint8(3))
	f.Fuzz(func(t *testing.T, local []byte, step uint8) {
		var wire bytes.Buffer
		w := newASCIIWriter(&wire)
		size := int(step) + 1
		for p := local; len(p) > 0; p = p[min(size, len(p)):] {
			if _, err := w.Write(p[:min(size, len(p))]); err != nil {
				t.Fatal(err)
			}
		}
		want := bytes.ReplaceAll(bytes.ReplaceAll(local, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
		if !bytes.Equal(wire.Bytes(), want) {
			t.Fatalf("%q goes out as %q; want %q", local, wire.Bytes(), want)
		}
		got, err := io.ReadAll(newASCIIReader(&stepReader{wire.Bytes(), size}))
		if back := bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n")); err != nil || !bytes.Equal(got, back) {
			t.Fatalf("%q comes in as %q, %v; want %q", want, got, err, back)
		}
	})
}

// stepReader gives at most step bytes at a time.
type stepReader struct {
	rest []byte
	step int
}

func (r *stepReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), r.step)], r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
