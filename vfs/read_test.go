package vfs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/readahead"
	"ferry/remote"
	"ferry/remote/wrap/faulty"
)

const blockSize = 256 << 10

var sixteenMegabytes = Options{Reading: readahead.Options{Buffer: 16 << 20}}

func content(size int) []byte {
	b := make([]byte, size)
	random := rand.NewChaCha8([32]byte{})
	random.Read(b)
	return b
}

func (b *behind) putBytes(name string, data []byte) {
	b.t.Helper()
	if _, err := b.store.Put(context.Background(), name, bytes.NewReader(data), remote.PutOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *behind) readsBytes(name string, want []byte) {
	b.t.Helper()
	r, err := b.Open(b.t.Context(), name, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
		b.t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestAReadBeginsWithOneSmallRequest(t *testing.T) {
	b := newBehind(t, sixteenMegabytes)
	b.putBytes("f", content(4*blockSize))
	n := b.asked(faulty.Stat, func() {
		r, err := b.Open(t.Context(), "f", 0)
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
	})
	if n != 0 {
		t.Errorf("it asked %d times what the file is", n)
	}
}

func TestAFileThatChangesWhileItIsReadIsNeverMixed(t *testing.T) {
	b := newBehind(t, sixteenMegabytes)
	before, after := content(8<<20), bytes.Repeat([]byte("x"), 8<<20)
	b.putBytes("f", before)
	r, err := b.Open(t.Context(), "f", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b.putBytes("f", after)
	got, err := io.ReadAll(r)
	if !errors.Is(err, remote.ErrChanged) {
		t.Errorf("the read ended with %v", err)
	}
	if !bytes.Equal(got, before[:len(got)]) {
		t.Error("bytes of two versions were mixed")
	}
	var h interface{ Hint() string }
	if !errors.As(err, &h) || !strings.Contains(h.Hint(), "changed") {
		t.Errorf("the client is not told: %v", err)
	}
}

func TestAReadThatBreaksSurfaces(t *testing.T) {
	b := newBehind(t, sixteenMegabytes)
	b.putBytes("f", content(4<<20))
	b.remote.Inject(faulty.Fault{Op: faulty.Read, Name: "f", Skip: 5})
	r, err := b.Open(t.Context(), "f", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadAll(r); !errors.Is(err, faulty.ErrInjected) {
		t.Errorf("the read ended with %v", err)
	}
}

func TestTheEndOfTheContextEndsARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t, sixteenMegabytes)
		b.putBytes("f", content(4<<20))
		b.remote.Inject(faulty.Fault{Op: faulty.Open, Skip: 1, Block: true, Times: -1})
		ctx, cancel := context.WithCancelCause(t.Context())
		r, err := b.Open(ctx, "f", 0)
		if err != nil {
			t.Fatal(err)
		}
		why := errors.New("aborted")
		time.AfterFunc(time.Second, func() { cancel(why) })
		if _, err := io.ReadAll(r); !errors.Is(err, why) {
			t.Errorf("the read ended with %v", err)
		}
		r.Close()
	})
}
