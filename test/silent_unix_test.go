//go:build unix

package test

import (
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// What a client waits at most, on a machine that has other things to do, too. A question that is
// not answered costs five seconds, and what cannot do without an answer ends after 30.
const (
	noWait   = 4500 * time.Millisecond
	oneWait  = 9500 * time.Millisecond
	longWait = 40 * time.Second
)

// A gateway that is stopped, not killed: its port is open, and nothing is ever answered. The times
// are those of a client.
func TestAGatewayThatIsStoppedStopsNobody(t *testing.T) {
	t.Parallel() // it mostly waits
	s := startGateway(t)
	where := "far:" + s.fresh(t)
	env := append(s.environment("far", s.addr), "FERRY_DIR_CACHE_TIME=1s", "FERRY_POLL_INTERVAL=0", "FERRY_SHUTDOWN_TIMEOUT=3s")
	cached := append(slices.Clone(env), "FERRY_VFS_CACHE_MODE=writes", "FERRY_VFS_WRITE_BACK=0s", "FERRY_CACHE_DIR="+t.TempDir())
	proc, addr := serveAt(t, where, cached)
	_, offAddr := serveAt(t, where, env)
	c, off := login(t, "", addr), login(t, "", offAddr)
	for _, name := range []string{"a", "b", "c"} {
		off.upload("STOR "+name, []byte("content of "+name))
	}
	off.do("MKD empty", 257)
	for _, client := range []*ftpClient{c, off} {
		client.fetch("LIST")
		client.fetch("LIST empty")
	}
	time.Sleep(2 * time.Second) // what is known grows old
	signalServer(t, s, syscall.SIGSTOP)
	t.Cleanup(func() { signalServer(t, s, syscall.SIGCONT) })

	// They only wait: subtests in turns of their own would keep others from theirs.
	var all sync.WaitGroup
	for name, test := range map[string]func(t *testing.T){
		"off": func(t *testing.T) {
			off := login(t, "", offAddr)
			off.within(t, oneWait, "LIST", func() { wantNames(t, off, "a", "b", "c", "empty") })
			off.within(t, noWait, "LIST, once more", func() { wantNames(t, off, "a", "b", "c", "empty") })
			off.within(t, noWait, "SIZE", func() { off.do("SIZE a", 213) })
			off.within(t, longWait, "CWD", func() { off.do("CWD nobody/knows", 451) })
		},
		"off, with a deletion": func(t *testing.T) {
			off := login(t, "", offAddr)
			off.within(t, longWait, "DELE", func() { off.do("DELE a", 451) })
		},
		"off, with a new directory": func(t *testing.T) {
			off := login(t, "", offAddr)
			off.within(t, longWait, "MKD", func() { off.do("MKD new", 451) })
		},
		"writes": func(t *testing.T) {
			c := login(t, "", addr)
			c.within(t, oneWait, "LIST", func() { wantNames(t, c, "a", "b", "c", "empty") })
			c.within(t, noWait, "SIZE", func() { c.do("SIZE a", 213) })
			c.within(t, oneWait, "DELE", func() { c.do("DELE b", 250) })
			c.within(t, oneWait, "RNTO", func() { c.do("RNFR c", 350); c.do("RNTO moved", 250) })
			c.within(t, oneWait, "MKD", func() { c.do("MKD made", 257) })
			c.within(t, oneWait, "RMD", func() { c.do("RMD empty", 250) })
			c.within(t, oneWait, "STOR", func() { c.upload("STOR made/new", []byte("new")) })
			wantNames(t, c, "a", "made", "moved")
			c.within(t, longWait, "CWD", func() { c.do("CWD nobody/knows", 451) })
		},
	} {
		all.Go(func() { t.Run(name, test) })
	}
	all.Wait()
	if t.Failed() {
		return
	}
	began := time.Now()
	signal(t, proc, syscall.SIGTERM)
	if code, err := proc.wait(); err != nil || code != 0 || time.Since(began) > oneWait {
		t.Errorf("exit status %d, %v, after %v", code, err, time.Since(began))
	}
	began = time.Now()
	_, addr = serveAt(t, where, cached)
	c = login(t, "", addr)
	c.upload("STOR later", []byte("later"))
	if took := time.Since(began); took > noWait {
		t.Errorf("the start and an upload took %v", took)
	}

	signalServer(t, s, syscall.SIGCONT)
	_, freshAddr := serveAt(t, where, env)
	wantWhatWasPromised(t, login(t, "", freshAddr))
}

// wantWhatWasPromised waits until the gateway has all that clients were promised while it was
// stopped.
func wantWhatWasPromised(t *testing.T, fresh *ftpClient) {
	t.Helper()
	want := []string{"a", "later", "made", "moved"}
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(time.Second) {
		got := names(fresh)
		if slices.Equal(got, want) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the remote has %q, want %q", got, want)
		}
	}
	if got := string(fresh.fetch("RETR moved")); got != "content of c" {
		t.Errorf("moved is %q", got)
	}
	if got := string(fresh.fetch("RETR made/new")); got != "new" {
		t.Errorf("made/new is %q", got)
	}
}

func signalServer(t *testing.T, s *site, sig syscall.Signal) {
	t.Helper()
	if err := s.server.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// within fails the test when do takes longer than that.
func (c *ftpClient) within(t *testing.T, most time.Duration, what string, do func()) {
	t.Helper()
	began := time.Now()
	do()
	if took := time.Since(began); took > most {
		t.Errorf("%s took %v", what, took)
	} else {
		t.Logf("%s took %v", what, took.Round(time.Millisecond))
	}
}

func names(c *ftpClient) []string {
	all := lines(c.fetch("NLST"))
	for i := range all {
		all[i] = strings.TrimSuffix(all[i], "\r")
	}
	slices.Sort(all)
	return all
}

func wantNames(t *testing.T, c *ftpClient, want ...string) {
	t.Helper()
	if got := names(c); !slices.Equal(got, want) {
		t.Errorf("it lists %q, want %q", got, want)
	}
}
