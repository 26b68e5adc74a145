package ftp

import (
	"errors"
	"io"
	"os"
	"syscall"
)

const (
	// sendSlice is how much is sent inside the kernel, at most, between two updates of the counter
	// and the clock. Only a client that takes it within a moment gets as much in one call.
	sendSlice = 8 << 20
	// maxUnsent is how much of a large file waits in the socket until the network takes it, unless
	// a thread sends it. More would take memory for each slow client. It is set for files that are
	// much larger, as it costs a system call.
	maxUnsent = 512 << 10
)

// ReadFrom sends everything that r yields. Without TLS the bytes of an *os.File, or of an
// *io.LimitedReader of one, do not pass through this process; an io.WriterTo writes itself.
func (d *dataConn) ReadFrom(r io.Reader) (int64, error) {
	if f, limit := fileOf(r); f != nil {
		if d.tls == nil {
			return d.sendFile(f, limit, r)
		}
		return d.sendBlocks(r)
	}
	w, able := r.(io.WriterTo)
	if !able {
		return d.sendBlocks(r)
	}
	d.failure = nil
	n, err := w.WriteTo(d)
	switch {
	case err == nil:
		return n, nil
	case d.failure != nil:
		return n, d.failure
	}
	return n, &fileError{err}
}

// fileOf returns the file in r, and its limit if there is one.
func fileOf(r io.Reader) (*os.File, *io.LimitedReader) {
	switch r := r.(type) {
	case *os.File:
		return r, nil
	case *io.LimitedReader:
		f, _ := r.R.(*os.File)
		return f, r
	}
	return nil, nil
}

// sendFile sends f inside the kernel, up to limit if there is one, and through memory if the kernel
// declines. r reads the same bytes.
func (d *dataConn) sendFile(f *os.File, limit *io.LimitedReader, r io.Reader) (total int64, err error) {
	d.moves()
	if limit == nil || limit.N > 4*maxUnsent {
		d.tap.sendMuch(maxUnsent)
	}
	for {
		n := int64(sendSlice)
		if limit != nil {
			n = min(n, limit.N)
		}
		if n <= 0 {
			return total, nil
		}
		m, err := d.tap.sendFile(f, int(n))
		total += m
		if limit != nil {
			limit.N -= m
		}
		switch {
		case err == nil && m == 0:
			return total, nil
		case err == nil:
			d.sent(m, nil)
		case errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.EINVAL):
			m, err := d.sendBlocks(r)
			return total + m, err
		case !isNetwork(err):
			return total, &fileError{err}
		default:
			d.sent(0, err)
			return total, err
		}
	}
}

// sendBlocks sends what r yields, through memory.
func (d *dataConn) sendBlocks(r io.Reader) (total int64, err error) {
	block := fileBlocks.Get().(*fileBlock)
	defer fileBlocks.Put(block)
	for {
		n, rerr := r.Read(block[:])
		if n > 0 {
			m, err := d.Write(block[:n])
			total += int64(m)
			if err != nil {
				return total, err
			}
		}
		if rerr == io.EOF {
			return total, nil
		}
		if rerr != nil {
			return total, &fileError{rerr}
		}
	}
}
