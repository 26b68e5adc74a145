package readahead

import "io"

// readCopy reads p from the copy, which contained all of it. 0 means that it was evicted meanwhile.
func (r *reader) readCopy(p []byte) int {
	n, err := r.file.copy.ReadAt(p, r.pos)
	if err != nil {
		r.file.withoutCopy(err)
	}
	return n
}

// sendCopy sends n bytes that the copy contained. 0 without an error means that they were evicted
// meanwhile.
func (r *reader) sendCopy(w io.Writer, n int64) (sent int64, err error) {
	if _, able := w.(io.ReaderFrom); !able {
		return r.writeCopy(w, n)
	}
	if r.sender == nil {
		r.sender = r.file.copy.Sender()
	}
	sent, fault, err := r.sender.Send(w, r.pos, n)
	if fault != nil {
		r.file.withoutCopy(fault)
	}
	return sent, err
}

// writeCopy is sendCopy through memory.
func (r *reader) writeCopy(w io.Writer, n int64) (sent int64, err error) {
	b := buffers.Get().(*buffer)
	defer buffers.Put(b)
	m := r.readCopy(b[:min(n, blockSize)])
	if m == 0 {
		return 0, nil
	}
	m, err = w.Write(b[:m])
	return int64(m), err
}
