package ftp

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"
	"runtime"
	"testing"
	"time"
)

// The benchmarks of large transfers report the processor time of the server's thread alone as
// cpu-s/GiB; the client runs in another thread of the same process. They take -benchtime 5x or so.
// BenchmarkSmallFile leaves a TIME-WAIT per file: keep it to a few thousand.

const benchSize = 256 << 20

func benchChannels(b *testing.B) []channel {
	context, roots := testTLS(b, ResumeOffer)
	local := loopbacks(b)[0]
	return []channel{{name: "clear", local: local}, {name: "TLS", local: local, tls: context, roots: roots}}
}

// perGiB runs op b.N times, each moving benchSize bytes, and reports what that cost this thread.
func perGiB(b *testing.B, op func() error) {
	b.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	b.SetBytes(benchSize)
	before := threadTime()
	for b.Loop() {
		if err := op(); err != nil {
			b.Fatal(err)
		}
	}
	gib := float64(b.N) * benchSize / (1 << 30)
	b.ReportMetric((threadTime()-before).Seconds()/gib, "cpu-s/GiB")
}

func BenchmarkSend(b *testing.B) {
	file := tempFile(b, make([]byte, benchSize))
	sources := []struct {
		name string
		make func(*os.File) io.Reader
	}{
		{"file", func(f *os.File) io.Reader { return f }},
		{"blocks", func(f *os.File) io.Reader { return struct{ io.Reader }{f} }},
	}
	for _, c := range benchChannels(b) {
		for _, source := range sources {
			b.Run(c.name+"/"+source.name, func(b *testing.B) {
				perGiB(b, func() error {
					if _, err := file.Seek(0, io.SeekStart); err != nil {
						return err
					}
					d, client := c.connect(b, time.Minute)
					go drain(client)
					if _, err := d.ReadFrom(source.make(file)); err != nil {
						return err
					}
					return d.finish()
				})
			})
		}
	}
}

func drain(client net.Conn) {
	defer client.Close()
	buf := make([]byte, 256<<10)
	for {
		if _, err := client.Read(buf); err != nil {
			return
		}
	}
}

func BenchmarkReceive(b *testing.B) {
	stores := []struct {
		name string
		make func(*os.File) io.Writer
	}{
		{"file", func(f *os.File) io.Writer { return f }},
		{"blocks", func(f *os.File) io.Writer { return plainStore{f} }},
	}
	for _, c := range benchChannels(b) {
		for _, store := range stores {
			b.Run(c.name+"/"+store.name, func(b *testing.B) {
				perGiB(b, func() error {
					f, err := os.CreateTemp(b.TempDir(), "")
					if err != nil {
						return err
					}
					defer os.Remove(f.Name())
					defer f.Close()
					d, client := c.connect(b, time.Minute)
					go pour(client)
					if _, err := d.copyTo(store.make(f)); err != nil {
						return err
					}
					return d.finish()
				})
			})
		}
	}
}

func pour(client net.Conn) {
	defer client.Close()
	buf := make([]byte, 256<<10)
	for n := 0; n < benchSize; n += len(buf) {
		if _, err := client.Write(buf); err != nil {
			return
		}
	}
}

func BenchmarkSmallFile(b *testing.B) {
	file := tempFile(b, make([]byte, 4096))
	for _, c := range benchChannels(b) {
		b.Run("send/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := file.Seek(0, io.SeekStart); err != nil {
					b.Fatal(err)
				}
				d, client := c.connect(b, time.Minute)
				if _, err := d.ReadFrom(file); err != nil {
					b.Fatal(err)
				}
				done := make(chan struct{})
				go func() { drain(client); close(done) }()
				if err := d.finish(); err != nil {
					b.Fatal(err)
				}
				<-done
			}
		})
		b.Run("receive/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			content := make([]byte, 4096)
			for b.Loop() {
				d, client := c.connect(b, time.Minute)
				if _, err := client.Write(content); err != nil {
					b.Fatal(err)
				}
				client.Close()
				if _, err := d.copyTo(plainStore{io.Discard}); err != nil {
					b.Fatal(err)
				}
				if err := d.finish(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkHandshake(b *testing.B) {
	context, roots := testTLS(b, ResumeOffer)
	for name, w := range map[string]*wallet{"full": nil, "resumed": {}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				handshake(b, context.data(1, nil), roots, w)
			}
		})
	}
}

// handshake runs both sides in memory.
func handshake(b *testing.B, server *tls.Config, roots *x509.CertPool, w *wallet) {
	b.Helper()
	d, client := channel{local: loopbacks(b)[0]}.connect(b, time.Minute)
	cfg := &tls.Config{RootCAs: roots, ServerName: "localhost"}
	if w != nil {
		cfg.ClientSessionCache = w
	}
	done := make(chan error, 1)
	go func() {
		conn := tls.Client(client, cfg)
		_, err := io.Copy(io.Discard, conn)
		client.Close()
		done <- err
	}()
	if err := d.secure(b.Context(), server); err != nil {
		b.Fatal(err)
	}
	if err := d.finish(); err != nil {
		b.Fatal(err)
	}
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}
