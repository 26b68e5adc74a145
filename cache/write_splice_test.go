package cache

import (
	"bytes"
	"crypto/rand"
	"io"
	"net"
	"os"
	"testing"
)

// sent returns a connection that yields content.
func sent(tb testing.TB, content []byte) net.Conn {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	out, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	in, err := l.Accept()
	if err != nil {
		tb.Fatal(err)
	}
	go func() {
		defer out.Close()
		if _, err := out.Write(content); err != nil {
			tb.Error(err)
		}
	}()
	return in
}

func TestADraftReadsFromAConnection(t *testing.T) {
	content := make([]byte, 3*mebi+123)
	rand.Read(content)
	s := openReal(t, t.TempDir(), Options{})
	defer closeStore(t, s)
	for name, limit := range map[string]func(io.Reader) io.Reader{
		"all":     func(r io.Reader) io.Reader { return r },
		"limited": func(r io.Reader) io.Reader { return &io.LimitedReader{R: r, N: 2*mebi + 1} },
	} {
		t.Run(name, func(t *testing.T) {
			conn := sent(t, content)
			defer conn.Close()
			d := begin(t, s, name)
			var n int64
			for n < int64(len(content)) {
				m, err := d.ReadFrom(limit(conn))
				n += m
				if err != nil || m == 0 {
					t.Fatal(m, err)
				}
			}
			r, err := d.Commit(t.Context(), Record{Name: name}, Spooled)
			if err != nil {
				t.Fatal(err)
			}
			c, err := s.OpenContent(r.ID)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			reader, err := c.Reader(mebi)
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Close()
			if _, ok := reader.(*os.File); !ok {
				t.Errorf("the reader is a %T, which the kernel does not send", reader)
			}
			got, err := io.ReadAll(reader)
			if err != nil || !bytes.Equal(got, content[mebi:]) {
				t.Errorf("it has %d bytes, %v", len(got), err)
			}
		})
	}
}

func BenchmarkReceive(b *testing.B) {
	content := make([]byte, 64*mebi)
	s := openForBench(b)
	defer s.Close()
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		conn := sent(b, content)
		d, err := s.Create(b.Context(), CreateOptions{Name: "f"})
		if err != nil {
			b.Fatal(err)
		}
		if n, err := d.ReadFrom(conn); n != int64(len(content)) || err != nil {
			b.Fatal(n, err)
		}
		if err := d.Abort(); err != nil {
			b.Fatal(err)
		}
		conn.Close()
	}
}

// BenchmarkStore receives a file and makes it durable, as an upload does.
func BenchmarkStore(b *testing.B) {
	content := make([]byte, 256*mebi)
	s := openForBench(b)
	defer s.Close()
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		conn := sent(b, content)
		d, err := s.Create(b.Context(), CreateOptions{Name: "f"})
		if err != nil {
			b.Fatal(err)
		}
		if n, err := d.ReadFrom(conn); n != int64(len(content)) || err != nil {
			b.Fatal(n, err)
		}
		r, err := d.Commit(b.Context(), Record{Name: "f"}, Durable)
		if err != nil {
			b.Fatal(err)
		}
		conn.Close()
		if err := s.Drop(r.ID, Spooled); err != nil {
			b.Fatal(err)
		}
	}
}
