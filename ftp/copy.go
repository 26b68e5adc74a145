package ftp

import (
	"io"
	"sync"
)

// copyBufferSize is the buffer size of a copy without a faster way.
const copyBufferSize = 64 << 10

var copyBuffers = sync.Pool{New: func() any { return new([copyBufferSize]byte) }}

// copyOut copies a file to the network until io.EOF. An error of body is returned as a *fileError.
func copyOut(network io.Writer, body io.Reader) error {
	readErr, writeErr := copyBuffered(network, body)
	if readErr != nil {
		return &fileError{readErr}
	}
	return writeErr
}

// copyIn copies the network to a file until io.EOF. An error of file is returned as a *fileError.
func copyIn(file io.Writer, network io.Reader) error {
	readErr, writeErr := copyBuffered(file, network)
	if writeErr != nil {
		return &fileError{writeErr}
	}
	return readErr
}

// copyBuffered copies until io.EOF through a pooled buffer. At most one of the errors is not nil.
func copyBuffered(dst io.Writer, src io.Reader) (readErr, writeErr error) {
	buf := copyBuffers.Get().(*[copyBufferSize]byte)
	defer copyBuffers.Put(buf)
	for {
		n, err := src.Read(buf[:])
		if n > 0 {
			if _, writeErr := dst.Write(buf[:n]); writeErr != nil {
				return nil, writeErr
			}
		}
		if err == io.EOF {
			return nil, nil
		}
		if err != nil {
			return err, nil
		}
	}
}

// Ends returns nil if r ends here, and otherwise tooMuch. It is for an Upload that may have no more
// bytes: whether there are any is known when one has been read.
func Ends(r io.Reader, tooMuch error) error {
	var one [1]byte
	switch _, err := io.ReadFull(r, one[:]); err {
	case nil:
		return tooMuch
	case io.EOF:
		return nil
	default:
		return err
	}
}
