package crypt_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/crypt"
	"ferry/remote/driver/crypt/cipher"
	"ferry/remote/driver/memory"
)

// A tape records every block that is ever written through it, by its nonce.
type tape struct {
	*memory.Remote
	t testing.TB

	mu     sync.Mutex
	blocks map[cipher.Nonce][32]byte // guarded by mu
	fail   int                       // guarded by mu; bytes after which the next writes fail; 0 = never
}

// A strip is one file that is written, from its first byte on.
type strip struct {
	tape *tape
	b    []byte
}

var errTorn = errors.New("torn")

func (s *strip) write(p []byte) error {
	s.b = append(s.b, p...)
	s.tape.mu.Lock()
	defer s.tape.mu.Unlock()
	if s.tape.fail > 0 && len(s.b) > s.tape.fail {
		return errTorn
	}
	return nil
}

// end takes the blocks of what was written. Everything that was given away counts.
func (s *strip) end() {
	if len(s.b) < int(cipher.HeaderSize) {
		return
	}
	nonce, err := cipher.ParseHeader(s.b)
	if err != nil {
		s.tape.t.Error(err)
		return
	}
	s.tape.mu.Lock()
	defer s.tape.mu.Unlock()
	rest := s.b[cipher.HeaderSize:]
	for i := uint64(0); len(rest) > 0; i++ {
		block := rest[:min(len(rest), cipher.BlockSize)]
		rest = rest[len(block):]
		n, sum := nonce.Add(i), sha256.Sum256(block)
		if before, ok := s.tape.blocks[n]; ok && before != sum {
			s.tape.t.Errorf("nonce %x is of two contents", n)
		}
		s.tape.blocks[n] = sum
	}
}

func (p *tape) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	s := &strip{tape: p}
	defer s.end()
	return p.Remote.Put(ctx, name, io.TeeReader(body, writerFunc(s.write)), o)
}

type writerFunc func(p []byte) error

func (f writerFunc) Write(p []byte) (int, error) { return len(p), f(p) }

func (p *tape) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	if o.Base == remote.BasePart || o.Base == remote.BaseFile && o.Off != 0 {
		p.t.Errorf("what is below is continued: %+v", o)
	}
	s, err := p.Remote.Stage(ctx, name, o)
	return &tapedStage{Stage: s, strip: &strip{tape: p}}, err
}

type tapedStage struct {
	remote.Stage
	strip *strip
}

func (s *tapedStage) Write(b []byte) (int, error) {
	if err := s.strip.write(b); err != nil {
		return 0, err
	}
	return s.Stage.Write(b)
}

func (s *tapedStage) Commit(ctx context.Context, t time.Time) (remote.Entry, error) {
	s.strip.end()
	return s.Stage.Commit(ctx, t)
}

func (s *tapedStage) Keep() error {
	s.strip.end()
	return s.Stage.Keep()
}

func (s *tapedStage) Abort() error {
	s.strip.end()
	return s.Stage.Abort()
}

// A history is a file that is put, continued, broken off and taken up again at random; what it must
// hold is known at each step.
type history struct {
	*testing.T
	rng  *rand.Rand
	tape *tape
	r    remote.Remote
	s    remote.Stager
	file []byte // nil = there is none
	part []byte // nil = there is none
}

const owner = "alice"

func TestNoNonceIsOfTwoContents(t *testing.T) {
	seed := time.Now().UnixNano()
	h := &history{T: t, rng: rand.New(rand.NewPCG(uint64(seed), 1))}
	h.tape = &tape{Remote: memory.New(), t: t, blocks: map[cipher.Nonce][32]byte{}}
	h.r = open(t, h.tape, crypt.Options{})
	h.s = h.r.(remote.Stager)
	for step := range 150 {
		h.step()
		h.check()
		if t.Failed() {
			t.Fatalf("seed %d, step %d", seed, step)
		}
	}
	if len(h.tape.blocks) < 100 {
		t.Errorf("only %d blocks were written", len(h.tape.blocks))
	}
}

// piece returns new bytes: often a few, or a few blocks.
func (h *history) piece() []byte {
	n := h.rng.IntN(50)
	if h.rng.IntN(2) == 0 {
		n = (h.rng.IntN(3)+1)*cipher.BlockData + h.rng.IntN(3) - 1
	}
	return content(n + h.rng.IntN(7))
}

func (h *history) step() {
	ctx := h.Context()
	switch h.rng.IntN(6) {
	case 0, 1: // the same content again and again, which sometimes breaks off
		b := h.piece()
		for try := 0; ; try++ {
			h.tape.fail = 0
			if h.rng.IntN(2) == 0 && try < 3 {
				h.tape.fail = 1 + h.rng.IntN(len(b)+100)
			}
			_, err := h.r.Put(ctx, "f", bytes.NewReader(b), remote.PutOptions{Size: int64(len(b))})
			h.tape.fail = 0
			if err == nil {
				break
			}
			if !errors.Is(err, errTorn) {
				h.Fatal(err)
			}
		}
		h.file = b
	case 2:
		h.upload(remote.StageOptions{Owner: owner}, nil)
	case 3, 4:
		if h.file != nil {
			off := h.offset(len(h.file))
			h.upload(remote.StageOptions{Owner: owner, Base: remote.BaseFile, Off: int64(off)}, h.file[:off])
		}
	default:
		if h.part != nil {
			off := h.offset(len(h.part))
			base := h.part[:off]
			h.part = nil
			h.upload(remote.StageOptions{Owner: owner, Base: remote.BasePart, Off: int64(off)}, base)
		}
	}
}

func (h *history) offset(size int) int {
	if h.rng.IntN(2) == 0 {
		return size
	}
	return h.rng.IntN(size + 1)
}

// upload stages pieces behind base, and ends in one of the ways that there are.
func (h *history) upload(o remote.StageOptions, base []byte) {
	u, err := h.s.Stage(h.Context(), "f", o)
	if err != nil {
		h.Fatalf("%+v: %v", o, err)
	}
	all := bytes.Clone(base)
	for range h.rng.IntN(3) + 1 {
		p := h.piece()
		if _, err := u.Write(p); err != nil {
			h.Fatal(err)
		}
		all = append(all, p...)
	}
	switch h.rng.IntN(4) {
	case 0:
		err = u.Abort()
	case 1:
		if err = u.Keep(); len(all) > 0 {
			h.part = all
		}
	default:
		_, err = u.Commit(h.Context(), time.Time{})
		h.file, h.part = all, nil
	}
	if err != nil {
		h.Fatal(err)
	}
}

func (h *history) check() {
	if h.file != nil {
		if got, err := get(h.Context(), h.r, "f", 0, -1); err != nil || !bytes.Equal(got, h.file) {
			h.Errorf("the file has %d bytes, %v; want %d", len(got), err, len(h.file))
		}
	}
	e, err := h.s.Part(h.Context(), "f", owner)
	if has := err == nil; has != (h.part != nil) || has && e.Size != int64(len(h.part)) {
		h.Errorf("the part is %+v, %v; want %d", e, err, len(h.part))
	}
}

// TestAPartOfAKilledProcess is one that ends anywhere: what is behind its last block does not
// count.
func TestAPartOfAKilledProcess(t *testing.T) {
	for _, c := range []struct{ left, want int64 }{
		{0, -1}, {5, -1}, {32, 0}, {40, 0}, {49, 0}, {32 + cipher.BlockSize, cipher.BlockData},
		{32 + cipher.BlockSize + 16, cipher.BlockData}, {32 + cipher.BlockSize + 5000, cipher.BlockData},
		{32 + 2*cipher.BlockSize + 116, blocks3},
	} {
		below := memory.New()
		r := open(t, below, crypt.Options{}).(remote.Stager)
		want := content(blocks3)
		put(t, r.(remote.Remote), "f", want)
		name, stored := raw(t, below)
		cut, err := below.Stage(t.Context(), name, remote.StageOptions{Owner: owner})
		if err == nil {
			_, err = cut.Write(stored[:c.left])
		}
		if err != nil || cut.Keep() != nil {
			t.Fatal(err)
		}
		e, err := r.Part(t.Context(), "f", owner)
		if c.want < 0 {
			if !errors.Is(err, remote.ErrNotExist) {
				t.Errorf("%d bytes: %+v, %v", c.left, e, err)
			}
			continue
		}
		if err != nil || e.Size != c.want || e.Name != "f" || e.Part != owner {
			t.Errorf("%d bytes: %+v, %v", c.left, e, err)
		}
		u, err := r.Stage(t.Context(), "f", remote.StageOptions{Owner: owner, Base: remote.BasePart, Off: remote.AtEnd})
		if err != nil {
			t.Errorf("%d bytes: %v", c.left, err)
			continue
		}
		fmt.Fprint(u, "more")
		if _, err := u.Commit(t.Context(), time.Time{}); err != nil {
			t.Error(err)
		}
		got, err := get(t.Context(), r.(remote.Remote), "f", 0, -1)
		if err != nil || string(got) != string(want[:c.want])+"more" {
			t.Errorf("%d bytes: it holds %d, %v", c.left, len(got), err)
		}
	}
}

// TestAContinuationThatFailsLeavesWhatItContinues: the file and the part are there as before.
func TestAContinuationThatFailsLeavesWhatItContinues(t *testing.T) {
	below := &tape{Remote: memory.New(), t: t, blocks: map[cipher.Nonce][32]byte{}}
	r := open(t, below, crypt.Options{})
	s := r.(remote.Stager)
	want := content(blocks3)
	put(t, r, "f", want)
	u, err := s.Stage(t.Context(), "f", remote.StageOptions{Owner: owner})
	if err == nil {
		_, err = u.Write(want[:2*cipher.BlockData+9])
	}
	if err != nil || u.Keep() != nil {
		t.Fatal(err)
	}
	for _, base := range []remote.Base{remote.BaseFile, remote.BasePart} {
		for _, fail := range []int{1, 100, cipher.BlockSize + 100} {
			below.fail = fail
			_, err := s.Stage(t.Context(), "f", remote.StageOptions{Owner: owner, Base: base, Off: remote.AtEnd})
			below.fail = 0
			if !errors.Is(err, errTorn) {
				t.Errorf("base %d, it fails after %d bytes: %v", base, fail, err)
			}
			if got, err := get(t.Context(), r, "f", 0, -1); err != nil || !bytes.Equal(got, want) {
				t.Errorf("base %d: the file has %d bytes, %v", base, len(got), err)
			}
			if e, err := s.Part(t.Context(), "f", owner); err != nil || e.Size != 2*cipher.BlockData+9 {
				t.Errorf("base %d: the part is %+v, %v", base, e, err)
			}
		}
	}
}

// endless is a remote whose files never come to their end, nor to their next byte.
type endless struct {
	remote.Remote
	reading chan struct{} // closed when that is waited for
}

func (e endless) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	f, err := e.Remote.Open(ctx, name, off, n)
	if err != nil {
		return nil, err
	}
	r, w := io.Pipe()
	go func() {
		_, _ = io.Copy(w, f)
		close(e.reading)
	}()
	return r, nil
}

// TestCloseEndsARead that waits for the remote below.
func TestCloseEndsARead(t *testing.T) {
	below := memory.New()
	put(t, open(t, below, crypt.Options{}), "f", content(cipher.BlockData+5))
	e := endless{below, make(chan struct{})}
	f, err := open(t, e, crypt.Options{}).Open(t.Context(), "f", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, err := io.Copy(io.Discard, f)
		ended <- err
	}()
	<-e.reading
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("the read ends well")
	}
}
