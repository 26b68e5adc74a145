package ftp_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"ferry/ftp"
	"ferry/remote/memory"
)

// slow is a tree that takes a while to open a file and to list a directory.
type slow struct{ ftp.FS }

func (s slow) Open(ctx context.Context, name string, off int64) (io.ReadCloser, error) {
	time.Sleep(time.Second)
	return io.NopCloser(strings.NewReader("content")), nil
}

func (slow) Close() error { return nil }

// Replies come in the order of the commands (RFC 959, section 5.4), except those to commands sent during a transfer.
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
