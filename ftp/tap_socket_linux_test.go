package ftp

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"ferry/ftp/internal/sock"
)

// spy counts what a data connection does with its socket.
type spy struct {
	*sock.Conn
	reads, writes int
	bytesRead     int
	bytesSent     int64 // by sendFile
	upgrades      int
}

func (s *spy) Read(p []byte) (int, error) {
	s.reads++
	n, err := s.Conn.Read(p)
	s.bytesRead += n
	return n, err
}

func (s *spy) Write(p []byte) (int, error) {
	s.writes++
	return s.Conn.Write(p)
}

func (s *spy) SendFile(f *os.File, n int) (int64, error) {
	m, err := s.Conn.SendFile(f, n)
	s.bytesSent += m
	return m, err
}

func (s *spy) TCP() (*net.TCPConn, error) {
	s.upgrades++
	return s.Conn.TCP()
}

func spied(t *testing.T) (*dataConn, *spy, net.Conn) {
	t.Helper()
	d, client := channel{local: loopbacks(t)[0]}.connect(t, time.Minute)
	s := &spy{Conn: d.tap.conn.(*sock.Conn)}
	d.tap.conn = s
	return d, s, client
}

func TestFilesAreSentByTheKernel(t *testing.T) {
	const size = 3*sendSlice + 1
	d, s, client := spied(t)
	var wg sync.WaitGroup
	wg.Go(func() { io.Copy(io.Discard, client) })
	n, err := d.ReadFrom(tempFile(t, make([]byte, size)))
	d.finish()
	wg.Wait()
	if n != size || err != nil || s.bytesSent != size || s.writes > 0 {
		t.Errorf("%d bytes, %v; %d by sendfile and %d writes", n, err, s.bytesSent, s.writes)
	}
}

func TestUploadsAreReceivedByTheKernel(t *testing.T) {
	const size = 3*recvSlice + 1
	d, s, client := spied(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		client.Write(make([]byte, size))
		client.Close()
	})
	n, err := d.copyTo(tempFile(t, nil))
	wg.Wait()
	if n != size || err != nil || s.bytesRead != blockSize || s.upgrades != 1 {
		t.Errorf("%d bytes, %v; %d of them read, %d upgrades", n, err, s.bytesRead, s.upgrades)
	}
}

func TestSmallFilesCostLittle(t *testing.T) {
	d, s, client := spied(t)
	if n, err := d.ReadFrom(tempFile(t, make([]byte, 4096))); n != 4096 || err != nil {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if s.Polled() || s.writes > 0 {
		t.Errorf("a small download met the poller or was written: %d writes", s.writes)
	}
	client.Close()

	d, s, client = spied(t)
	client.Write(make([]byte, 4096))
	client.Close()
	var file counting
	if n, err := d.copyTo(&file); n != 4096 || err != nil {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if s.reads > 2 || file.writes != 1 {
		t.Errorf("a small upload took %d reads and %d writes", s.reads, file.writes)
	}
}

type counting struct{ writes int }

func (c *counting) Write(p []byte) (int, error) {
	c.writes++
	return len(p), nil
}

func (c *counting) ReadFrom(r io.Reader) (int64, error) { return io.Copy(io.Discard, r) }

func TestSocketIsClosedUnderItsUsers(t *testing.T) {
	file := tempFile(t, make([]byte, 8*recvSlice))
	uses := map[string]func(s *sock.Conn) error{
		"read":     func(s *sock.Conn) error { _, err := s.Read(make([]byte, 1)); return err },
		"write":    func(s *sock.Conn) error { _, err := s.Write(make([]byte, 100)); return err },
		"sendfile": func(s *sock.Conn) error { _, err := s.SendFile(file, 8*recvSlice); return err },
		"tcp":      func(s *sock.Conn) error { _, err := s.TCP(); return err },
		"deadline": func(s *sock.Conn) error { s.SetDeadline(time.Now().Add(time.Minute)); return s.CloseWrite() },
	}
	for name, use := range uses {
		t.Run(name, func(t *testing.T) {
			d, client := channel{local: loopbacks(t)[0]}.connect(t, time.Minute)
			defer client.Close()
			s := d.tap.conn.(*sock.Conn)
			var wg sync.WaitGroup
			started := make(chan struct{}, 1)
			wg.Go(func() {
				for {
					err := use(s)
					select {
					case started <- struct{}{}:
					default:
					}
					if errors.Is(s.SetNoDelay(true), net.ErrClosed) {
						return
					}
					if name == "write" && err != nil {
						t.Errorf("open, but %v", err)
						return
					}
				}
			})
			if name == "write" {
				wg.Go(func() { io.Copy(io.Discard, client) })
			}
			if name != "read" { // which waits
				<-started
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			wg.Wait()
			if err := s.Close(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("closed twice: %v", err)
			}
			if err := use(s); !errors.Is(err, net.ErrClosed) {
				t.Errorf("used after Close: %v", err)
			}
		})
	}
}

func TestSocketKeepsDeadlinesThroughAllItsForms(t *testing.T) {
	d, client := channel{local: loopbacks(t)[0]}.connect(t, time.Minute)
	defer client.Close()
	s := d.tap.conn.(*sock.Conn)
	s.SetDeadline(time.Now().Add(-time.Second))
	for _, form := range []string{"a descriptor", "a file", "a TCP connection"} {
		if form == "a TCP connection" {
			if _, err := s.TCP(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("as %s: %v", form, err)
		}
	}
	s.SetReadDeadline(time.Time{})
	client.Write([]byte("x"))
	if n, err := s.Read(make([]byte, 9)); n != 1 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestAPipeIsSentToo(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	d, client := channel{local: loopbacks(t)[0]}.connect(t, time.Minute)
	var wg sync.WaitGroup
	wg.Go(func() {
		w.Write([]byte("not a regular file"))
		w.Close()
	})
	n, err := d.ReadFrom(r)
	d.finish()
	wg.Wait()
	if got, _ := io.ReadAll(client); string(got) != "not a regular file" || n != int64(len(got)) || err != nil {
		t.Errorf("%d bytes, %v: %q", n, err, got)
	}
}

func TestWhoseErrorItIs(t *testing.T) {
	for err, network := range map[error]bool{
		os.ErrDeadlineExceeded: true,
		net.ErrClosed:          true,
		syscall.ECONNRESET:     true,
		syscall.EPIPE:          true,
		syscall.ENOSPC:         false,
		syscall.EIO:            false,
		errDisk:                false,
	} {
		wrapped := &os.PathError{Op: "write", Path: "f", Err: fmt.Errorf("splice: %w", err)}
		if isNetwork(wrapped) != network {
			t.Errorf("%v: network is %v", err, !network)
		}
	}
}

func TestASocketNamesBothEnds(t *testing.T) {
	d, client := channel{local: loopbacks(t)[0]}.connect(t, time.Minute)
	s := d.tap.conn.(*sock.Conn)
	for range 2 { // as a descriptor, then as a file
		if s.LocalAddr().String() != client.RemoteAddr().String() || s.RemoteAddr().String() != client.LocalAddr().String() {
			t.Errorf("%v and %v", s.LocalAddr(), s.RemoteAddr())
		}
		s.SetReadDeadline(time.Unix(1, 0))
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) { // waits
			t.Fatal(err)
		}
	}
	s.Close()
	if addrPort(s.LocalAddr()).Addr() != (netip.Addr{}) {
		t.Errorf("closed, and at %v", s.LocalAddr())
	}
}
