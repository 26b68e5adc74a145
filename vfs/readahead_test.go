package vfs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/faulty"
)

var sixteenMegabytes = Options{ReadBuffer: 16 << 20}

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

func TestReadAheadGivesTheFile(t *testing.T) {
	for _, size := range []int{0, 1, blockSize, blockSize + 1, 5*blockSize + 7} {
		for _, off := range []int64{0, blockSize, int64(size) + 5} {
			t.Run(fmt.Sprintf("%d from %d", size, off), func(t *testing.T) {
				b := newBehind(t, sixteenMegabytes)
				data := content(size)
				b.putBytes("f", data)
				want := data[min(off, int64(size)):]
				r, err := b.Open(t.Context(), "f", off)
				if err != nil {
					t.Fatal(err)
				}
				if len(want) <= blockSize+1 {
					err = iotest.TestReader(struct{ io.Reader }{r}, want)
				}
				if err != nil {
					t.Error(err)
				}
				if err := r.Close(); err != nil {
					t.Error(err)
				}
				r, err = b.Open(t.Context(), "f", off)
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				var got bytes.Buffer
				if n, err := io.Copy(&got, r); err != nil || n != int64(len(want)) || !bytes.Equal(got.Bytes(), want) {
					t.Errorf("WriteTo gave %d bytes, %v", n, err)
				}
			})
		}
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

func TestAClientThatBreaksOffHasCostLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t, sixteenMegabytes)
		b.putBytes("f", content(16<<20))
		b.remote.Inject(faulty.Fault{Op: faulty.Open, Delay: 30 * time.Millisecond, Slow: true, Times: -1})
		r, err := b.Open(t.Context(), "f", 0)
		if err != nil {
			t.Fatal(err)
		}
		io.ReadFull(r, make([]byte, 1<<20))
		a := r.(*readAhead)
		a.mu.Lock()
		fetched := a.claimed * blockSize
		a.mu.Unlock()
		if fetched > 4<<20 {
			t.Errorf("%d KiB were asked for, for 1 MiB that was taken", fetched>>10)
		}
		r.Close()
	})
}

func TestManyStreamsHideTheDistance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBehind(t, sixteenMegabytes)
		data := content(32 << 20)
		b.putBytes("f", data)
		b.remote.Inject(faulty.Fault{Op: faulty.Open, Delay: 30 * time.Millisecond, Slow: true, Times: -1})
		start := time.Now()
		r, err := b.Open(t.Context(), "f", 0)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		// One stream would take 30 ms for each of 32 ranges of 1 MiB.
		if took := time.Since(start); took > 400*time.Millisecond {
			t.Errorf("32 MiB took %v", took)
		}
	})
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

func TestReadersShareTheMemory(t *testing.T) {
	l := readLimits{buffer: 16 << 20, total: 20 << 20}
	for _, want := range []int{64, 40, 26, 20} {
		l.join()
		if got := l.share(); got != want {
			t.Errorf("%d readers have %d blocks each, want %d", l.readers.Load(), got, want)
		}
	}
	for range 1000 {
		l.join()
	}
	if got := l.share(); got != 1 {
		t.Errorf("%d blocks", got)
	}
}

func TestARemoteThatDoesNotSayWhatItSendsIsReadInOneRequest(t *testing.T) {
	b := newBehind(t, sixteenMegabytes)
	data := content(4 << 20)
	b.putBytes("f", data)
	mute := New(undescribed{far{Forward: remote.Forward{Remote: b.store}}}, sixteenMegabytes)
	r, err := mute.View("bob").Open(t.Context(), "f", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, ahead := r.(*readAhead); ahead {
		t.Error("it is read ahead")
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// undescribed hides what a reader knows of its content.
type undescribed struct{ far }

func (u undescribed) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	r, err := u.far.Open(ctx, name, off, n)
	if err != nil {
		return nil, err
	}
	return struct{ io.ReadCloser }{r}, nil
}
