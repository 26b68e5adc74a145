package ftp

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/ftp/internal/sock"
)

// channel is one kind of data connection.
type channel struct {
	name    string
	local   netip.Addr
	tls     *tlsContext // nil in clear
	roots   *x509.CertPool
	threads *sock.Threads // on which it may block
}

// channels are all kinds: both address families, in clear and over TLS, TLS in both versions.
func channels(t testing.TB) (all []channel) {
	context, roots := testTLS(t, ResumeOffer)
	old := *context
	old.base = context.base.Clone()
	old.base.MaxVersion = tls.VersionTLS12
	for _, local := range loopbacks(t) {
		all = append(all,
			channel{name: local.String() + " clear", local: local},
			channel{name: local.String() + " clear, on threads", local: local, threads: new(sock.Threads)},
			channel{name: local.String() + " TLS 1.3", local: local, tls: context, roots: roots})
	}
	return append(all, channel{name: "TLS 1.2", local: loopbacks(t)[0], tls: &old, roots: roots})
}

// testTLS is a context with a certificate for the loopback addresses, and what makes a client trust
// it.
func testTLS(t testing.TB, resume TLSResume) (*tlsContext, *x509.CertPool) {
	t.Helper()
	certFile, keyFile, _, err := SelfSigned(t.TempDir(), []string{"localhost", "127.0.0.1", "::1"})
	if err != nil {
		t.Fatal(err)
	}
	pair, err := LoadCertificate(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(pair.current.Load().Leaf)
	return newTLSContext(&tls.Config{GetCertificate: pair.GetCertificate}, resume), roots
}

// connect makes a data connection of this kind. stall is its timeout.
func (c channel) connect(t testing.TB, stall time.Duration) (*dataConn, net.Conn) {
	t.Helper()
	p := listening(t, c.local, anyone(), time.Minute)
	client, err := net.Dial("tcp", p.addr(c.local))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	conn, err := p.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d := newDataConn(conn, time.Minute, stall)
	d.tap.threads = c.threads
	t.Cleanup(d.abort)
	if c.tls == nil {
		return d, client
	}
	secure := tls.Client(client, &tls.Config{RootCAs: c.roots, ServerName: "localhost"})
	shaken := make(chan error, 1)
	go func() { shaken <- secure.Handshake() }()
	if err := errors.Join(d.secure(t.Context(), c.tls.data(1, nil)), <-shaken); err != nil {
		t.Fatal(err)
	}
	return d, secure
}

// each runs f over every kind of data connection.
func each(t *testing.T, f func(t *testing.T, c channel)) {
	for _, c := range channels(t) {
		t.Run(c.name, func(t *testing.T) { f(t, c) })
	}
}

// eachTLS is each without what has no TLS.
func eachTLS(t *testing.T, f func(t *testing.T, c channel)) {
	for _, c := range channels(t) {
		if c.tls != nil {
			t.Run(c.name, func(t *testing.T) { f(t, c) })
		}
	}
}

// sizes are around the borders between the ways of moving bytes.
var sizes = []int{0, 1, 4096, blockSize - 1, blockSize, blockSize + 1, 3*recvSlice + 12345, sendSlice + maxUnsent}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(b)
	return b
}

func tempFile(t testing.TB, content []byte) *os.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestSendFromEverySource(t *testing.T) {
	sources := map[string]func(t *testing.T, content []byte) io.Reader{
		"file": func(t *testing.T, content []byte) io.Reader { return tempFile(t, content) },
		"part of a file": func(t *testing.T, content []byte) io.Reader {
			f := tempFile(t, append(append([]byte("before"), content...), "after"...))
			if _, err := f.Seek(6, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			return &io.LimitedReader{R: f, N: int64(len(content))}
		},
		"limit beyond a file": func(t *testing.T, content []byte) io.Reader {
			return &io.LimitedReader{R: tempFile(t, content), N: 1 << 40}
		},
		"writer to":   func(_ *testing.T, content []byte) io.Reader { return bytes.NewReader(content) },
		"reader only": func(_ *testing.T, content []byte) io.Reader { return io.MultiReader(bytes.NewReader(content)) },
	}
	each(t, func(t *testing.T, c channel) {
		for name, source := range sources {
			for _, size := range sizes {
				t.Run(fmt.Sprint(name, " ", size), func(t *testing.T) {
					content := randomBytes(size)
					d, client := c.connect(t, time.Minute)
					sent := make(chan error, 1)
					go func() {
						n, err := d.ReadFrom(source(t, content))
						if err == nil && n != int64(size) {
							err = fmt.Errorf("sent %d bytes", n)
						}
						sent <- errors.Join(err, d.finish())
					}()
					got, err := io.ReadAll(client)
					client.Close()
					if err := errors.Join(err, <-sent); err != nil {
						t.Fatal(err)
					}
					if !bytes.Equal(got, content) {
						t.Errorf("%d bytes arrived, not the %d that were sent", len(got), size)
					}
					if d.count() != int64(size) {
						t.Errorf("counted %d bytes", d.count())
					}
				})
			}
		}
	})
}

// store is an upload that passes the bytes on to a file.
type store struct{ *os.File }

// plainStore hides that an *os.File is an io.ReaderFrom.
type plainStore struct{ io.Writer }

func TestReceiveIntoEveryStore(t *testing.T) {
	stores := map[string]func(f *os.File) io.Writer{
		"file":        func(f *os.File) io.Writer { return f },
		"reader from": func(f *os.File) io.Writer { return store{f} },
		"writer only": func(f *os.File) io.Writer { return plainStore{f} },
		"slow reader from": func(f *os.File) io.Writer {
			return &readerFrom{func(r io.Reader) (int64, error) { return io.Copy(plainStore{f}, r) }, f}
		},
	}
	each(t, func(t *testing.T, c channel) {
		for name, into := range stores {
			for _, size := range sizes {
				t.Run(fmt.Sprint(name, " ", size), func(t *testing.T) {
					content := randomBytes(size)
					d, client := c.connect(t, time.Minute)
					sent := make(chan error, 1)
					go func() {
						_, err := client.Write(content)
						sent <- errors.Join(err, client.Close())
					}()
					f := tempFile(t, nil)
					n, err := d.copyTo(into(f))
					if err := errors.Join(err, d.finish(), <-sent); err != nil || n != int64(size) || d.count() != n {
						t.Fatalf("%d bytes, counted %d: %v", n, d.count(), err)
					}
					got, err := os.ReadFile(f.Name())
					if err != nil || !bytes.Equal(got, content) {
						t.Errorf("%d bytes were stored, not the %d that were sent: %v", len(got), size, err)
					}
				})
			}
		}
	})
}

// readerFrom is an upload with a ReadFrom of its own.
type readerFrom struct {
	readFrom func(r io.Reader) (int64, error)
	io.Writer
}

func (r *readerFrom) ReadFrom(from io.Reader) (int64, error) { return r.readFrom(from) }

var errDisk = errors.New("the disk is full")

type failingFile struct{}

func (failingFile) Write([]byte) (int, error)         { return 0, errDisk }
func (failingFile) Read([]byte) (int, error)          { return 0, errDisk }
func (failingFile) WriteTo(io.Writer) (int64, error)  { return 0, errDisk }
func (failingFile) ReadFrom(io.Reader) (int64, error) { return 0, errDisk }

func TestErrorsOfTheFileAreTold(t *testing.T) {
	each(t, func(t *testing.T, c channel) {
		sends := map[string]io.Reader{
			"read":     struct{ io.Reader }{failingFile{}},
			"write to": failingFile{},
		}
		for name, source := range sends {
			t.Run(name, func(t *testing.T) {
				d, _ := c.connect(t, time.Minute)
				_, err := d.ReadFrom(source)
				isFileError(t, err)
			})
		}
		receives := map[string]io.Writer{
			"write":     failingFile{},
			"read from": &readerFrom{failingFile{}.ReadFrom, io.Discard},
		}
		if c.tls != nil {
			delete(receives, "read from") // is not asked then
		}
		for name, sink := range receives {
			t.Run(name, func(t *testing.T) {
				d, client := c.connect(t, time.Minute)
				var wg sync.WaitGroup
				wg.Go(func() { client.Write(make([]byte, 2*blockSize)) })
				_, err := d.copyTo(sink)
				isFileError(t, err)
				d.abort()
				wg.Wait()
			})
		}
	})
}

func isFileError(t *testing.T, err error) {
	t.Helper()
	var file *fileError
	if !errors.As(err, &file) || !errors.Is(err, errDisk) {
		t.Errorf("%v is not known to be the file's error", err)
	}
}

func isNetworkError(t *testing.T, err error) {
	t.Helper()
	var file *fileError
	if err == nil || errors.Is(err, io.EOF) || errors.As(err, &file) {
		t.Errorf("%v is not known to be the network's error", err)
	}
}

// tcpOf is the TCP connection of a client.
func tcpOf(client net.Conn) *net.TCPConn {
	if t, is := client.(*tls.Conn); is {
		return t.NetConn().(*net.TCPConn)
	}
	return client.(*net.TCPConn)
}

func TestAResetIsNoEnd(t *testing.T) {
	each(t, func(t *testing.T, c channel) {
		for _, size := range []int{0, 100, 2 * blockSize} {
			t.Run(fmt.Sprint("receive ", size), func(t *testing.T) {
				d, client := c.connect(t, time.Minute)
				var wg sync.WaitGroup
				wg.Go(func() {
					client.Write(make([]byte, size))
					tcpOf(client).SetLinger(0)
					tcpOf(client).Close()
				})
				_, err := d.copyTo(tempFile(t, nil))
				isNetworkError(t, err)
				wg.Wait()
			})
		}
		for name, source := range map[string]io.Reader{
			"file":      tempFile(t, make([]byte, 16*recvSlice)),
			"writer to": bytes.NewReader(make([]byte, 16*recvSlice)),
		} {
			t.Run("send "+name, func(t *testing.T) {
				d, client := c.connect(t, time.Minute)
				tcpOf(client).SetLinger(0)
				tcpOf(client).Close()
				_, err := d.ReadFrom(source)
				isNetworkError(t, err)
			})
		}
	})
}

func TestWhatCameBeforeAResetIsStored(t *testing.T) {
	d, client := channel{local: loopbacks(t)[0]}.connect(t, time.Minute)
	arrived := make(chan struct{})
	f := tempFile(t, nil)
	d.tap.conn = &noticing{Conn: d.tap.conn, first: arrived}
	var wg sync.WaitGroup
	wg.Go(func() {
		client.Write([]byte("a part"))
		<-arrived
		tcpOf(client).SetLinger(0)
		client.Close()
	})
	n, err := d.copyTo(f)
	wg.Wait()
	isNetworkError(t, err)
	if got, _ := os.ReadFile(f.Name()); string(got) != "a part" || n != 6 {
		t.Errorf("%d bytes: %q was stored", n, got)
	}
}

// noticing tells when the first bytes have been read.
type noticing struct {
	net.Conn
	first chan struct{}
	once  sync.Once
}

func (n *noticing) Read(p []byte) (int, error) {
	m, err := n.Conn.Read(p)
	if m > 0 {
		n.once.Do(func() { close(n.first) })
	}
	return m, err
}

func TestEndWithoutCloseNotifyIsNoEnd(t *testing.T) {
	eachTLS(t, func(t *testing.T, c channel) {
		for _, size := range []int{0, 100, 3 * blockSize} {
			t.Run(fmt.Sprint(size), func(t *testing.T) {
				d, client := c.connect(t, time.Minute)
				var wg sync.WaitGroup
				wg.Go(func() {
					client.Write(make([]byte, size))
					tcpOf(client).Close()
				})
				n, err := d.copyTo(tempFile(t, nil))
				if err != io.ErrUnexpectedEOF || n != int64(size) {
					t.Errorf("%d bytes, %v", n, err)
				}
				wg.Wait()
			})
		}
	})
}

func TestFinishSaysGoodbyeInTLS(t *testing.T) {
	eachTLS(t, func(t *testing.T, c channel) {
		d, client := c.connect(t, time.Minute)
		// The end of TCP alone must not look like close_notify to this test.
		watch := &tap{conn: tcpOf(client), stall: time.Minute}
		plain := client.(*tls.Conn)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := d.Write([]byte("x")); err != nil {
				t.Error(err)
			}
			if err := d.finish(); err != nil {
				t.Error(err)
			}
		})
		if got, err := io.ReadAll(plain); string(got) != "x" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		if n, err := watch.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("behind close_notify came %d bytes and %v", n, err)
		}
		client.Close()
		wg.Wait()
	})
}

func TestFinishDoesNotWaitForEver(t *testing.T) {
	each(t, func(t *testing.T, c channel) {
		d, _ := c.connect(t, time.Minute)
		if _, err := d.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if err := d.finish(); err != nil { // the client does nothing
			t.Error(err)
		}
	})
}

func TestAbortIsSeenAsAnError(t *testing.T) {
	each(t, func(t *testing.T, c channel) {
		d, client := c.connect(t, time.Minute)
		if _, err := d.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		one := make([]byte, 1)
		if _, err := io.ReadFull(client, one); err != nil {
			t.Fatal(err)
		}
		d.abort()
		if _, err := client.Read(one); err == nil || err == io.EOF {
			t.Errorf("the client sees %v", err)
		}
		d.abort()
		if _, err := d.Write(one); err == nil {
			t.Error("wrote after abort")
		}
		if _, err := d.Read(one); err == nil || err == io.EOF {
			t.Errorf("Read after abort: %v", err)
		}
		if err := d.finish(); err == nil {
			t.Error("an aborted connection ended in good order")
		}
	})
}

func TestAbortWakesWhatWaits(t *testing.T) {
	each(t, func(t *testing.T, c channel) {
		waits := map[string]func(t *testing.T, d *dataConn) error{
			"receive": func(_ *testing.T, d *dataConn) error { _, err := d.copyTo(io.Discard); return err },
			"splice":  func(t *testing.T, d *dataConn) error { _, err := d.copyTo(tempFile(t, nil)); return err },
			"send":    func(_ *testing.T, d *dataConn) error { _, err := d.ReadFrom(endless{}); return err },
			"sendfile": func(t *testing.T, d *dataConn) error {
				_, err := d.ReadFrom(tempFile(t, make([]byte, 32*recvSlice)))
				return err
			},
		}
		for name, wait := range waits {
			t.Run(name, func(t *testing.T) {
				d, client := c.connect(t, time.Minute)
				if name == "splice" {
					if _, err := client.Write(make([]byte, blockSize+1)); err != nil {
						t.Fatal(err)
					}
				}
				ended := make(chan error, 1)
				go func() { ended <- wait(t, d) }()
				for name != "receive" && d.count() == 0 {
					select {
					case err := <-ended:
						t.Fatal(err)
					case <-time.After(time.Millisecond):
					}
				}
				d.abort()
				isNetworkError(t, <-ended)
			})
		}
	})
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestStallsEndTransfers(t *testing.T) {
	each(t, func(t *testing.T, c channel) {
		t.Parallel()
		const stall = 200 * time.Millisecond
		ops := map[string]func(t *testing.T, d *dataConn) error{
			"receive": func(_ *testing.T, d *dataConn) error { _, err := d.copyTo(io.Discard); return err },
			"splice":  func(t *testing.T, d *dataConn) error { _, err := d.copyTo(tempFile(t, nil)); return err },
			"send":    func(_ *testing.T, d *dataConn) error { _, err := d.ReadFrom(endless{}); return err },
			"sendfile": func(t *testing.T, d *dataConn) error {
				_, err := d.ReadFrom(tempFile(t, make([]byte, 32*recvSlice)))
				return err
			},
		}
		for name, op := range ops {
			t.Run(name, func(t *testing.T) {
				d, client := c.connect(t, stall)
				if name == "splice" {
					if _, err := client.Write(make([]byte, blockSize+1)); err != nil {
						t.Fatal(err)
					}
				}
				began := time.Now()
				err := op(t, d)
				if !errors.Is(err, errStalled) || time.Since(began) < stall {
					t.Errorf("%v after %v", err, time.Since(began))
				}
				isNetworkError(t, err)
			})
		}
	})
}

func TestASpliceThatTricklesGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long")
	}
	t.Parallel()
	const stall = 4 * time.Second // most of it is for a busy machine, where a tick comes late
	d, client := channel{local: loopbacks(t)[0]}.connect(t, stall)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer client.Close()
		client.Write(make([]byte, blockSize))
		tick := time.NewTicker(stall * 3 / 8)
		defer tick.Stop()
		for range 3 {
			<-tick.C
			client.Write([]byte("x"))
		}
	})
	f := tempFile(t, nil)
	n, err := d.copyTo(f)
	if n != blockSize+3 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	wg.Wait()
	if got, _ := os.ReadFile(f.Name()); !strings.HasSuffix(string(got), "\x00xxx") || len(got) != blockSize+3 {
		t.Errorf("%d bytes were stored", len(got))
	}
}

func TestSecureTimesOut(t *testing.T) {
	context, _ := testTLS(t, ResumeOffer)
	d, _ := channel{local: loopbacks(t)[0]}.connect(t, time.Minute)
	d.connect = 20 * time.Millisecond
	if err := d.secure(t.Context(), context.data(1, nil)); !isTimeout(err) {
		t.Error(err)
	}
	if _, err := d.tap.conn.Write([]byte("x")); err == nil {
		t.Error("the connection is still open")
	}
}

func isTimeout(err error) bool { return errors.Is(err, context.DeadlineExceeded) }

func TestActiveConnectionsMoveFilesToo(t *testing.T) {
	local := loopbacks(t)[0]
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0)))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := newActive(local, l.Addr().(*net.TCPAddr).AddrPort(), time.Minute).open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d := newDataConn(conn, time.Minute, time.Minute)
	defer d.abort()
	client, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	content := randomBytes(2*recvSlice + 1)
	sent := make(chan error, 1)
	go func() {
		_, err := d.ReadFrom(tempFile(t, content))
		sent <- errors.Join(err, d.finish())
	}()
	got, err := io.ReadAll(client)
	if err := errors.Join(err, <-sent); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
