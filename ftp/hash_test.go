package ftp

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
)

func TestHashAlgorithms(t *testing.T) {
	for _, tt := range []struct{ name, key, ofABC string }{
		{"CRC32", "crc32", "352441c2"},
		{"MD5", "md5", "900150983cd24fb0d6963f7d28e17f72"},
		{"SHA-1", "sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{"SHA-256", "sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"SHA-512", "sha512", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" +
			"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
	} {
		a := findHash(tt.name)
		if a == nil || a != findHash(tt.key) || a != findHash(strings.ToLower(tt.name)) || a.key != tt.key {
			t.Fatalf("%s and %s are not one algorithm", tt.name, tt.key)
		}
		h := a.new()
		n, err := digestReader(t.Context(), h, strings.NewReader("abc"), -1)
		if got := hex.EncodeToString(h.Sum(nil)); n != 3 || err != nil || got != tt.ofABC {
			t.Errorf("%s: %s, %d, %v; want %s", tt.name, got, n, err, tt.ofABC)
		}
	}
	if a := findHash("CRC-37"); a != nil {
		t.Errorf("CRC-37 is %v", a)
	}
}

func TestFeatHash(t *testing.T) {
	if got, want := featHash(&hashAlgorithms[0]), "HASH SHA-256*;SHA-1;SHA-512;MD5;CRC32"; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
	if got, want := featHash(findHash("MD5")), "HASH SHA-256;SHA-1;SHA-512;MD5*;CRC32"; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
}

func TestOptsHASH(t *testing.T) {
	current := findHash("MD5")
	for _, tt := range []struct {
		arg  string
		want string
	}{
		{"", "MD5"}, {"SHA-512", "SHA-512"}, {"sha-1", "SHA-1"}, {"crc32", "CRC32"}, {"CRC-37", ""}, {"sha256", ""}, {" MD5", ""},
	} {
		a, err := parseOptsHASH(tt.arg, current)
		if tt.want == "" && (a != nil || !errors.Is(err, errSyntax)) || tt.want != "" && (err != nil || a.name != tt.want) {
			t.Errorf("OPTS HASH %s: %v, %v; want %q", tt.arg, a, err, tt.want)
		}
	}
}

func TestFormatHash(t *testing.T) {
	for _, tt := range []struct {
		start, n int64
		want     string
	}{
		{0, 50, "SHA-1 0-49 cafe a b"},
		{10, 1, "SHA-1 10-10 cafe a b"},
		{0, 0, "SHA-1 0-0 cafe a b"},
	} {
		if got := formatHash(findHash("SHA-1"), tt.start, tt.n, []byte{0xca, 0xfe}, "a b"); got != tt.want {
			t.Errorf("got %q; want %q", got, tt.want)
		}
	}
}

func TestParseRange(t *testing.T) {
	for _, tt := range []struct {
		arg      string
		start, n int64
		ok       bool
	}{
		{"0 49", 0, 50, true},
		{"0 0", 0, 1, true},
		{"7 7", 7, 1, true},
		{"1 0", 0, -1, true},
		{"1 9223372036854775807", 1, math.MaxInt64, true},
		{"0 9223372036854775807", 0, math.MaxInt64, true},
		{"0 9223372036854775808", 0, -1, false},
		{"2 1", 0, -1, false},
		{"2 0", 0, -1, false},
		{"", 0, -1, false},
		{"1", 0, -1, false},
		{"1 ", 0, -1, false},
		{"1 2 3", 0, -1, false},
		{"-1 2", 0, -1, false},
		{"a b", 0, -1, false},
	} {
		start, n, err := parseRange(tt.arg)
		if start != tt.start || n != tt.n || (err == nil) != tt.ok {
			t.Errorf("RANG %s: %d, %d, %v; want %d, %d", tt.arg, start, n, err, tt.start, tt.n)
		}
	}
}

func TestParseXHash(t *testing.T) {
	for _, tt := range []struct {
		arg, path  string
		start, end int64
	}{
		{"name", "name", 0, -1},
		{"a b", "a b", 0, -1},
		{"file 0 100", "file 0 100", 0, -1},
		{`"a b"`, "a b", 0, -1},
		{`"a ""b"""`, `a "b"`, 0, -1},
		{`"name" 0 100`, "name", 0, 100},
		{`"name" 5 5`, "name", 5, 5},
		{`"name" 100`, "name", 0, 100},
		{`"name`, `"name`, 0, -1},
		{`"a"b`, `"a"b`, 0, -1},
		{`"a" b`, `"a" b`, 0, -1},
		{`"a" 1 b`, `"a" 1 b`, 0, -1},
		{`"a" `, `"a" `, 0, -1},
		{`"a"1 2`, `"a"1 2`, 0, -1},
		{`a"`, `a"`, 0, -1},
		{"", "", 0, 0},
		{`""`, "", 0, 0},
		{`"a" 2 1`, "", 0, 0},
		{`"a" 0 9223372036854775808`, "", 0, 0},
	} {
		path, start, end, err := parseXHash(tt.arg)
		if tt.path == "" {
			if !errors.Is(err, errSyntax) {
				t.Errorf("XMD5 %s: %q, %v; want errSyntax", tt.arg, path, err)
			}
			continue
		}
		if err != nil || path != tt.path || start != tt.start || end != tt.end {
			t.Errorf("XMD5 %s: %q, %d, %d, %v; want %q, %d, %d", tt.arg, path, start, end, err, tt.path, tt.start, tt.end)
		}
	}
}

func FuzzXHash(f *testing.F) {
	f.Add("name", int64(0), int64(-1))
	f.Add(`a " b`, int64(3), int64(7))
	f.Fuzz(func(t *testing.T, name string, start, end int64) {
		if _, _, _, err := parseXHash(name); err != nil && name != "" && name[0] != '"' {
			t.Fatalf("parseXHash(%q) = %v", name, err)
		}
		if name == "" {
			return
		}
		quoted := `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		if path, _, _, err := parseXHash(quoted); err != nil || path != name {
			t.Fatalf("parseXHash(%s) = %q, %v; want %q", quoted, path, err, name)
		}
	})
}

func TestDigestReader(t *testing.T) {
	text := strings.Repeat("0123456789", digestBufferSize/4)
	for _, tt := range []struct{ n, want int64 }{
		{-1, int64(len(text))},
		{0, 0},
		{1, 1},
		{digestBufferSize, digestBufferSize},
		{digestBufferSize + 1, digestBufferSize + 1},
		{math.MaxInt64, int64(len(text))},
	} {
		a := findHash("MD5")
		h, whole := a.new(), a.new()
		io.WriteString(whole, text[:tt.want])
		n, err := digestReader(t.Context(), h, iotest.HalfReader(strings.NewReader(text)), tt.n)
		if n != tt.want || err != nil || string(h.Sum(nil)) != string(whole.Sum(nil)) {
			t.Errorf("of %d bytes: read %d, %v; want %d and their digest", tt.n, n, err, tt.want)
		}
	}
}

func TestDigestReaderFails(t *testing.T) {
	broken := errors.New("broken")
	r := io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken))
	if n, err := digestReader(t.Context(), findHash("MD5").new(), r, -1); n != 3 || !errors.Is(err, broken) {
		t.Errorf("read %d, %v; want 3 and the error of the reader", n, err)
	}

	ctx, cancel := context.WithCancelCause(t.Context())
	reads := 0
	endless := readerFunc(func(p []byte) (int, error) {
		if reads++; reads == 3 {
			cancel(errAborted)
		}
		return len(p), nil
	})
	n, err := digestReader(ctx, findHash("MD5").new(), endless, -1)
	if n != 3*digestBufferSize || !errors.Is(err, errAborted) {
		t.Errorf("read %d, %v; want to end after the third read", n, err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
