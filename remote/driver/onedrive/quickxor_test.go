package onedrive_test

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"

	"ferry/remote/driver/onedrive"
)

func TestQuickXor(t *testing.T) {
	t.Parallel()
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for content, want := range map[string]string{ // several programs publish these
		string(all):              "QkGEfSisZcA7k+FCh71r2dbCayY=",
		strings.Repeat("A", 160): "AAAAAAAAAAAAAAAAoAAAAAAAAAA=",
		"abcdefghij":             "YRDDGMhQBjOcAQ1pWgMAAAAAAAA=",
		"The quick brown fox jumps over the lazy dog": "bMSlbysmxJL6S75XwfMcQZOpcr4=",
		"":      "AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"\x00":  "AAAAAAAAAAAAAAAAAQAAAAAAAAA=",
		"a":     "YQAAAAAAAAAAAAAAAQAAAAAAAAA=",
		"hello": "aCgDG9jwBgAAAAAABQAAAAAAAAA=",
	} {
		h := onedrive.NewQuickXor()
		_, _ = h.Write([]byte(content))
		if got := base64.StdEncoding.EncodeToString(h.Sum(nil)); got != want {
			t.Errorf("of %q it is %s, want %s", content, got, want)
		}
	}
}

// However a content is cut, its sum is that of all its bits, each turned by 11 per byte.
func TestQuickXorInPieces(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 700 {
		content := make([]byte, n)
		for i := range content {
			content[i] = byte(random.Uint32())
		}
		h := onedrive.NewQuickXor()
		for rest := content; len(rest) > 0; {
			piece := 1 + random.IntN(len(rest))
			_, _ = h.Write(rest[:piece])
			rest = rest[piece:]
		}
		if got, want := string(h.Sum(nil)), string(bitByBit(content)); got != want {
			t.Fatalf("of %d bytes it is %x, want %x", n, got, want)
		}
	}
}

// bitByBit is the definition: a block of 20 bytes, byte i turned left by 11 * i bits, and the
// length over the last 8 bytes.
func bitByBit(content []byte) []byte {
	sum := make([]byte, 20)
	for i, b := range content {
		for bit := range 8 {
			at := (11*i + bit) % 160
			sum[at/8] ^= b >> bit & 1 << (at % 8)
		}
	}
	for i := range 8 {
		sum[12+i] ^= byte(len(content) >> (8 * i))
	}
	return sum
}

func BenchmarkQuickXor(b *testing.B) {
	content := make([]byte, 1<<20)
	b.SetBytes(int64(len(content)))
	h := onedrive.NewQuickXor()
	for b.Loop() {
		_, _ = h.Write(content)
	}
}
