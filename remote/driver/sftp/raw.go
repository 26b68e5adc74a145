package sftp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"ferry/remote"

	"ferry/remote/driver/internal/conns"
)

// A raw is a second channel to the server, for what package sftp does not do: to give a directory
// page by page, and to have the server copy. One request is under way at a time, or a few of the
// same kind.
type raw struct {
	// constant
	rd io.Reader
	wr io.WriteCloser

	mu   sync.Mutex
	next uint32          // the id of the next request; guarded by mu
	err  error           // why the channel is of no more use; guarded by mu
	has  map[string]bool // extensions of the server; constant after hello
}

// Types of packets (draft-ietf-secsh-filexfer-02 section 3).
const (
	typeInit     = 1
	typeVersion  = 2
	typeOpen     = 3
	typeClose    = 4
	typeOpenDir  = 11
	typeReadDir  = 12
	typeStatus   = 101
	typeHandle   = 102
	typeName     = 104
	typeExtended = 200
)

// Status codes (section 7).
const (
	statusOK               = 0
	statusEOF              = 1
	statusNoSuchFile       = 2
	statusPermissionDenied = 3
	statusUnsupported      = 8
)

const (
	version   = 3
	maxPacket = 1 << 20 // of an answer; OpenSSH sends no more than 256 KiB
)

const copyData = "copy-data" // OpenSSH 9.0 and later (PROTOCOL section 4.9 there)

// errPacket is an answer that does not follow the protocol.
var errPacket = errors.New("the server's answer is no SFTP")

// statusError is a status code that has no sentinel.
type statusError uint32

func (e statusError) Error() string {
	return fmt.Sprintf("the server answers with status %d", uint32(e))
}

// channel returns the raw channel of the connection.
func (c *conn) rawChannel() (*raw, error) {
	c.rawMu.Lock()
	defer c.rawMu.Unlock()
	if c.raw != nil && c.raw.usable() {
		return c.raw, nil
	}
	rd, wr, err := c.channel()
	if err != nil {
		return nil, unexpected(err)
	}
	r := &raw{rd: rd, wr: wr}
	if err := r.hello(); err != nil {
		wr.Close()
		return nil, err
	}
	c.raw = r
	return r, nil
}

func (r *raw) usable() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err == nil
}

// hello agrees on the version of the protocol and learns the extensions.
func (r *raw) hello() error {
	if err := r.send(typeInit, binary.BigEndian.AppendUint32(nil, version)); err != nil {
		return err
	}
	typ, p, err := r.receive()
	if err != nil {
		return err
	}
	if typ != typeVersion || p.uint32() != version {
		return errPacket
	}
	r.has = map[string]bool{}
	for len(p.rest) > 0 && !p.bad {
		name := p.string()
		p.string() // its version
		r.has[name] = true
	}
	return nil
}

// An answer is what the server sends back.
type answer struct {
	typ byte
	packet
}

// call sends requests of one type, all at once, and returns the answers to them in the order in
// which they came.
func (r *raw) call(typ byte, n int, body []byte) ([]answer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return nil, r.err
	}
	answers, err := r.exchange(typ, n, body)
	if err != nil {
		r.err = err
		r.wr.Close()
	}
	return answers, err
}

// LOCKS_REQUIRED(r.mu)
func (r *raw) exchange(typ byte, n int, body []byte) ([]answer, error) {
	first := r.next
	for range n {
		if err := r.send(typ, append(binary.BigEndian.AppendUint32(nil, r.next), body...)); err != nil {
			return nil, err
		}
		r.next++
	}
	answers := make([]answer, 0, n)
	for range n {
		typ, p, err := r.receive()
		if err != nil {
			return nil, err
		}
		if id := p.uint32(); p.bad || id-first >= uint32(n) {
			return nil, errPacket
		}
		answers = append(answers, answer{typ, p})
	}
	return answers, nil
}

func (r *raw) send(typ byte, body []byte) error {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 5+len(body)), uint32(1+len(body)))
	b = append(append(b, typ), body...)
	_, err := r.wr.Write(b)
	return unexpected(err)
}

func (r *raw) receive() (typ byte, p packet, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r.rd, head[:]); err != nil {
		return 0, packet{}, conns.ErrLost
	}
	n := binary.BigEndian.Uint32(head[:])
	if n < 1 || n > maxPacket {
		return 0, packet{}, errPacket
	}
	body := make([]byte, n-1)
	if _, err := io.ReadFull(r.rd, body); err != nil {
		return 0, packet{}, conns.ErrLost
	}
	return head[4], packet{rest: body}, nil
}

// status returns the error that an answer of type status means. End of file is io.EOF.
func (a answer) status() error {
	if a.typ != typeStatus {
		return errPacket
	}
	code := a.uint32()
	if a.bad {
		return errPacket
	}
	switch code {
	case statusOK:
		return nil
	case statusEOF:
		return io.EOF
	case statusNoSuchFile:
		return remote.ErrNotExist
	case statusPermissionDenied:
		return remote.ErrPermission
	case statusUnsupported:
		return remote.ErrUnsupported
	}
	return statusError(code)
}

// open opens a file or directory and returns its handle.
func (r *raw) open(typ byte, body []byte) (handle string, err error) {
	answers, err := r.call(typ, 1, body)
	if err != nil {
		return "", err
	}
	a := answers[0]
	if a.typ != typeHandle {
		if err := a.status(); err != nil {
			return "", err
		}
		return "", errPacket
	}
	handle = a.string()
	if a.bad {
		return "", errPacket
	}
	return handle, nil
}

// simple makes a call that is answered by a status only.
func (r *raw) simple(typ byte, body []byte) error {
	answers, err := r.call(typ, 1, body)
	if err != nil {
		return err
	}
	return answers[0].status()
}

func (r *raw) close(handle string) error {
	return r.simple(typeClose, appendString(nil, handle))
}
