package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// A client is one FTP session. With tls set, control and data connections are encrypted (RFC 4217)
// and go through net and crypto/tls; otherwise they are bare sockets.
type client struct {
	addr netip.AddrPort
	tls  *tls.Config
	conn io.ReadWriteCloser
	sent time.Time // when the command of the last transfer was sent
	buf  []byte    // received and not consumed
	room [4096]byte
	// window is the receive buffer of data connections without TLS; 0 = what the system gives.
	window int
	copy   []byte // where transfers copy through, made by the first that needs it
}

// A replyError is a reply other than the expected one.
type replyError struct {
	command string
	reply   string
}

func (e *replyError) Error() string { return fmt.Sprintf("%s: %s", e.command, e.reply) }

// connect opens the control connection and reads the greeting.
func connect(addr netip.AddrPort, conf *tls.Config) (*client, error) {
	c := &client{addr: addr, tls: conf}
	var err error
	if c.conn, err = c.dial(addr); err != nil {
		return nil, err
	}
	if _, err = c.expect("connect", "220"); err == nil && conf != nil {
		err = c.secure()
	}
	if err != nil {
		c.conn.Close()
		return nil, err
	}
	return c, nil
}

func (c *client) dial(addr netip.AddrPort) (io.ReadWriteCloser, error) {
	if c.tls == nil {
		return dialSock(addr, c.window)
	}
	conn, err := net.Dial("tcp", addr.String())
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(2 * ioLimit))
}

// secure turns the control connection into TLS and asks for the same on data connections.
func (c *client) secure() error {
	if err := c.do("AUTH TLS", "234"); err != nil {
		return err
	}
	conn := tls.Client(c.conn.(net.Conn), c.tls)
	if err := conn.Handshake(); err != nil {
		return fmt.Errorf("control connection: %w", err)
	}
	c.conn = conn
	if err := c.do("PBSZ 0", "200"); err != nil {
		return err
	}
	return c.do("PROT P", "200")
}

func (c *client) login(user, pass string) error {
	if err := c.send("USER " + user); err != nil {
		return err
	}
	reply, err := c.expect("USER", "331", "230")
	if err != nil || strings.HasPrefix(reply, "230") {
		return err
	}
	return c.do("PASS "+pass, "230")
}

// quit ends the session and waits until the server has.
func (c *client) quit() error {
	err := c.do("QUIT", "221")
	return errors.Join(err, c.conn.Close())
}

// do sends one command and requires a reply with one of codes.
func (c *client) do(command string, codes ...string) error {
	if err := c.send(command); err != nil {
		return err
	}
	_, err := c.expect(command, codes...)
	return err
}

func (c *client) send(command string) error {
	_, err := c.conn.Write(append([]byte(command), '\r', '\n'))
	return err
}

// expect reads one reply and requires one of codes.
func (c *client) expect(command string, codes ...string) (string, error) {
	reply, err := c.reply()
	if err != nil {
		return "", fmt.Errorf("%s: %w", command, err)
	}
	for _, code := range codes {
		if strings.HasPrefix(reply, code) {
			return reply, nil
		}
	}
	return "", &replyError{command, reply}
}

// reply reads one reply and returns its last line (RFC 959, section 4.2).
func (c *client) reply() (string, error) {
	for {
		line, err := c.line()
		if err != nil {
			return "", err
		}
		if len(line) >= 3 && line[0] >= '1' && line[0] <= '5' && (len(line) == 3 || line[3] == ' ') {
			return line, nil
		}
	}
}

func (c *client) line() (string, error) {
	for {
		if i := bytes.IndexByte(c.buf, '\n'); i >= 0 {
			line := strings.TrimSuffix(string(c.buf[:i]), "\r")
			c.buf = c.buf[i+1:]
			return line, nil
		}
		n := copy(c.room[:], c.buf)
		if n == len(c.room) {
			return "", fmt.Errorf("reply line of more than %d bytes", n)
		}
		m, err := c.conn.Read(c.room[n:])
		c.buf = c.room[:n+m]
		if m == 0 {
			return "", err
		}
	}
}

// transfer sends a command that uses a data connection and gives the connection to move, which also
// closes it.
func (c *client) transfer(command string, move func(io.ReadWriteCloser) error) error {
	data, err := c.open(command)
	if err != nil {
		return err
	}
	moved := move(data)
	// The server's word comes first: when it refused, moving failed because of that.
	if _, err := c.expect(command, "150", "125"); err != nil {
		return err
	}
	if _, err := c.expect(command, "226", "250"); err != nil {
		return err
	}
	return moved
}

// open sends a command that uses a data connection and returns that, without a look at the replies.
func (c *client) open(command string) (io.ReadWriteCloser, error) {
	if err := c.send("EPSV"); err != nil {
		return nil, err
	}
	reply, err := c.expect("EPSV", "229")
	if err != nil {
		return nil, err
	}
	port, err := epsvPort(reply)
	if err != nil {
		return nil, err
	}
	data, err := c.dial(netip.AddrPortFrom(c.addr.Addr(), port))
	if err != nil {
		return nil, err
	}
	c.sent = time.Now()
	if err := c.send(command); err != nil {
		data.Close()
		return nil, err
	}
	if c.tls != nil {
		data = tls.Client(data.(net.Conn), c.tls)
	}
	return data, nil
}

// epsvPort finds the port in "229 text (|||port|)" (RFC 2428, section 3).
func epsvPort(reply string) (uint16, error) {
	_, rest, _ := strings.Cut(reply, "(|||")
	text, _, _ := strings.Cut(rest, "|")
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("no port in reply %q", reply)
	}
	return uint16(port), nil
}

// retr downloads name and requires size bytes of it.
func (c *client) retr(name string, size int64) error {
	return c.transfer("RETR "+name, func(data io.ReadWriteCloser) (err error) {
		var n int64
		if s, ok := data.(sock); ok {
			n, err = s.discard(c.scratch())
		} else {
			n, err = io.CopyBuffer(onlyWriter{io.Discard}, data, c.scratch())
		}
		err = errors.Join(err, data.Close())
		if err == nil && n != size {
			err = fmt.Errorf("RETR %s: %d bytes of %d", name, n, size)
		}
		return err
	})
}

// retrPart downloads n bytes of name from byte off on, breaks off, and returns how long the first
// of them took. How the server takes that is its own affair.
func (c *client) retrPart(name string, off, n int64) (first time.Duration, err error) {
	if err := c.do(fmt.Sprintf("REST %d", off), "350"); err != nil {
		return 0, err
	}
	var got int64
	err = c.transfer("RETR "+name, func(data io.ReadWriteCloser) error {
		defer data.Close()
		buf := c.scratch()
		for got < n {
			m, err := data.Read(buf[:min(int64(len(buf)), n-got)])
			if first == 0 {
				first = time.Since(c.sent)
			}
			got += int64(m)
			if err != nil {
				return fmt.Errorf("RETR %s: %d bytes of %d: %w", name, got, n, err)
			}
		}
		return nil
	})
	var reply *replyError
	if got == n && errors.As(err, &reply) {
		err = nil
	}
	return first, err
}

// onlyReader and onlyWriter hide other methods, so that io.CopyBuffer uses its buffer.
type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)

func (c *client) scratch() []byte {
	if c.copy == nil {
		c.copy = make([]byte, 1<<20)
	}
	return c.copy
}

// stor uploads body as name.
func (c *client) stor(name string, body []byte) error {
	return c.transfer("STOR "+name, func(data io.ReadWriteCloser) error {
		_, err := data.Write(body)
		return errors.Join(err, finish(data))
	})
}

// storFile uploads the first size bytes of f as name.
func (c *client) storFile(name string, f *os.File, size int64) error {
	return c.transfer("STOR "+name, func(data io.ReadWriteCloser) error {
		var err error
		if s, ok := data.(sock); ok {
			err = s.sendFile(f, size)
		} else {
			_, err = io.CopyBuffer(data, onlyReader{io.NewSectionReader(f, 0, size)}, c.scratch())
		}
		return errors.Join(err, finish(data))
	})
}

// finish ends an upload. Over TLS it says so with close_notify and reads the session tickets that
// the server sent: to close with them unread would reset the connection.
func finish(data io.ReadWriteCloser) error {
	conn, ok := data.(*tls.Conn)
	if !ok {
		return data.Close()
	}
	err := conn.CloseWrite()
	if tcp, ok := conn.NetConn().(*net.TCPConn); ok {
		_ = tcp.CloseWrite() // what failed here shows in the server's reply
	}
	_, _ = io.Copy(io.Discard, conn)
	_ = conn.Close()
	return err
}
