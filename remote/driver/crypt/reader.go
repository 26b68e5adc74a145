package crypt

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"ferry/remote"
	"ferry/remote/driver/crypt/cipher"
)

// A buffer holds a sealed block and an open one.
type buffer struct {
	sealed [cipher.BlockSize]byte
	plain  [cipher.BlockData]byte
}

// A reader decrypts a range of a file, block by block.
type reader struct {
	r *Remote
	source
	body      io.ReadCloser
	entry     remote.Entry // below, as the body describes it
	described bool
	pending   *pending // nil = the header is not being read since Open
	within    within

	mu       sync.Mutex
	span                  // guarded by mu
	total    int64        // guarded by mu; length of the file below; -1 = not known
	got      int64        // guarded by mu; bytes read from body
	nonce    cipher.Nonce // guarded by mu
	hasNonce bool         // guarded by mu
	certain  bool         // guarded by mu; the nonce came with the blocks, or has opened one
	buf      *buffer      // guarded by mu; nil = it is not needed
	plain    []byte       // guarded by mu; of buf, not taken yet
	err      error        // guarded by mu; what comes after plain
}

// within is what a reader does under the context of its Open.
type within struct {
	ended  func() error // why the context has ended; nil = it has not
	size   func() (int64, error)
	header func() (header, error)
	warn   func(message string, args ...any)
}

// Read implements io.Reader. What does not fit a whole block goes by a buffer.
func (f *reader) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	for len(f.plain) == 0 {
		if f.err != nil {
			return 0, f.err
		}
		if f.skip == 0 && len(p) >= cipher.BlockData {
			b := f.next(p[:0])
			if len(b) > 0 {
				return len(b), nil
			}
			continue
		}
		f.plain = f.next(f.buffer().plain[:0])
	}
	n := copy(p, f.plain)
	f.plain = f.plain[n:]
	return n, nil
}

// WriteTo implements io.WriterTo.
func (f *reader) WriteTo(w io.Writer) (written int64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		for len(f.plain) == 0 {
			if f.err == io.EOF {
				return written, nil
			}
			if f.err != nil {
				return written, f.err
			}
			f.plain = f.next(f.buffer().plain[:0])
		}
		n, err := w.Write(f.plain)
		f.plain = f.plain[n:]
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
}

// Described implements remote.Described.
func (f *reader) Described() (remote.Entry, bool) {
	return f.r.seen(f.entry, remote.BaseOf(f.name)), f.described
}

// Close implements io.Closer. While a Read is under way, its buffer stays with it.
func (f *reader) Close() error {
	err := f.body.Close()
	f.drop()
	if f.mu.TryLock() {
		defer f.mu.Unlock()
		f.err, f.plain = fs.ErrClosed, nil
		if f.buf != nil {
			f.r.buffers.Put(f.buf)
			f.buf = nil
		}
	}
	return err
}

// drop ends the reading of the header.
func (f *reader) drop() {
	if f.pending != nil {
		f.pending.drop()
	}
}

// buffer returns the buffer of the reader.
// LOCKS_REQUIRED(f.mu)
func (f *reader) buffer() *buffer {
	if f.buf == nil {
		f.buf = f.r.buffers.Get().(*buffer)
	}
	return f.buf
}

// next decrypts the next block to the end of b, which has room for it, and returns what of it is in
// the range. After that, or instead, f.err is set when nothing follows.
// LOCKS_REQUIRED(f.mu)
func (f *reader) next(b []byte) []byte {
	plain, err := f.block(b)
	if err != nil {
		f.err = err
		if err != io.EOF {
			f.err = &fs.PathError{Op: "read", Path: f.name, Err: err}
		}
		return nil
	}
	plain = plain[min(f.skip, int64(len(plain))):]
	f.skip = 0
	if f.left >= 0 {
		plain = plain[:min(f.left, int64(len(plain)))]
		if f.left -= int64(len(plain)); f.left == 0 {
			f.err = io.EOF
		}
	}
	return plain
}

// block decrypts the next block.
// LOCKS_REQUIRED(f.mu)
func (f *reader) block(b []byte) ([]byte, error) {
	if err := f.within.ended(); err != nil {
		return nil, err
	}
	if f.left == 0 {
		return nil, io.EOF
	}
	if f.withHeader {
		if err := f.takeHeader(); err != nil {
			return nil, err
		}
	}
	sealed := f.buffer().sealed[:]
	n, err := readFull(f.body, sealed)
	f.got += int64(n)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if err == io.EOF {
		if err := f.checkEnd(n); err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, io.EOF
		}
	}
	plain, err := f.decrypt(b, sealed[:n])
	if err != nil {
		return nil, err
	}
	f.number++
	return plain, nil
}

// takeHeader reads the header that the bytes begin with.
// LOCKS_REQUIRED(f.mu)
func (f *reader) takeHeader() error {
	head := f.buffer().sealed[:cipher.HeaderSize]
	n, err := readFull(f.body, head)
	f.got += int64(n)
	if err != nil && err != io.EOF {
		return err
	}
	if err == io.EOF && f.total > f.got {
		return io.ErrUnexpectedEOF
	}
	if f.nonce, err = cipher.ParseHeader(head[:n]); err != nil {
		return remote.Final(err)
	}
	f.withHeader, f.hasNonce, f.certain = false, true, true
	f.r.headers.set(f.key, f.nonce, f.entry.Version)
	return nil
}

// checkEnd returns io.ErrUnexpectedEOF if the bytes end where those of the file do not. n of them
// are of the last block. Nothing but the size tells where the last block of a file is.
// LOCKS_REQUIRED(f.mu)
func (f *reader) checkEnd(n int) error {
	end := f.start + f.got
	if f.total < 0 && n == 0 {
		size, err := f.within.size()
		if err != nil {
			return err
		}
		f.total = size
	}
	if f.total > end && (f.length < 0 || f.got < f.length) {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// decrypt opens a block. A nonce that did not come with the bytes may be of another version of the
// file; then that is looked at again.
// LOCKS_REQUIRED(f.mu)
func (f *reader) decrypt(b, sealed []byte) ([]byte, error) {
	if err := f.wantNonce(); err != nil {
		return nil, err
	}
	plain, err := f.r.cipher.Open(b, sealed, f.nonce.Add(f.number))
	if err != nil && !f.certain {
		h, headerErr := f.within.header()
		if headerErr != nil {
			return nil, headerErr
		}
		f.nonce = h.nonce
		plain, err = f.r.cipher.Open(b, sealed, f.nonce.Add(f.number))
	}
	if err == nil {
		f.certain = true
		return plain, nil
	}
	err = fmt.Errorf("block %d: %w", f.number, err)
	if !f.r.o.PassBadBlocks || !errors.Is(err, cipher.ErrBlock) || len(sealed) <= cipher.Overhead {
		return nil, remote.Final(err)
	}
	f.within.warn("a block that cannot be decrypted is read as zeros (option pass_bad_blocks)", "file", f.name, "block", f.number)
	plain = b[:len(b)+len(sealed)-cipher.Overhead]
	clear(plain[len(b):])
	return plain, nil
}

// wantNonce waits for the nonce.
// LOCKS_REQUIRED(f.mu)
func (f *reader) wantNonce() error {
	if f.hasNonce {
		return nil
	}
	var h header
	var err error
	if f.pending != nil {
		<-f.pending.done
		h, err = f.pending.header, f.pending.err
	} else {
		h, err = f.within.header()
	}
	if err != nil {
		return err
	}
	f.nonce, f.hasNonce = h.nonce, true
	f.r.headers.set(f.key, h.nonce, h.version)
	return nil
}
