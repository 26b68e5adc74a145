package test

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// sessionsInCI is how many sessions run unless FERRY_SESSIONS says how many.
const sessionsInCI = 400

// held is what a server holds.
type held struct {
	descriptors, goroutines int
	heap                    int64 // bytes in use after garbage was collected
	rss                     int64
}

func (h held) String() string {
	return fmt.Sprintf("%d descriptors, %d goroutines, %.1f MiB heap, %.1f MiB RSS",
		h.descriptors, h.goroutines, float64(h.heap)/(1<<20), float64(h.rss)/(1<<20))
}

var (
	controlURL = regexp.MustCompile(`serving remote control on (http://\S+)`)
	residentKB = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)
)

// measure asks a server without sessions what it holds.
func measure(t *testing.T, p *process, control string) (h held) {
	t.Helper()
	call := func(method, path string) string {
		req, err := http.NewRequestWithContext(t.Context(), method, control+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Close = true
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s, %v", path, resp.StatusCode, text, err)
		}
		return string(text)
	}
	for deadline := time.Now().Add(2 * patience); ; time.Sleep(50 * time.Millisecond) {
		if strings.Contains(call(http.MethodPost, "ftp/sessions"), `"sessions": []`) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("there are sessions left")
		}
	}
	call(http.MethodPost, "core/gc") // what a sync.Pool holds goes with the second
	call(http.MethodPost, "core/gc")
	var memory struct{ HeapAlloc int64 }
	if err := json.Unmarshal([]byte(call(http.MethodPost, "core/memstats")), &memory); err != nil {
		t.Fatal(err)
	}
	h.heap = memory.HeapAlloc
	first, _, _ := strings.Cut(call(http.MethodGet, "debug/pprof/goroutine?debug=1"), "\n")
	if _, err := fmt.Sscanf(first, "goroutine profile: total %d", &h.goroutines); err != nil {
		t.Fatalf("%q: %v", first, err)
	}
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	h.descriptors = len(fds)
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if m := residentKB.FindSubmatch(status); m != nil {
		kb, _ := strconv.ParseInt(string(m[1]), 10, 64)
		h.rss = kb << 10
	}
	return h
}

// A visitor is a client that does this and that, and leaves as it likes.
type visitor struct {
	rnd  *rand.Rand
	addr string
	conn net.Conn
	text *textproto.Conn
}

// visitOnce runs one session. What the server answers does not matter, as long as it answers.
func visitOnce(seed uint64, addr string) error {
	v := &visitor{rnd: rand.New(rand.NewPCG(seed, 1)), addr: addr}
	from := fmt.Sprintf("127.%d.%d.%d", v.rnd.IntN(250), v.rnd.IntN(250), 1+v.rnd.IntN(250))
	conn, err := dial(from, addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(2 * patience))
	v.conn, v.text = conn, textproto.NewConn(conn)
	if v.rnd.IntN(10) == 0 {
		return nil // at once
	}
	if _, _, err := v.text.ReadResponse(220); err != nil {
		return err
	}
	if v.rnd.IntN(4) == 0 {
		if err := v.do("AUTH TLS"); err != nil {
			return err
		}
		secure := tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
		if err := secure.Handshake(); err != nil {
			return err
		}
		v.conn, v.text = secure, textproto.NewConn(secure)
	}
	if v.rnd.IntN(10) > 0 {
		if err := v.do("USER bob", "PASS builder", "TYPE I"); err != nil {
			return err
		}
	}
	for range v.rnd.IntN(8) {
		if err := v.step(); err != nil {
			return err
		}
	}
	if v.rnd.IntN(3) == 0 {
		return v.do("QUIT")
	}
	return nil
}

// do sends commands and reads a reply to each.
func (v *visitor) do(commands ...string) error {
	for _, c := range commands {
		if err := v.text.PrintfLine("%s", c); err != nil {
			return err
		}
		if _, _, err := v.text.ReadResponse(0); err != nil {
			return fmt.Errorf("%s: %w", c, err)
		}
	}
	return nil
}

// step is one thing that a client does.
func (v *visitor) step() error {
	name := fmt.Sprintf("f%d", v.rnd.IntN(20))
	switch v.rnd.IntN(10) {
	case 0:
		return v.do("PWD", "FEAT", "STAT", "SIZE "+name, "MLST "+name)
	case 1:
		return v.do("MKD d"+name, "CWD d"+name, "CDUP", "RMD d"+name)
	case 2:
		return v.do("RNFR "+name, "RNTO g"+name, "DELE g"+name)
	case 3:
		return v.do("EPSV", "PASV", "EPSV") // and none is used
	case 4:
		return v.do("XMD5 "+name, "REST 3", "nonsense")
	case 5, 6:
		return v.transfer("STOR " + name)
	case 7:
		return v.transfer("RETR " + name)
	case 8:
		return v.transfer("MLSD")
	}
	return v.transfer("APPE " + name)
}

// transfer moves data, or breaks off.
func (v *visitor) transfer(command string) error {
	if err := v.text.PrintfLine("EPSV"); err != nil {
		return err
	}
	code, reply, err := v.text.ReadResponse(0)
	if err != nil || code != 229 {
		return err
	}
	_, rest, _ := strings.Cut(reply, "(|||")
	port, _, _ := strings.Cut(rest, "|")
	local, _, _ := net.SplitHostPort(v.conn.LocalAddr().String())
	data, err := dial(local, net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return err
	}
	defer data.Close()
	data.SetDeadline(time.Now().Add(patience))
	if err := v.text.PrintfLine("%s", command); err != nil {
		return err
	}
	if code, _, err := v.text.ReadResponse(0); err != nil || code != 150 {
		return err
	}
	switch {
	case v.rnd.IntN(5) == 0:
		data.(*net.TCPConn).SetLinger(0)
	case command[0] == 'S' || command[0] == 'A':
		_, _ = data.Write(make([]byte, v.rnd.IntN(100_000))) // it may be refused in the middle
	default:
		_, _ = io.Copy(io.Discard, bufio.NewReader(data))
	}
	data.Close()
	_, _, err = v.text.ReadResponse(0)
	return err
}

// Whatever sessions do, they leave nothing behind: descriptors, goroutines and the heap are what
// they were.
func TestSessionsLeaveNothingBehind(t *testing.T) {
	sessions := sessionsInCI
	if n, err := strconv.Atoi(os.Getenv("FERRY_SESSIONS")); err == nil {
		sessions = n
	}
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "large"), make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	p, addr := serve(t, root, "--tls", "self-signed", "--cache-dir", t.TempDir(), "--max-sessions", "200", "--data-timeout", "2s,1m",
		"--rc", "--rc-no-auth", "--rc-addr", "127.0.0.1:0")
	if err := p.log.waitForLine(controlURL.String()); err != nil {
		t.Fatal(err)
	}
	control := controlURL.FindStringSubmatch(p.log.String())[1]
	var next, broken atomic.Int64
	run := func(n int) {
		end := next.Load() + int64(n)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for i := next.Add(1); i <= end; i = next.Add(1) {
					if err := visitOnce(uint64(i), addr); err != nil {
						if broken.Add(1) < 10 {
							t.Logf("session %d: %v", i, err)
						}
					}
				}
			})
		}
		all.Wait()
		next.Store(end)
	}
	run(max(sessions/10, 200)) // until pools and caches are what they will be
	before := measure(t, p, control)
	t.Logf("before: %v", before)
	const parts = 5
	var after held
	for i := range parts {
		run(sessions / parts)
		after = measure(t, p, control)
		t.Logf("after %d sessions: %v", (i+1)*sessions/parts, after)
	}
	if broken.Load() > int64(sessions/50) {
		t.Errorf("%d sessions broke off", broken.Load())
	}
	if after.descriptors > before.descriptors+2 || after.goroutines > before.goroutines+2 || after.heap > before.heap+2<<20 {
		t.Errorf("sessions leave something behind: %v before, %v after", before, after)
	}
}
