package ftp

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// copyTo receives everything that the other side sends into w. The beginning goes through memory,
// so that a small file costs one write; then, without TLS and if w is an io.ReaderFrom, w reads
// from the connection slice by slice, inside the kernel if w delegates to an *os.File. Bytes that
// have arrived are written even if the connection fails after them.
func (d *dataConn) copyTo(w io.Writer) (total int64, err error) {
	block := fileBlocks.Get().(*fileBlock)
	defer func() { fileBlocks.Put(block) }()
	for {
		n, rerr := d.fill(block[:])
		if n > 0 {
			m, werr := w.Write(block[:n])
			total += int64(m)
			if werr != nil {
				return total, &fileError{werr}
			}
		}
		if rerr == io.EOF {
			return total, nil
		}
		if rerr != nil {
			return total, rerr
		}
		if to, able := w.(io.ReaderFrom); able && d.tls == nil {
			m, err := d.spliceTo(to)
			if err != errors.ErrUnsupported {
				return total + m, err
			}
		}
	}
}

// fill reads until p is full or an error ends it.
func (d *dataConn) fill(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = d.Read(p[n:])
		n += m
	}
	return n, err
}

// recvSlice is how much is received inside the kernel between two updates of the counter and the
// clock.
const recvSlice = 1 << 20

// spliceTo lets w read the rest of the connection. It fails with errors.ErrUnsupported before any
// byte is moved.
func (d *dataConn) spliceTo(w io.ReaderFrom) (total int64, err error) {
	k, able := d.tap.conn.(kernelMover)
	if !able {
		return 0, errors.ErrUnsupported
	}
	conn, err := k.TCP()
	if err != nil {
		return 0, errors.ErrUnsupported
	}
	from := &splicer{conn: conn, tap: d.tap}
	for {
		d.tap.arm()
		size := int64(recvSlice)
		if d.tap.up != nil {
			size = paced
		}
		rest := io.LimitedReader{R: from, N: size}
		begun, through := d.tap.clock(), from.through
		n, err := w.ReadFrom(&rest)
		if from.through == through { // it did not read through the tap
			d.tap.measure(begun, n)
			if perr := d.tap.received(n); err == nil {
				err = perr
			}
		}
		total += n
		d.received(n, nil)
		d.tap.moved = d.tap.moved || n > 0
		switch {
		case from.err != nil && from.err != io.EOF:
			d.received(0, from.err)
			return total, from.err
		case err == nil && rest.N > 0:
			d.received(0, io.EOF)
			return total, nil
		case err == nil || d.tap.retryDeadline(&err):
		case !isNetwork(err):
			return total, &fileError{err}
		default:
			d.received(0, err)
			return total, err
		}
	}
}

// splicer is the connection as an upload sees it. An *os.File finds the *net.TCPConn behind it
// through SyscallConn and splices; its error may then be a deadline of the tap that does not end
// the transfer. Other writers call Read, which handles these deadlines.
type splicer struct {
	conn    *net.TCPConn
	tap     *tap
	through int64 // bytes that Read has read
	err     error // what it failed with
}

func (s *splicer) SyscallConn() (syscall.RawConn, error) { return s.conn.SyscallConn() }

func (s *splicer) Read(p []byte) (int, error) {
	n, err := s.tap.Read(p)
	s.through += int64(n)
	if err != nil {
		s.err = err
	}
	return n, err
}

// isNetwork reports whether an error of a transfer inside the kernel, where one system call works
// on both sides, comes from the connection.
func isNetwork(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, errTooSlow) || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrClosed) {
		return true
	}
	var number syscall.Errno
	if !errors.As(err, &number) {
		return false
	}
	switch number {
	case syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE, syscall.ETIMEDOUT, syscall.ENOTCONN,
		syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ENETDOWN, syscall.ENETRESET:
		return true
	}
	return false
}
