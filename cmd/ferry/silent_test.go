package main

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// silentServer returns the address of a server that takes connections and never says a word.
func silentServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var (
		mu    sync.Mutex
		conns []net.Conn // guarded by mu
		done  = make(chan struct{})
	)
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
		for _, conn := range conns {
			conn.Close()
		}
	})
	return l.Addr().String()
}

// silentRemotes are remote strings of every type that has a server, by type, and the environment
// that they want.
func silentRemotes(t *testing.T) (byType map[string]string, env []string) {
	addr := silentServer(t)
	host, port, _ := net.SplitHostPort(addr)
	return map[string]string{
			"s3":        `:s3,provider=Other,endpoint="http://` + addr + `",access_key_id=key,secret_access_key=secret:bucket`,
			"sftp":      ":sftp,host=" + host + ",port=" + port + ",user=bob:dir",
			"ftp":       ":ftp,host=" + host + ",port=" + port + ",user=bob:dir",
			"webdav":    `:webdav,url="http://` + addr + `/",vendor=other:dir`,
			"http":      `:http,url="http://` + addr + `/":dir`,
			"gcs":       `:gcs,anonymous=true,endpoint="http://` + addr + `":bucket`,
			"azureblob": `:azureblob,use_emulator=true,endpoint="http://` + addr + `/devstoreaccount1":container`,
			"combine":   ":combine,upstreams='here=far:bucket':here",
		}, []string{"RCLONE_CONFIG=notfound", "RCLONE_CONFIG_FAR_TYPE=s3", "RCLONE_CONFIG_FAR_PROVIDER=Other",
			"RCLONE_CONFIG_FAR_ENDPOINT=http://" + addr, "RCLONE_CONFIG_FAR_ACCESS_KEY_ID=key", "RCLONE_CONFIG_FAR_SECRET_ACCESS_KEY=secret"}
}

func TestTheStartDoesNotWaitForTheRemote(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long")
	}
	remotes, env := silentRemotes(t)
	for kind, what := range remotes {
		for _, mode := range []string{"off", "writes"} {
			t.Run(kind+"/"+mode, func(t *testing.T) {
				began := time.Now()
				r := start(t, env, what, "--addr", "127.0.0.1:0", "--vfs-cache-mode", mode, "--shutdown-timeout", "100ms")
				c := dial(t, r.url(t))
				if took := time.Since(began); took > soon {
					t.Errorf("it listens after %v", took)
				}
				c.cmd(331, "USER anonymous")
				c.cmd(230, "PASS x")
				if mode == "off" || kind == "http" {
					return
				}
				began = time.Now()
				data := c.upload("dir/file")
				io.WriteString(data, "content")
				data.Close()
				c.want(226)
				if took := time.Since(began); took > soon {
					t.Errorf("an upload is taken after %v", took)
				}
			})
		}
	}
}

// soon is what a start, an upload and an end take on a busy machine; waiting for a remote that is
// silent would take half a minute.
const soon = 10 * time.Second

// What was left by a process before does not change that, and the end comes in time too, while it
// is being sent.
func TestTheEndDoesNotWaitForTheRemote(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long")
	}
	remotes, env := silentRemotes(t)
	for kind, what := range remotes {
		if kind == "http" {
			continue
		}
		t.Run(kind, func(t *testing.T) {
			dir := t.TempDir()
			for range 2 {
				r := start(t, env, what, "--addr", "127.0.0.1:0", "--vfs-cache-mode", "writes",
					"--vfs-write-back", "0s", "--cache-dir", dir, "--shutdown-timeout", "1s", "-v")
				c := dial(t, r.url(t))
				c.cmd(331, "USER anonymous")
				c.cmd(230, "PASS x")
				data := c.upload("file")
				io.WriteString(data, "content")
				data.Close()
				c.want(226)
				c.Close()
				time.Sleep(200 * time.Millisecond) // it is being sent
				began := time.Now()
				r.signals <- syscall.SIGTERM
				if status := r.wait(t); status != exitOK || time.Since(began) > soon {
					t.Errorf("status %d after %v:\n%s", status, time.Since(began), r.logged())
				}
			}
		})
	}
}

func TestAMistakeInTheRootEndsTheStart(t *testing.T) {
	status, _, stderr := runNow(t, nil, "serve", "ftp", t.TempDir()+"/missing", "--addr", "127.0.0.1:0")
	if status != exitFailure || !strings.Contains(stderr, "there is no such directory") {
		t.Errorf("status %d: %s", status, stderr)
	}
	missing := t.TempDir() + "/missing"
	config := filepath.Join(t.TempDir(), "rclone.conf")
	if err := os.WriteFile(config, []byte("[u]\ntype = union\nupstreams = "+t.TempDir()+" "+missing+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"u:", ":union,upstreams='" + t.TempDir() + " " + missing + "':"} {
		status, _, stderr = runNow(t, nil, "serve", "ftp", what, "--config", config, "--addr", "127.0.0.1:0")
		if status != exitFailure || !strings.Contains(stderr, "("+missing+")") {
			t.Errorf("status %d: %s", status, stderr)
		}
	}
	env := []string{"RCLONE_CONFIG=notfound"}
	status, _, stderr = runNow(t, env, "serve", "ftp", `:webdav,url="http://missing.invalid/",vendor=other:`, "--addr", "127.0.0.1:0")
	if status != exitFailure || !strings.Contains(stderr, "missing.invalid") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

// An answer that comes late ends the start too; one that comes very late ends nothing.
func TestARootThatIsFoundMissingLate(t *testing.T) {
	for _, mode := range []string{"off", "writes"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				select {
				case <-time.After(time.Second):
				case <-ctx.Done():
				}
				io.WriteString(conn, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
				conn.Close()
			}
		}()
		r := start(t, []string{"RCLONE_CONFIG=notfound"}, `:webdav,url="http://`+l.Addr().String()+`/",vendor=other:`, "--addr", "127.0.0.1:0",
			"--vfs-cache-mode", mode)
		r.url(t) // it serves until then
		if status := r.wait(t); status != exitFailure || !strings.Contains(r.logged(), "there is no such directory") {
			t.Errorf("%s: status %d:\n%s", mode, status, r.logged())
		}
	}
}
