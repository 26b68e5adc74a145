package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"
)

// The suite "watched" says what it costs to be watched: ferry as it is beside ferry with metrics,
// an audit log, a hook that is told of each upload that is stored, up to 100 in a call, and its
// page open.

// watchedKinds are the two.
func watchedKinds() []kind {
	return []kind{
		{"ferry", findFerry},
		{"ferry watched", findWatched},
	}
}

// watchedRows are the rows of the local suite that an event may slow.
var watchedRows = []string{"retr", "stor", "up", "down", "list", "login", "busy", "tls-retr"}

func watchedWorkloads() []workload {
	var all []workload
	for _, w := range localWorkloads() {
		if slices.Contains(watchedRows, w.name) {
			w.name, w.only = "watched-"+w.name, nil
			all = append(all, w)
		}
	}
	return all
}

// batch is how many events a call of the hook brings at most.
const batch = 100

func findWatched(ctx context.Context, b *bench) (program, error) {
	bin, version, err := b.ferry(ctx)
	if err != nil {
		return program{}, err
	}
	receiver, err := startReceiver(ctx)
	if err != nil {
		return program{}, err
	}
	plain := serveFTP(bin, b.root, nil)
	command := func(b *bench, l launch) (*exec.Cmd, error) {
		metrics, err := freePort()
		if err != nil {
			return nil, err
		}
		control, err := freePort()
		if err != nil {
			return nil, err
		}
		page := fmt.Sprintf("127.0.0.1:%d", control)
		hooks := filepath.Join(b.state, "watched.toml")
		text := fmt.Sprintf("[[hooks]]\nname = 'stored'\nevents = ['upload.stored']\nurl = '%s'\nbatch = %d\n", receiver.url, batch)
		if err := os.WriteFile(hooks, []byte(text), 0o600); err != nil {
			return nil, err
		}
		// What it writes is where the files are that it serves, so that no disk is in one figure
		// alone.
		state := b.besides()
		if err := errors.Join(os.RemoveAll(state), os.Mkdir(state, 0o700)); err != nil {
			return nil, err
		}
		l.flags = slices.Concat(l.flags, []string{
			"--metrics-addr", fmt.Sprintf("127.0.0.1:%d", metrics),
			"--audit-log", filepath.Join(state, "audit.log"),
			"--server-config", hooks,
			"--rc", "--rc-addr", page, "--cache-dir", state,
		})
		go look(ctx, "http://"+page+"/ui/events")
		return plain(b, l)
	}
	version += fmt.Sprintf(" (`--metrics-addr`, `--audit-log`, `--rc` with its page open, a hook on `upload.stored` with `batch = %d`)", batch)
	return program{version: version, user: benchUser, pass: benchPass, command: command}, nil
}

// look keeps a page open until its server ends.
func look(ctx context.Context, url string) {
	for range 200 { // it is about to listen
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, bufio.NewReader(resp.Body))
			resp.Body.Close()
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// A receiver takes what hooks send.
type receiver struct {
	url string
	got atomic.Int64
}

func startReceiver(ctx context.Context) (*receiver, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{url: "http://" + l.Addr().String() + "/"}
	s := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		r.got.Add(1)
	})}
	context.AfterFunc(ctx, func() { s.Close() })
	go func() { _ = s.Serve(l) }() // it ends with the bench
	return r, nil
}
