package cipher

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/nacl/secretbox"
)

func newCipher(t testing.TB, k Keys, o Options) *Cipher {
	t.Helper()
	c, err := New(k, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestKeysArePublishedOnes(t *testing.T) {
	for _, c := range []struct{ salt, data, name, tweak string }{
		{"", "7455C71AB17C865B8471F47B79ACB07EB31D5678B80C7E2EAF4FC8066A9EE468", "765DA27AB15D77F95796711F7B93AD63BBB484072E7180A8D17A9BBEC14270D0", "C18D5932F55B2828C5E1E87215520310"},
		{"sausage", "8E9B6B99F8690467A071F9CB92D0AA787F8FF178BEC96F999FD5206E644A1B50", "3EA95EF681782DC9D9955D225BFD442C6F5D6897B029015C6F462E2A9DAE2CE3", "F17FD7141D65274F363FC2A04DD2148A"},
	} {
		k, err := DeriveKeys("potato", c.salt)
		if err != nil || !bytes.Equal(k.Data[:], unhex(t, c.data)) || !bytes.Equal(k.Name[:], unhex(t, c.name)) || !bytes.Equal(k.Tweak[:], unhex(t, c.tweak)) {
			t.Errorf("salt %q: %X, %v", c.salt, k, err)
		}
	}
}

func TestBlocksArePublishedOnes(t *testing.T) {
	c := newCipher(t, Keys{}, Options{})
	var n Nonce
	for i := range n {
		n[i] = byte(i + 1)
	}
	header := AppendHeader(nil, n)
	if want := append([]byte("RCLONE\x00\x00"), n[:]...); !bytes.Equal(header, want) {
		t.Errorf("header %X", header)
	}
	if back, err := ParseHeader(header); err != nil || back != n {
		t.Errorf("it is read as %X, %v", back, err)
	}
	for plain, want := range map[string]string{
		"01":                               "095B446CD6237BBCB08D09FB524CE565 AA",
		"0102030405060708090A0B0C0D0E0F10": "B9C4552A2710062918960A3E608C29B9 AA8A5E1E165B6D075DE4E9BB367FD6D4",
	} {
		sealed := c.Seal(nil, unhex(t, plain), n)
		if !bytes.Equal(sealed, unhex(t, want)) {
			t.Errorf("%s is sealed as %X", plain, sealed)
		}
		if back, err := c.Open(nil, sealed, n); err != nil || !bytes.Equal(back, unhex(t, plain)) {
			t.Errorf("%s is opened as %X, %v", plain, back, err)
		}
	}
}

func TestNoncesCountFromTheirFirstByte(t *testing.T) {
	all := Nonce(bytes.Repeat([]byte{0xFF}, nonceSize))
	carry := Nonce{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}
	for _, c := range []struct {
		n, want Nonce
		block   uint64
	}{
		{Nonce{}, Nonce{}, 0}, {Nonce{}, Nonce{1}, 1}, {Nonce{0xFF}, Nonce{0, 1}, 1}, {Nonce{0xFE, 0xFF}, Nonce{1, 0, 1}, 3},
		{Nonce{}, Nonce{0, 0, 0, 0, 1}, 1 << 32}, {all, Nonce{}, 1}, {carry, Nonce{9: 1}, 1}, {carry, Nonce{0: 1, 9: 1}, 2},
	} {
		if got := c.n.Add(c.block); got != c.want {
			t.Errorf("%X + %d = %X, want %X", c.n, c.block, got, c.want)
		}
	}
	if one, two := NewNonce(), NewNonce(); one == two {
		t.Error("two nonces are the same")
	}
}

func TestSizes(t *testing.T) {
	for plain, want := range map[int64]int64{0: 32, 1: 49, 65535: 65583, 65536: 65584, 65537: 65601, 131072: 131136, 1 << 40: 1<<40 + 32 + 16<<24} {
		if got := EncryptedSize(plain); got != want {
			t.Errorf("EncryptedSize(%d) = %d, want %d", plain, got, want)
		}
		if got, ok := PlainSize(want); !ok || got != plain {
			t.Errorf("PlainSize(%d) = %d, %v", want, got, ok)
		}
	}
	for _, size := range []int64{-1, 0, 31, 33, 48, 65585, 65600} {
		if got, ok := PlainSize(size); ok {
			t.Errorf("PlainSize(%d) = %d", size, got)
		}
	}
}

// encrypted encrypts a path of directories and, last, a file.
func encrypted(t *testing.T, c *Cipher, plain string) string {
	t.Helper()
	elems := strings.Split(plain, "/")
	for i, e := range elems {
		write, read := c.DirName, c.PlainDir
		if i == len(elems)-1 {
			write, read = c.FileName, c.PlainFile
		}
		name, err := write(e)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := read(name); err != nil || back != e {
			t.Errorf("%q is read as %q, %v", name, back, err)
		}
		elems[i] = name
	}
	return strings.Join(elems, "/")
}

func TestNamesArePublishedOnes(t *testing.T) {
	const one, two, three = "p0e52nreeaj0a5ea7s64m4j72s", "l42g6771hnv3an9cgc8cr2n1ng", "qgm4avr35m5loi1th53ato71v0"
	for _, c := range []struct {
		o           Options
		plain, want string
	}{
		{Options{}, "1", one},
		{Options{}, "1234567890123456", "mijbj0frqf6ms7frcr6bd9h0env53jv96pjaaoirk7forcgpt70g"},
		{Options{}, "1/12/123", one + "/" + two + "/" + three},
		{Options{}, "1-v2001-02-03-040506-123", one + "-v2001-02-03-040506-123"},
		{Options{PlainDirs: true}, "1/12/123", "1/12/" + three},
		{Options{Names: Off}, "1/12/123", "1/12/123.bin"},
		{Options{Names: Off, Suffix: "none"}, "1/12/123", "1/12/123"},
		{Options{Names: Off, Suffix: "jpg"}, "1/12/123", "1/12/123.jpg"},
		{Options{Names: Obfuscate}, "1/12/123/!hello", "49.6/99.23/150.890/53.!!lipps"},
		{Options{Names: Obfuscate}, "\u00a1", "161.\u00e4"},
		{Options{Names: Obfuscate}, "\u03a0", "160.\u03c2"},
		{Options{Names: Obfuscate}, "a\xff", "!.a\xff"},
	} {
		if got := encrypted(t, newCipher(t, Keys{}, c.o), c.plain); got != c.want {
			t.Errorf("%+v: %q is %q, want %q", c.o, c.plain, got, c.want)
		}
	}
}

func TestBase32768IsThePublishedOne(t *testing.T) {
	w := newWide()
	if len(w.rows) != 1028 || len(w.numbers) != len(w.rows) {
		t.Errorf("%d rows, %d of them different", len(w.rows), len(w.numbers))
	}
	for plain, want := range map[string]string{"hello world": "媒腻㐤┖ꈳ埳", "": ""} { // of the page of the alphabet
		if got := w.encode([]byte(plain)); got != want {
			t.Errorf("%q is %q, want %q", plain, got, want)
		}
		if back, err := w.decode(want); err != nil || string(back) != plain {
			t.Errorf("%q is read as %q, %v", want, back, err)
		}
	}
	if _, err := w.decode("a"); err == nil {
		t.Error("a is read")
	}
}

// Pictures of control characters among the digits of base32768 are those characters below.
func TestPicturesAreTheirCharacters(t *testing.T) {
	for _, o := range []Options{{Encoding: "base32768"}, {Names: Obfuscate}} {
		c := newCipher(t, Keys{}, o)
		seen := map[rune]bool{}
		for i := range 4000 {
			plain := strconv.Itoa(i) + ".txt"
			if o.Names == Obfuscate {
				plain = string(rune(0x2400+i%256)) + plain
			}
			name, err := c.FileName(plain)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range name {
				if isControl(r) || r == pictures {
					seen[r] = true
				}
				if isPicture(r) {
					t.Errorf("%q is %q", plain, name)
				}
			}
			if back, err := c.PlainFile(name); err != nil || back != plain {
				t.Errorf("%q is read as %q, %v", name, back, err)
			}
		}
		if len(seen) < 20 {
			t.Errorf("%+v: %q", o, slices.Sorted(maps.Keys(seen)))
		}
	}
	obfuscated := newCipher(t, Keys{}, Options{Names: Obfuscate})
	if name, err := obfuscated.FileName("a\tb"); !errors.Is(err, ErrControl) {
		t.Errorf("a name with a tabulator is %q, %v", name, err)
	}
}

// A version by itself is not encrypted by rclone.
func TestAVersionByItselfStays(t *testing.T) {
	const name = "-v2001-02-03-040506-123"
	for _, o := range []Options{{}, {Names: Obfuscate}} {
		c := newCipher(t, Keys{}, o)
		if got, err := c.FileName(name); err != nil || got != name {
			t.Errorf("%q, %v", got, err)
		}
		if got, err := c.PlainFile(name); err != nil || got != name {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func TestForeignNamesAreRefused(t *testing.T) {
	name := map[string]string{}
	for _, e := range []string{"base32", "base64", "base32768"} {
		var err error
		if name[e], err = newCipher(t, Keys{}, Options{Encoding: e}).FileName("a.txt"); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		o    Options
		name string
	}{
		{Options{}, ""}, {Options{}, "a.txt"}, {Options{}, "00"}, {Options{}, name["base64"]}, {Options{}, name["base32"][1:]},
		{Options{}, name["base32"] + "="}, {Options{}, name["base32"] + "\n"}, {Options{}, strings.ToUpper(name["base32"])},
		{Options{}, strings.Repeat("0", 26)}, {Options{}, strings.Repeat("0", 4000)},
		{Options{Encoding: "base64"}, strings.ToLower(name["base64"])}, {Options{Encoding: "base64"}, name["base64"] + "=="},
		{Options{Encoding: "base32768"}, name["base32"]}, {Options{Encoding: "base32768"}, name["base32768"] + "ƀ"},
		{Options{Names: Off}, "a.txt"}, {Options{Names: Off}, ".bin"}, {Options{Names: Off}, "-v2001-02-03-040506-123.bin"},
		{Options{Names: Obfuscate}, "a"}, {Options{Names: Obfuscate}, "7.a"}, {Options{Names: Obfuscate}, "049.6"}, {Options{Names: Obfuscate}, "!.a"},
		{Options{Names: Obfuscate}, "x.a"}, {Options{Names: Obfuscate}, "160.␉"}, {Options{Encoding: "base32768"}, "␉"}, {Options{Names: Obfuscate}, ""},
	} {
		if plain, err := newCipher(t, Keys{}, c.o).PlainFile(c.name); !errors.Is(err, ErrNotEncrypted) || plain != "" {
			t.Errorf("%+v: %q is read as %q, %v", c.o, c.name, plain, err)
		}
	}
	folding := newCipher(t, Keys{}, Options{FoldCase: true})
	if plain, err := folding.PlainFile(strings.ToUpper(name["base32"])); plain != "a.txt" || err != nil {
		t.Errorf("in upper case: %q, %v", plain, err)
	}
}

func TestMaxName(t *testing.T) {
	for _, o := range []Options{{}, {Encoding: "base64"}, {Names: Off}, {Names: Off, Suffix: "none"}} {
		for _, limit := range []int{255, 143, 100, 0} {
			c := newCipher(t, Keys{}, o)
			n := c.MaxName(limit)
			if n == 0 && limit == 0 && o.Names == Off {
				continue
			}
			name, err := c.FileName(strings.Repeat("n", n))
			if err != nil || limit > 0 && len(name) > limit {
				t.Errorf("%+v: %d of %d: %d, %v", o, n, limit, len(name), err)
			}
			if name, err = c.FileName(strings.Repeat("n", n+1)); err == nil && (limit == 0 || len(name) <= limit) {
				t.Errorf("%+v: %d is not the longest for %d", o, n, limit)
			}
		}
	}
}

func TestOptionsThatDoNotExist(t *testing.T) {
	for _, o := range []Options{{Names: "none"}, {Encoding: "base16"}, {Suffix: "a/b"}} {
		if _, err := New(Keys{}, o); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// everyWay are the ways to keep names that differ.
func everyWay() []Options {
	return []Options{
		{}, {Encoding: "base64"}, {Encoding: "base32768"}, {PlainDirs: true}, {FoldCase: true},
		{Names: Obfuscate}, {Names: Off}, {Names: Off, Suffix: "none"}, {Names: Off, Suffix: ".x"},
	}
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"", "a", "a.txt", "p0e52nreeaj0a5ea7s64m4j72s", "1-v2001-02-03-040506-123.jpg", "!.x", "53.!!lipps", "\u03a0\u00ff!\xff", "\ud7ff\uffff", "媒腻㐤┖ꈳ埳", strings.Repeat("n", 300)} {
		f.Add(s)
	}
	var ciphers []*Cipher
	for i, o := range everyWay() {
		ciphers = append(ciphers, newCipher(f, Keys{Name: [32]byte{byte(i * 40)}, Tweak: [16]byte{1}}, o))
	}
	f.Fuzz(func(t *testing.T, s string) {
		for i, c := range ciphers {
			for _, way := range []struct {
				what        string
				write, read func(string) (string, error)
			}{{"file", c.FileName, c.PlainFile}, {"directory", c.DirName, c.PlainDir}} {
				what := fmt.Sprintf("%s by %+v", way.what, everyWay()[i])
				if unversioned, _ := cutVersion(s); s != "" && unversioned != "" {
					if name, err := way.write(s); err == nil {
						if back, err := way.read(name); err != nil || back != s {
							t.Errorf("%s: %q is %q, which is read as %q, %v", what, s, name, back, err)
						}
					}
				}
				plain, err := way.read(s)
				if err != nil {
					continue
				}
				if name, err := way.write(plain); err != nil || name != s && !strings.EqualFold(name, s) {
					t.Errorf("%s: %q is read as %q, which is %q, %v", what, s, plain, name, err)
				}
			}
		}
	})
}

// TestBlocksAreThoseOfSecretbox compares blocks of every length up to a few groups, and the
// longest.
func TestBlocksAreThoseOfSecretbox(t *testing.T) {
	c := newCipher(t, Keys{Data: [32]byte{7, 31: 9}}, Options{})
	plain := make([]byte, BlockData)
	_, _ = rand.Read(plain) // never fails
	lengths := []int{BlockData, BlockData - 1, BlockData / 2, 5000}
	for n := 1; n < 1000; n++ {
		lengths = append(lengths, n)
	}
	for _, n := range lengths {
		nonce := NewNonce()
		sealed := c.Seal(nil, plain[:n], nonce)
		if want := secretbox.Seal(nil, plain[:n], (*[24]byte)(&nonce), &c.keys.Data); !bytes.Equal(sealed, want) {
			t.Fatalf("%d bytes are not sealed as by secretbox", n)
		}
		if back, err := c.Open(nil, sealed, nonce); err != nil || !bytes.Equal(back, plain[:n]) {
			t.Fatalf("%d bytes are not opened: %v", n, err)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	c := newCipher(b, Keys{}, Options{})
	plain, sealed := make([]byte, BlockData), make([]byte, 0, BlockSize)
	b.SetBytes(BlockData)
	b.ReportAllocs()
	for b.Loop() {
		c.Seal(sealed, plain, Nonce{})
	}
}

func BenchmarkOpen(b *testing.B) {
	c := newCipher(b, Keys{}, Options{})
	plain := make([]byte, BlockData)
	sealed := c.Seal(nil, plain, Nonce{})
	b.SetBytes(BlockData)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Open(plain[:0], sealed, Nonce{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNames(b *testing.B) {
	c := newCipher(b, Keys{}, Options{})
	for b.Loop() {
		name, err := c.FileName("camera-2026-11-30.jpg")
		if err == nil {
			_, err = c.PlainFile(name)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzBlocks(f *testing.F) {
	f.Add([]byte("content"), []byte("nonce"), uint64(1), 5)
	c := newCipher(f, Keys{Data: [32]byte{7}}, Options{})
	f.Fuzz(func(t *testing.T, plain, nonce []byte, block uint64, flip int) {
		if len(plain) == 0 || len(plain) > BlockData {
			return
		}
		var n Nonce
		copy(n[:], nonce)
		n = n.Add(block)
		sealed := c.Seal([]byte("head"), plain, n)
		if want := secretbox.Seal([]byte("head"), plain, (*[24]byte)(&n), &c.keys.Data); !bytes.Equal(sealed, want) {
			t.Errorf("%d bytes are not sealed as by secretbox", len(plain))
		}
		if got := int64(len(sealed)) - 4 + HeaderSize; got != EncryptedSize(int64(len(plain))) {
			t.Errorf("%d bytes are sealed as %d", len(plain), got)
		}
		if back, err := c.Open([]byte("h"), sealed[4:], n); err != nil || string(back) != "h"+string(plain) {
			t.Errorf("%x is opened as %x, %v", plain, back, err)
		}
		sealed[4+uint(flip)%uint(len(sealed)-4)] ^= 1 << (uint(flip) % 8)
		if back, err := c.Open([]byte("h"), sealed[4:], n); !errors.Is(err, ErrBlock) || string(back) != "h" {
			t.Errorf("a changed block is opened as %x, %v", back, err)
		}
		if back, err := c.Open(nil, plain, n); err == nil {
			t.Errorf("anything is opened as %x", back)
		}
	})
}
