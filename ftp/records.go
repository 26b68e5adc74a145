package ftp

import "sync"

// records stands between crypto/tls, which hands over one record of 16 KiB at a time, and the tap: several records
// share a system call in either direction.
type records struct {
	*tap
	in      []byte       // read and not yet asked for; part of inBlock
	inBlock *recordBlock // nil while nothing is held
	out     []byte       // sealed and not yet written
	holding bool         // Write collects
}

// blockSize is how much of a file is moved through memory at a time.
const blockSize = 128 << 10

// recordRoom is what a block takes up in records: 22 bytes more for each 16 KiB in TLS 1.3, up to 29 in TLS 1.2.
const recordRoom = blockSize + (blockSize>>14+1)*64

type (
	fileBlock   [blockSize]byte
	recordBlock [recordRoom]byte
)

// The pools hold what running transfers use; idle sessions hold none.
var (
	fileBlocks   = sync.Pool{New: func() any { return new(fileBlock) }}
	recordBlocks = sync.Pool{New: func() any { return new(recordBlock) }}
)

func (r *records) Read(p []byte) (int, error) {
	if len(r.in) == 0 {
		if r.inBlock == nil {
			r.inBlock = recordBlocks.Get().(*recordBlock)
		}
		n, err := r.tap.Read(r.inBlock[:])
		if err != nil {
			r.release()
			return 0, err
		}
		r.in = r.inBlock[:n]
	}
	n := copy(p, r.in)
	r.in = r.in[n:]
	return n, nil
}

// release gives the buffer back. What was read ahead and not asked for is lost.
func (r *records) release() {
	if r.inBlock != nil {
		recordBlocks.Put(r.inBlock)
		r.in, r.inBlock = nil, nil
	}
}

func (r *records) Write(p []byte) (int, error) {
	if !r.holding {
		return r.tap.Write(p)
	}
	if len(r.out)+len(p) > cap(r.out) {
		if err := r.flush(); err != nil {
			return 0, err
		}
		if len(p) > cap(r.out) {
			return r.tap.Write(p)
		}
	}
	r.out = append(r.out, p...)
	return len(p), nil
}

func (r *records) flush() error {
	if len(r.out) == 0 {
		return nil
	}
	_, err := r.tap.Write(r.out)
	r.out = r.out[:0]
	return err
}

// together runs write and lets the records that it makes share system calls. They are all written when it returns.
func (r *records) together(write func() (int, error)) (int, error) {
	block := recordBlocks.Get().(*recordBlock)
	r.out, r.holding = block[:0], true
	n, err := write()
	r.holding = false
	if err == nil {
		err = r.flush()
	}
	r.out = nil
	recordBlocks.Put(block)
	return n, err
}
