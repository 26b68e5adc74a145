package readahead

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
	"ferry/remote/wrap/faulty"
)

func sixteenMegabytes() Options { return Options{Buffer: 16 << 20} }

// content is size bytes that are others at every multiple of 8.
func content(size int) []byte {
	b := make([]byte, size+8)
	for i := 0; i < size; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], uint64(i+1)*0x9e3779b97f4a7c15)
	}
	return b[:size]
}

// far is a remote that is slower than a cache. It counts the requested bytes and the bytes read.
type far struct {
	remote.Forward
	mute bool // it does not say what it sends

	mu     sync.Mutex
	probe  map[string]map[int64]int // how often each block of a file was
	ranges [][2]int64               // offsets and lengths
	taken  int64
}

func (f *far) Info() remote.Info {
	i := f.Forward.Info()
	i.Caps.CheapStat = false
	return i
}

func (f *far) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	r, err := f.Forward.Open(ctx, name, off, n)
	if err != nil {
		return nil, err
	}
	counted := remote.TapReader(r, func(n int64, _ error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.taken += n
	}, nil)
	f.mu.Lock()
	f.ranges = append(f.ranges, [2]int64{off, n})
	f.mu.Unlock()
	if f.mute {
		return struct{ io.ReadCloser }{counted}, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.probe[name] == nil {
		f.probe[name] = map[int64]int{}
	}
	for at := off; at < off+n; at += blockSize {
		f.probe[name][at/blockSize]++
	}
	return counted, nil
}

// twice returns how many blocks of name were requested more than once, and how many in all.
func (f *far) twice(name string) (twice, all int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range f.probe[name] {
		if n > 1 {
			twice++
		}
	}
	return twice, len(f.probe[name])
}

// behind is a Tree over a memory remote, which tests may change directly.
type behind struct {
	*Tree
	t      *testing.T
	store  *memory.Remote
	far    *far
	remote *faulty.Remote
	below  *below
}

// below is a lower layer with entries set by a test.
type below struct {
	remote.Forward
	known       func(name string) (remote.Entry, bool) // nil: nothing is
	mu          sync.Mutex
	invalidated []string // guarded by mu
}

func (b *below) Known(name string) (e remote.Entry, known bool) {
	if b.known == nil {
		return e, false
	}
	return b.known(name)
}

func (b *below) Invalidate(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.invalidated = append(b.invalidated, name)
}

func (b *below) Direct() remote.Remote { return b.Remote }

func newBehind(t *testing.T, o Options) *behind {
	t.Helper()
	b := &behind{t: t, store: memory.New()}
	b.far = &far{Forward: remote.Forward{Remote: b.store}, probe: map[string]map[int64]int{}}
	b.remote = faulty.New(b.far)
	b.below = &below{Forward: remote.Forward{Remote: b.remote}}
	b.Tree = New(b.below, o)
	t.Cleanup(func() { closeReader(t, b.Tree) })
	return b
}

func (b *behind) put(name string, data []byte) {
	b.t.Helper()
	if _, err := b.store.Put(context.Background(), name, bytes.NewReader(data), remote.PutOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *behind) open(name string, off int64) io.ReadCloser {
	b.t.Helper()
	r, err := b.Open(b.t.Context(), name, off, -1)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func closeReader(t *testing.T, r io.Closer) {
	t.Helper()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// eachWay runs test with a Tree that keeps nothing and with one that has a store.
func eachWay(t *testing.T, test func(t *testing.T, o Options)) {
	t.Helper()
	t.Run("ahead", func(t *testing.T) { test(t, sixteenMegabytes()) })
	t.Run("through", func(t *testing.T) {
		o := sixteenMegabytes()
		o.Store = newStore(t, 0)
		test(t, o)
	})
}

func TestItKeepsTheContracts(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		open := func() remote.Remote {
			return &far{Forward: remote.Forward{Remote: memory.New()}, probe: map[string]map[int64]int{}}
		}
		remotetest.RunDecorator(t, open, func(r remote.Remote) remote.Remote {
			if o.Store != nil {
				o.Store = newStore(t, 0)
			}
			tree := New(r, o)
			t.Cleanup(func() { closeReader(t, tree) })
			return tree
		})
	})
}

func TestAReaderGivesTheFile(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		b := newBehind(t, o)
		for _, size := range []int{0, 1, 900, blockSize, blockSize + 1, 5*blockSize + 7} {
			for _, off := range []int64{0, 7, blockSize, int64(size) + 5} {
				name := fmt.Sprintf("%d from %d", size, off)
				t.Run(name, func(t *testing.T) {
					data := content(size)
					b.put(name, data)
					want := data[min(off, int64(size)):]
					r := b.open(name, off)
					if len(want) < 1000 {
						if err := iotest.TestReader(struct{ io.Reader }{r}, want); err != nil {
							t.Error(err)
						}
					}
					closeReader(t, r)
					r = b.open(name, off)
					defer closeReader(t, r)
					var got bytes.Buffer
					if n, err := io.Copy(&got, r); err != nil || n != int64(len(want)) || !bytes.Equal(got.Bytes(), want) {
						t.Errorf("WriteTo gave %d bytes, %v", n, err)
					}
				})
			}
		}
	})
}

func TestAReaderOfARangeGivesTheRange(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		b := newBehind(t, o)
		data := content(3 * blockSize)
		b.put("f", data)
		for _, n := range []int64{0, 1, 1000, blockSize, 2 * blockSize, 9 * blockSize} {
			r, err := b.Open(t.Context(), "f", 100, n)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if want := data[100:min(100+n, int64(len(data)))]; err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes instead of %d, %v", len(got), len(want), err)
			}
			closeReader(t, r)
		}
	})
}

func TestAReadBeginsWithOneSmallRequest(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		b := newBehind(t, o)
		b.put("f", content(4*blockSize))
		closeReader(t, b.open("f", 0))
		if n := b.remote.Calls(faulty.Stat); n != 0 {
			t.Errorf("it asked %d times what the file is", n)
		}
		b.far.mu.Lock()
		defer b.far.mu.Unlock()
		if first := b.far.ranges[0]; first != [2]int64{0, blockSize} {
			t.Errorf("the first request was for %v", first)
		}
	})
}

func TestAClientThatBreaksOffHasCostLittle(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		synctest.Test(t, func(t *testing.T) {
			b := newBehind(t, o)
			b.put("f", content(16<<20))
			b.remote.Inject(faulty.Fault{Op: faulty.Open, Delay: 30 * time.Millisecond, Slow: true, Times: -1})
			r := b.open("f", 5<<20)
			if _, err := io.ReadFull(r, make([]byte, 1<<20)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			closeReader(t, r)
			b.Close()
			if b.far.taken > 4<<20 {
				t.Errorf("%d KiB were taken, for 1 MiB that was read", b.far.taken>>10)
			}
		})
	})
}

func TestManyStreamsHideTheDistance(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		synctest.Test(t, func(t *testing.T) {
			b := newBehind(t, o)
			data := content(16 << 20)
			b.put("f", data)
			b.remote.Inject(faulty.Fault{Op: faulty.Open, Delay: 30 * time.Millisecond, Slow: true, Times: -1})
			start := time.Now()
			r := b.open("f", 0)
			defer closeReader(t, r)
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, data) {
				t.Fatalf("%d bytes, %v", len(got), err)
			}
			// One stream would take 30 ms for each of 16 ranges of 1 MiB.
			if took := time.Since(start); took > 300*time.Millisecond {
				t.Errorf("16 MiB took %v", took)
			}
		})
	})
}

func TestAFileThatChangesWhileItIsReadIsNeverMixed(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		b := newBehind(t, o)
		before, after := content(4<<20), bytes.Repeat([]byte("x"), 4<<20)
		b.put("f", before)
		r := b.open("f", 0)
		b.put("f", after)
		got, err := io.ReadAll(r)
		if !errors.Is(err, remote.ErrChanged) {
			t.Errorf("the read ended with %v", err)
		}
		if !bytes.Equal(got, before[:len(got)]) {
			t.Error("bytes of two versions were mixed")
		}
		var h interface{ Hint() string }
		if !errors.As(err, &h) {
			t.Errorf("the client is not told: %v", err)
		}
		closeReader(t, r)
		b.Close()
		if told := b.below.invalidated; len(told) == 0 || told[0] != "f" {
			t.Errorf("what is remembered of the file is not told that it has changed: %q", told)
		}
		r = b.open("f", 0)
		defer closeReader(t, r)
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, after) {
			t.Errorf("the next read gives %d bytes, %v", len(got), err)
		}
	})
}

func TestAReadThatBreaksSurfaces(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		b := newBehind(t, o)
		b.put("f", content(4<<20))
		b.remote.Inject(faulty.Fault{Op: faulty.Read, Name: "f", Skip: 3})
		r := b.open("f", 0)
		if _, err := io.ReadAll(r); !b.remote.Surfaced(err) {
			t.Errorf("the read ended with %v", err)
		}
		closeReader(t, r)
	})
}

func TestAFileThatCannotBeOpenedIsRefused(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		b := newBehind(t, o)
		if _, err := b.Open(t.Context(), "none", 0, -1); !errors.Is(err, remote.ErrNotExist) {
			t.Errorf("a missing file gives %v", err)
		}
		if err := b.store.Mkdir(t.Context(), "dir"); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Open(t.Context(), "dir", 0, -1); !errors.Is(err, remote.ErrIsDir) {
			t.Errorf("a directory gives %v", err)
		}
		b.put("f", content(10))
		b.remote.Inject(faulty.Fault{Op: faulty.Open})
		if _, err := b.Open(t.Context(), "f", 0, -1); !b.remote.Surfaced(err) {
			t.Errorf("a remote that fails gives %v", err)
		}
	})
}

func TestTheEndOfTheContextEndsARead(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		synctest.Test(t, func(t *testing.T) {
			b := newBehind(t, o)
			b.put("f", content(4<<20))
			why := errors.New("aborted")
			b.remote.Inject(faulty.Fault{Op: faulty.Open, Skip: 1, Block: true, Times: -1})
			ctx, cancel := context.WithCancelCause(t.Context())
			r, err := b.Open(ctx, "f", 0, -1)
			if err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(time.Second, func() { cancel(why) })
			if _, err := io.ReadAll(r); !errors.Is(err, why) {
				t.Errorf("the read ended with %v", err)
			}
			closeReader(t, r)

			ctx, cancel = context.WithCancelCause(t.Context())
			time.AfterFunc(time.Second, func() { cancel(why) })
			if _, err := b.Open(ctx, "f", 3<<20, -1); !errors.Is(err, why) {
				t.Errorf("Open ended with %v", err)
			}
		})
	})
}

func TestARemoteThatDoesNotSayWhatItSends(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		b := newBehind(t, o)
		b.far.mute = true
		data := content(4 << 20)
		b.put("f", data)
		for range 2 {
			r := b.open("f", 0)
			if _, ahead := r.(*reader); ahead && o.Store == nil {
				t.Error("it is read ahead")
			}
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			closeReader(t, r)
		}
		if o.Store != nil && b.far.taken > 5<<20 {
			t.Errorf("%d bytes were taken", b.far.taken)
		}
	})
}
