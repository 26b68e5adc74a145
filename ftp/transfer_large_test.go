package ftp_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ferry/ftp"
	"ferry/remote/driver/local"
)

// A large file of a local directory is sent inside the kernel, by calls that block while the client
// is fast. However the transfer ends then, it ends soon, and not as a file that is whole.
func TestALargeDownloadIsCut(t *testing.T) {
	for name, cut := range map[string]func(d *dialogue, srv *ftp.Server){
		"abort": func(d *dialogue, _ *ftp.Server) { d.steps("> ABOR", "<< 426", "<< 226", "> NOOP", "<< 200") },
		"kick": func(d *dialogue, srv *ftp.Server) {
			srv.Kick(srv.Sessions()[0].ID)
			d.steps("<< 421", "<< 421", "closed")
		},
		"shutdown": func(d *dialogue, srv *ftp.Server) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if err := srv.Shutdown(ctx); err != context.Canceled {
				t.Errorf("Shutdown returned %v", err)
			}
			d.steps("<< 421", "<< 421", "closed")
		},
		"reset of the control connection": func(d *dialogue, srv *ftp.Server) {
			d.raw.(*net.TCPConn).SetLinger(0)
			d.raw.Close()
			for len(srv.Sessions()) > 0 {
				time.Sleep(time.Millisecond)
			}
		},
	} {
		for client, most := range map[string]int64{"reads on": 1 << 62, "has stopped": 64 << 20} {
			t.Run(name+", client "+client, func(t *testing.T) {
				srv, d := downloadHuge(t)
				got := make(chan error, 1)
				data := d.dataConn()
				go func() {
					_, err := io.CopyN(io.Discard, data, most)
					got <- err
				}()
				for srv.Sessions()[0].Bytes < 32<<20 { // what is counted is counted while it moves
					time.Sleep(time.Millisecond)
				}
				cut(d, srv)
				err := <-got
				if err == nil {
					_, err = io.Copy(io.Discard, data)
				}
				if err == nil || errors.Is(err, io.EOF) {
					t.Error("the client sees the end of a file")
				}
			})
		}
	}
}

// downloadHuge begins to download a file that takes minutes.
func downloadHuge(t *testing.T) (srv *ftp.Server, d *dialogue) {
	t.Helper()
	dir := t.TempDir()
	store, err := local.New(dir, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	name := filepath.Join(dir, "huge")
	if err := errors.Join(os.WriteFile(name, nil, 0o600), os.Truncate(name, 1<<40)); err != nil {
		t.Fatal(err)
	}
	d = talk(t, store, func(s *ftp.Server) { srv = s })
	d.steps("passive", "> RETR huge", "<< 150")
	return srv, d
}

// A client that goes away, and one that stops reading, end a download that was fast before.
func TestALargeDownloadLosesItsClient(t *testing.T) {
	for name, leave := range map[string]func(data net.Conn){
		"reset": func(data net.Conn) { data.(*net.TCPConn).SetLinger(0); data.Close() },
		"end":   func(data net.Conn) { data.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			_, d := downloadHuge(t)
			if _, err := io.CopyN(io.Discard, d.dataConn(), 64<<20); err != nil {
				t.Fatal(err)
			}
			leave(d.dataConn())
			d.steps("<< 426", "> NOOP", "<< 200")
		})
	}
}

// More clients than may block at once are all served.
func TestManyLargeDownloadsAtOnce(t *testing.T) {
	srv, first := downloadHuge(t)
	all := []*dialogue{first}
	for range 20 {
		d := &dialogue{t: t, where: t.Name(), addr: first.addr, store: first.store}
		d.connect()
		t.Cleanup(d.hangUp)
		d.steps("login", "passive", "> RETR huge", "<< 150")
		all = append(all, d)
	}
	for _, d := range all {
		go io.Copy(io.Discard, d.dataConn())
	}
	waits := func(s ftp.SessionInfo) bool { return s.Bytes < 16<<20 }
	for slices.ContainsFunc(srv.Sessions(), waits) {
		time.Sleep(time.Millisecond)
	}
	for _, d := range all {
		d.steps("> ABOR", "<< 426", "<< 226")
	}
}
