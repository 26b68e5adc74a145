package ftp

import (
	"net"
	"sync"
)

// gatherer is the connection below TLS on a data connection. crypto/tls writes each record of 16
// KiB by itself; the kernel takes several at once for little more than half the processor time.
//
// One goroutine writes.
type gatherer struct {
	net.Conn
	gathered *[]byte // what has been written since together began; nil outside of it
	failed   error   // with it a write to the socket has failed; the records that follow would be out of order
}

// together is how much is encrypted between two writes to the socket.
const together = blockSize

// gatherBuffers pools the buffers of gatherers; the records of one write fit.
var gatherBuffers = sync.Pool{New: func() any {
	b := make([]byte, 0, together+together/maxRecord*recordRoom)
	return &b
}}

// recordRoom is more than the header, the padding and the authentication of a record.
const recordRoom = 256

func (g *gatherer) Write(p []byte) (int, error) {
	switch {
	case g.failed != nil:
		return 0, g.failed
	case g.gathered == nil:
		return g.Conn.Write(p)
	}
	*g.gathered = append(*g.gathered, p...)
	return len(p), nil
}

// together calls encrypt, which writes the records of p to g, and sends them in one call. Of what
// has been sent when an error ends it, n is an estimate.
func (g *gatherer) together(p []byte, encrypt func(p []byte) (int, error)) (n int, err error) {
	g.gathered = gatherBuffers.Get().(*[]byte)
	n, err = encrypt(p)
	records := *g.gathered
	if len(records) > 0 {
		var sent int
		if sent, g.failed = g.Conn.Write(records); g.failed != nil {
			n, err = int(int64(n)*int64(sent)/int64(len(records))), g.failed
		}
	}
	*g.gathered = records[:0]
	gatherBuffers.Put(g.gathered)
	g.gathered = nil
	return n, err
}
