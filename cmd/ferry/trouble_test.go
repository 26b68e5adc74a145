package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"ferry/remote/remotetest/servers/gcsserver"
)

// A server that takes nothing from a user whose rights are wrong loses no upload, and the log and
// the remote control say why they wait.
func TestUploadsWaitForTroubleThatPasses(t *testing.T) {
	service := gcsserver.Start(t)
	bucket := service.NewBucket(t)
	pass := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: service.Addr})
	var wrong atomic.Bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wrong.Load() && r.Method != http.MethodGet {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		r.Host = service.Addr
		pass.ServeHTTP(w, r)
	}))
	defer s.Close()
	wrong.Store(true)
	r, socket := controlled(t, "--cache-dir", t.TempDir(), "--vfs-cache-mode", "writes", "--vfs-write-back", "0s",
		fmt.Sprintf(`:gcs,anonymous=true,endpoint="%s":%s`, s.URL, bucket))
	c := dial(t, r.url(t))
	c.cmd(331, "USER anonymous")
	c.cmd(230, "PASS x")
	c.cmd(200, "TYPE I")
	for _, name := range []string{"f0", "f1", "f2", "f3", "f4"} {
		data := c.upload(name)
		fmt.Fprint(data, "content")
		data.Close()
		c.want(226)
		c.cmd(213, "SIZE "+name)
	}
	var because []any
	for len(because) == 0 || because[0].(map[string]any)["uploads"] != 5.0 {
		out, _ := call(t, exitOK, "--unix-socket", socket, "core/stats")
		because, _ = out["waitingBecause"].([]any)
		if t.Context().Err() != nil {
			t.Fatalf("stats: %v", out)
		}
	}
	if why := because[0].(map[string]any)["because"].(string); !strings.Contains(why, "403") {
		t.Errorf("they wait because of %q", why)
	}
	out, _ := call(t, exitOK, "--unix-socket", socket, "vfs/queue")
	for _, q := range out["queue"].([]any) {
		if why, _ := q.(map[string]any)["waitingBecause"].(string); !strings.Contains(why, "403") {
			t.Errorf("the queue has %v", q)
		}
	}
	if out, _ := call(t, exitOK, "--unix-socket", socket, "cache/ls"); len(out["refused"].([]any)) != 0 {
		t.Errorf("refused: %v", out)
	}
	if n := strings.Count(r.logged(), "ERROR"); n != 1 {
		t.Errorf("%d loud lines: %s", n, r.logged())
	}
	wrong.Store(false)
	call(t, exitOK, "--unix-socket", socket, "vfs/flush")
	if names := service.Names(t, bucket); names != "f0 f1 f2 f3 f4" {
		t.Errorf("the bucket has %q", names)
	}
	if out, _ := call(t, exitOK, "--unix-socket", socket, "core/stats"); out["waitingBecause"] != nil {
		t.Errorf("stats: %v", out)
	}
}

// What was acknowledged is served, and more is taken in, by a ferry that is started while its
// rights are wrong. At its first start that is a mistake.
func TestAStartWithWrongRightsServesTheCache(t *testing.T) {
	service := gcsserver.Start(t)
	pass := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: service.Addr})
	var wrong atomic.Bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wrong.Load() {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		r.Host = service.Addr
		pass.ServeHTTP(w, r)
	}))
	defer s.Close()
	bucket := service.NewBucket(t)
	args := []string{"--cache-dir", t.TempDir(), "--vfs-cache-mode", "writes", "--vfs-write-back", "0s",
		fmt.Sprintf(`:gcs,anonymous=true,endpoint="%s":%s`, s.URL, bucket)}
	store := func(c client, name string) {
		c.cmd(331, "USER anonymous")
		c.cmd(230, "PASS x")
		c.cmd(200, "TYPE I")
		data := c.upload(name)
		fmt.Fprint(data, "content")
		data.Close()
		c.want(226)
	}
	wrong.Store(true)
	if status, _, log := runNow(t, nil, append([]string{"serve", "ftp", "--addr", "127.0.0.1:0"}, args...)...); status != exitFailure {
		t.Errorf("the first start: status %d, %s", status, log)
	}
	wrong.Store(false)
	r, _ := controlled(t, args...)
	store(dial(t, r.url(t)), "f")
	r.stop()
	r.wait(t)

	wrong.Store(true)
	r, socket := controlled(t, args...)
	store(dial(t, r.url(t)), "g")
	wrong.Store(false)
	call(t, exitOK, "--unix-socket", socket, "vfs/flush")
	if names := service.Names(t, bucket); names != "f g" {
		t.Errorf("the bucket has %q", names)
	}
	if !strings.Contains(r.logged(), "ERROR : the remote refuses to be used") {
		t.Errorf("the log is %s", r.logged())
	}
}
