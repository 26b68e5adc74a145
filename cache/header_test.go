package cache

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// full has every field.
func full() header {
	return header{
		State: stateClean, Kind: Moved, Name: "dir/\xff name", Owner: "bob", Seq: 1 << 63, Size: 1 << 40, Synced: 77,
		ModTime: time.Date(1601, 1, 1, 0, 0, 0, 1, time.UTC), Committed: time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
		Base: BasePresent, Version: `"etag"`, Hash: "md5:00", Removes: []string{"a", "b/c"},
		Held: []extent{{0, 10}, {4096, 1 << 33}}, Boot: "boot", Spooled: true, Reason: "refused", Source: "b/c", Superseded: true, FactsOf: "b/c",
		Origin: "bob", Claim: "node-1/2",
		Sent: []Sent{
			{Size: 1 << 40, ModTime: time.Date(2026, 11, 30, 7, 8, 9, 10, time.UTC), Version: `"etag"`},
			{Name: "b/c", Size: -1, Version: `"another"`}, {Name: "a"},
		},
	}
}

func TestAHeaderComesBackAsItWas(t *testing.T) {
	for _, h := range []header{{}, full()} {
		b, err := h.encode(7)
		if err != nil {
			t.Fatal(err)
		}
		got, generation, err := decodeHeader(append(b, "what stands behind it"...))
		if err != nil || generation != 7 {
			t.Fatalf("generation %d, %v", generation, err)
		}
		if !reflect.DeepEqual(got, h) {
			t.Errorf("encoded %+v\ndecoded %+v", h, got)
		}
	}
}

func TestEachFieldOfAHeaderIsTested(t *testing.T) {
	v := reflect.ValueOf(full())
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("%s is zero in the test", v.Type().Field(i).Name)
		}
	}
}

func TestADamagedHeaderIsNoHeader(t *testing.T) {
	h := full()
	whole, err := h.encode(1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		if _, _, err := decodeHeader(whole[:i]); !errors.Is(err, errDamaged) {
			t.Fatalf("cut to %d bytes: %v", i, err)
		}
		for bit := range 8 {
			b := bytes.Clone(whole)
			b[i] ^= 1 << bit
			if _, _, err := decodeHeader(b); !errors.Is(err, errDamaged) {
				t.Fatalf("bit %d of byte %d is another: %v", bit, i, err)
			}
		}
	}
}

func TestANewerHeaderIsNotDamaged(t *testing.T) {
	h := full()
	b, err := h.encode(1)
	if err != nil {
		t.Fatal(err)
	}
	binary.LittleEndian.PutUint32(b[8:], versionSent+1)
	if _, _, err := decodeHeader(b); !errors.Is(err, errDamaged) {
		t.Errorf("without its checksum: %v", err)
	}
	if _, _, err := decodeHeader(sealed(b)); !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "version 7") {
		t.Errorf("with it: %v", err)
	}
}

// sealed gives a slot the checksum of its content.
func sealed(b []byte) []byte {
	end := len(b) - checksumSize
	return binary.LittleEndian.AppendUint32(bytes.Clone(b[:end]), checksum(b[:end]))
}

// fieldsOf makes a slot of bytes that stand for fields.
func fieldsOf(fields []byte) []byte {
	b := make([]byte, envelopeSize, envelopeSize+len(fields)+checksumSize)
	copy(b, magic)
	binary.LittleEndian.PutUint32(b[8:], version)
	binary.LittleEndian.PutUint32(b[12:], uint32(len(fields)))
	binary.LittleEndian.PutUint64(b[16:], 1)
	return sealed(append(append(b, fields...), 0, 0, 0, 0))
}

// FuzzHeader decodes fields under a checksum that is right: nothing panics, and what is a header is
// encoded to one that is decoded to the same.
func FuzzHeader(f *testing.F) {
	h := full()
	b, err := h.encode(1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b[envelopeSize : len(b)-checksumSize])
	f.Add([]byte{tagHeld, 2, 0x80, 0x80})
	f.Add([]byte{tagSize, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, fields []byte) {
		if len(fields) > maxFields {
			return
		}
		h, _, err := decodeHeader(fieldsOf(fields))
		if err != nil {
			if !errors.Is(err, errDamaged) {
				t.Fatal(err)
			}
			return
		}
		b, err := h.encode(1)
		if errors.Is(err, ErrNameTooLong) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := decodeHeader(b)
		if err != nil || !reflect.DeepEqual(h, again) {
			t.Fatalf("decoded %+v\nthen %+v, %v", h, again, err)
		}
	})
}

// FuzzSlot decodes any bytes.
func FuzzSlot(f *testing.F) {
	h := full()
	b, err := h.encode(1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, _, err := decodeHeader(b); err != nil && !errors.Is(err, errDamaged) && !errors.Is(err, ErrVersion) {
			t.Fatal(err)
		}
	})
}

// example is the header that doc/cache-format.md shows.
func example() header {
	return header{
		State: stateWaiting, Kind: File, Name: "in/report.csv", Seq: 42, Size: 1500,
		ModTime:   time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC),
		Committed: time.Date(2026, 11, 22, 9, 30, 1, 500_000_000, time.UTC),
		Base:      BaseAbsent, Removes: []string{"in/report.tmp"},
		Boot: "6f5c2d3e-0000-4000-8000-000000000001",
	}
}

func TestTheExampleInTheDocumentIsAHeader(t *testing.T) {
	text, err := os.ReadFile("../doc/cache-format.md")
	if err != nil {
		t.Fatal(err)
	}
	slot := dumped(t, string(text))
	h, generation, err := decodeHeader(slot)
	if want := example(); err != nil || generation != 2 || !reflect.DeepEqual(h, want) {
		t.Errorf("generation %d, %v, %+v", generation, err, h)
	}
	want := example()
	b, err := want.encode(2)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b, slot) {
		t.Errorf("it should be\n%s", hex.Dump(b))
	}
}

// dumped reads the first hex dump in a document.
func dumped(t *testing.T, text string) []byte {
	t.Helper()
	var b []byte
	for line := range strings.Lines(text) {
		line = strings.TrimPrefix(line, "    ")
		if len(line) < 60 || !strings.HasPrefix(line, "0000") {
			continue
		}
		bytes, err := hex.DecodeString(strings.ReplaceAll(line[8:58], " ", ""))
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		b = append(b, bytes...)
	}
	return b
}

// A ferry that knows version 1 only refuses what it would take for damage, and reads the rest.
func TestOnlyLaterKindsAreOfALaterVersion(t *testing.T) {
	for kind, want := range map[Kind]uint32{File: 1, Removed: 1, Dir: 1, Moved: 2, RemovedDir: 2} {
		h := header{State: stateWaiting, Kind: kind, Name: "y"}
		b, err := h.encode(1)
		if err != nil {
			t.Fatal(err)
		}
		if got := binary.LittleEndian.Uint32(b[8:]); got != want {
			t.Errorf("kind %v is written as version %d, not %d", kind, got, want)
		}
		if got, _, err := decodeHeader(b); err != nil || got.Kind != kind {
			t.Errorf("kind %v is read as %v, %v", kind, got.Kind, err)
		}
	}
}
