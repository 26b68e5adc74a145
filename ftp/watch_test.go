package ftp_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"strings"
	"testing"
	"time"

	"ferry/ftp"
	"ferry/remote/driver/memory"
)

// slow is a tree that takes a while to open a file and to list a directory.
type slow struct{ ftp.FS }

func (s slow) Open(ctx context.Context, name string, off int64) (io.ReadCloser, error) {
	time.Sleep(time.Second)
	return io.NopCloser(strings.NewReader("content")), nil
}

func (slow) Close() error { return nil }

// Replies come in the order of the commands (RFC 959, section 5.4), except those to commands sent
// during a transfer.
func TestNothingIsAnsweredAheadOf150(t *testing.T) {
	srv := newServer(t, memory.New(), nil)
	srv.Backend = backendFunc(func() (ftp.FS, error) { return slow{}, nil })
	overPipe(t, srv, func(d *dialogue) {
		d.steps(">> HASH f\\r\\nNOOP\\r\\nSTAT\\r\\n", "<< 213", "<< 200", "<< 211")
	})
}

// endless is a tree with one file that never ends.
type endless struct{ slow }

func (endless) Open(ctx context.Context, _ string, _ int64) (io.ReadCloser, error) {
	return io.NopCloser(readerFunc(func(p []byte) (int, error) {
		time.Sleep(time.Second)
		return len(p), context.Cause(ctx)
	})), nil
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestADigestEndsWithItsClient(t *testing.T) {
	srv := newServer(t, memory.New(), nil)
	srv.Backend = backendFunc(func() (ftp.FS, error) { return endless{}, nil })
	overPipe(t, srv, func(d *dialogue) {
		d.steps("> XMD5 f")
		time.Sleep(time.Minute)
		if n := len(srv.Sessions()); n != 1 {
			t.Errorf("%d sessions before the client left", n)
		}
		d.raw.Close()
		time.Sleep(2 * time.Second)
		if n := len(srv.Sessions()); n != 0 {
			t.Errorf("%d sessions after it", n)
		}
	})
}

// However many commands wait behind an upload, they do not decide whether it is whole.
func TestCommandsThatWaitDoNotDecide(t *testing.T) {
	for _, waiting := range []int{31, 32, 33, 3000, 100_000} {
		t.Run(fmt.Sprint(waiting), func(t *testing.T) {
			store := memory.New()
			addr := talk(t, store).addr
			begin := func(name string) *net.TCPConn {
				d := &dialogue{t: t, where: t.Name(), addr: addr, store: store}
				d.connect()
				t.Cleanup(d.hangUp)
				d.step("login")
				d.startUpload(name, "12345")
				go io.Copy(io.Discard, d.in)
				io.WriteString(d.conn, strings.Repeat("NOOP\r\n", waiting))
				data := d.data.(*net.TCPConn)
				if name == "killed" {
					d.raw.(*net.TCPConn).CloseWrite()
				}
				return data
			}
			begin("killed").Close()
			if waiting <= 3000 {
				begin("whole").Close()
				waitForFile(t, store, "whole", "12345")
			}
			d2 := &dialogue{t: t, where: t.Name(), addr: addr, store: store}
			d2.connect()
			defer d2.hangUp()
			d2.steps("login")
			for !strings.HasPrefix(d2.sizeOf("killed"), "213 5") { // the part, or the file
				time.Sleep(time.Millisecond)
			}
			d2.steps("nofile killed")
		})
	}
}

// crowded is a tree with a directory that never ends.
type crowded struct{ slow }

func (crowded) Stat(context.Context, string) (fs.FileInfo, error) { return fileInfo{dir: true}, nil }

func (crowded) List(context.Context, string) iter.Seq2[fs.FileInfo, error] {
	return func(yield func(fs.FileInfo, error) bool) {
		for yield(fileInfo{}, nil) {
			time.Sleep(time.Millisecond)
		}
	}
}

type fileInfo struct{ dir bool }

func (fileInfo) Name() string       { return "name" }
func (fileInfo) Size() int64        { return 0 }
func (fileInfo) ModTime() time.Time { return time.Time{} }
func (fileInfo) Sys() any           { return nil }
func (f fileInfo) IsDir() bool      { return f.dir }
func (f fileInfo) Mode() fs.FileMode {
	if f.dir {
		return fs.ModeDir
	}
	return 0
}

// What a pattern passes over is looked through for nobody when the client has left.
func TestALongSearchEndsWithItsClient(t *testing.T) {
	srv := newServer(t, memory.New(), nil)
	srv.Backend = backendFunc(func() (ftp.FS, error) { return missing{}, nil })
	overPipe(t, srv, func(d *dialogue) {
		d.write("STAT x*\r\n")
		time.Sleep(time.Minute)
		d.raw.Close()
		time.Sleep(2 * time.Second)
		if n := len(srv.Sessions()); n != 0 {
			t.Errorf("%d sessions after the client left", n)
		}
	})
}

// missing is crowded without what the pattern would be literally.
type missing struct{ crowded }

func (m missing) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	if name == "x*" {
		return nil, fs.ErrNotExist
	}
	return m.crowded.Stat(ctx, name)
}
