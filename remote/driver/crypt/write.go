package crypt

import (
	"context"
	"io"

	"ferry/remote"
	"ferry/remote/driver/crypt/cipher"
)

// Put implements remote.Remote. Each call encrypts under a nonce of its own, also one that repeats
// another.
func (r *Remote) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	return r.put(ctx, name, body, o, r.below.Put)
}

// PutIf implements remote.ConditionalPutter. The versions are those of the remote below.
func (r *Remote) PutIf(
	ctx context.Context, name string, body io.Reader, version string, o remote.PutOptions,
) (remote.Entry, error) {
	return r.put(ctx, name, body, o, func(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
		return remote.PutIf(ctx, r.below, name, body, version, o)
	})
}

// A putter is a Put of a remote below.
type putter func(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error)

func (r *Remote) put(ctx context.Context, name string, body io.Reader, o remote.PutOptions, below putter) (remote.Entry, error) {
	p, err := r.fits(name)
	if err == nil {
		err = r.free(ctx, name, p)
	}
	if err != nil {
		return remote.Entry{}, remote.Renamed("put", name, err)
	}
	if o.FactsOf != "" {
		facts, err := r.find(o.FactsOf)
		if err != nil {
			return remote.Entry{}, remote.Renamed("put", name, err)
		}
		o.FactsOf = facts.file
	}
	if r.o.PlainData {
		e, err := below(ctx, p.file, body, o)
		return r.seen(e, remote.BaseOf(name)), remote.Renamed("put", name, err)
	}
	s := &sealer{seal: seal{cipher: r.cipher, nonce: cipher.NewNonce()}, body: body, announced: o.Size, buf: r.buffers.Get().(*buffer)}
	if o.Size > 0 {
		o.Size = cipher.EncryptedSize(o.Size)
	}
	e, err := below(ctx, p.file, s, o)
	if err != nil {
		if s.err != nil && s.err != io.EOF {
			err = s.err
		}
		return remote.Entry{}, remote.Renamed("put", name, err) // whoever was sending may still read the buffer
	}
	r.buffers.Put(s.buf)
	return r.seen(e, remote.BaseOf(name)), nil
}

// A seal seals the blocks of one file, one after the other.
type seal struct {
	cipher *cipher.Cipher
	nonce  cipher.Nonce
	block  uint64
}

// next appends the next block to b.
func (s *seal) next(b, plain []byte) []byte {
	b = s.cipher.Seal(b, plain, s.nonce.Add(s.block))
	s.block++
	return b
}

// A sealer encrypts a body while it is read.
type sealer struct {
	seal
	body      io.Reader
	announced int64 // length of the body; 0 = not known
	taken     int64 // plain bytes read

	begun bool
	buf   *buffer
	out   []byte // sealed, not read yet
	err   error  // what comes after out
}

func (s *sealer) Read(p []byte) (int, error) {
	if !s.begun {
		s.begun = true
		s.out = cipher.AppendHeader(s.buf.sealed[:0], s.nonce)
	}
	for len(s.out) == 0 {
		if s.err != nil {
			return 0, s.err
		}
		n := s.fill()
		if n == 0 {
			continue
		}
		if len(p) >= cipher.BlockSize {
			return len(s.next(p[:0], s.buf.plain[:n])), nil
		}
		s.out = s.next(s.buf.sealed[:0], s.buf.plain[:n])
	}
	n := copy(p, s.out)
	s.out = s.out[n:]
	return n, nil
}

// fill reads the next plain block. Of a body that fails, or is not as long as announced, the last
// block is not sealed.
func (s *sealer) fill() int {
	n, err := readFull(s.body, s.buf.plain[:])
	s.taken += int64(n)
	if err == io.EOF {
		if wrong := remote.CheckSize(s.taken, s.announced); wrong != nil {
			err = wrong
		}
	} else if s.announced > 0 && s.taken > s.announced {
		err = remote.CheckSize(s.taken, s.announced)
	}
	if s.err = err; err != nil && err != io.EOF {
		return 0
	}
	return n
}
