package test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"ferry/remote/remotetest/servers/natsserver"
)

// A cluster of a test is two ferries over one WebDAV server, which tells nobody what changes, and
// NATS between them. They remember directories for an hour.
type twoNodes struct {
	*testing.T
	nats       *natsserver.Server
	dir        string // of the server
	here, away *ftpClient
	logs       []*logBuffer
	controls   []string // addresses of the remote control
}

func startTwoNodes(t *testing.T, args ...string) *twoNodes {
	n := &twoNodes{T: t, nats: natsserver.Start(t), dir: t.TempDir()}
	server := httptest.NewServer(&webdav.Handler{FileSystem: webdav.Dir(n.dir), LockSystem: webdav.NewMemLS()})
	t.Cleanup(server.Close)
	for i, client := range []**ftpClient{&n.here, &n.away} {
		p, addr := serve(t, fmt.Sprintf(":webdav,url=%q:", server.URL), append([]string{
			"--cluster", n.nats.URL(), "--node", fmt.Sprint("node", i+1), "--dir-cache-time", "1h", "-v",
			"--rc", "--rc-addr", "127.0.0.1:0", "--rc-no-auth", "--cache-dir", t.TempDir(),
		}, args...)...)
		*client = login(t, "", addr)
		n.logs = append(n.logs, p.log)
		n.controls = append(n.controls, controlAddress(t, p.log))
		if err := p.log.waitForLine("the engine that nodes share is reached"); err != nil {
			t.Fatal(err)
		}
		if err := p.log.waitForLine("changes on the remote are seen from now on"); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// list returns the names that the other node lists.
func (n *twoNodes) list(dir string) []string {
	n.Helper()
	var names []string
	for _, name := range lines(n.away.fetch("NLST " + dir)) {
		if name != "" {
			names = append(names, path.Base(name))
		}
	}
	return names
}

// await waits until a name is listed by the other node, or is not any more, and returns how long
// that took.
func (n *twoNodes) await(dir, name string, there bool) time.Duration {
	n.Helper()
	begun := time.Now()
	for slices.Contains(n.list(dir), name) != there {
		if time.Since(begun) > patience {
			n.Fatalf("after %v the other node lists %q", patience, n.list(dir))
		}
		time.Sleep(time.Millisecond)
	}
	return time.Since(begun)
}

// awaitCall waits until a call of a node's remote control has all these words in its answer.
func (n *twoNodes) awaitCall(node int, path string, words ...string) {
	n.Helper()
	missing := func(answer string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(answer, word) })
	}
	begun := time.Now()
	for answer := ""; missing(answer); time.Sleep(50 * time.Millisecond) {
		if time.Since(begun) > patience {
			n.Fatalf("%s has not %q after %v: %s", path, words, patience, answer)
		}
		answer = ferry(n.T, nil, "rc", path, "--url", n.controls[node])
	}
}

// behind changes the server where nobody tells of it.
func (n *twoNodes) behind(name string) {
	n.Helper()
	if err := os.WriteFile(filepath.Join(n.dir, filepath.FromSlash(name)), []byte("behind"), 0o666); err != nil {
		n.Fatal(err)
	}
}

// Two nodes do not have one name at a time: the second one says so and ends, as long as the first
// one lives. One that is started again after kill -9 has its name soon.
func TestANodeHasItsNameAlone(t *testing.T) {
	t.Parallel() // it mostly waits
	nats, dir := natsserver.Start(t), t.TempDir()
	begin := func() *process {
		t.Helper()
		p, _ := serve(t, dir, "--cluster", nats.URL(), "--node", "same", "--cache-dir", t.TempDir(), "-v")
		return p
	}
	refused := func() {
		t.Helper()
		began := time.Now()
		p, err := start(t.TempDir(), nil, "serve", "ftp", dir, "--addr", "127.0.0.1:0", "--cluster", nats.URL(), "--node", "same", "--cache-dir", t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer p.kill()
		if status, err := p.wait(); err != nil || status != 1 {
			t.Errorf("a second node of that name: %d, %v", status, err)
		}
		if text := strings.TrimSpace(p.log.String()); !strings.Contains(text, `has the name "same" in this cluster`) || !strings.Contains(text, "--node") || strings.Contains(text, "serving FTP") {
			t.Errorf("after %v it says %q", time.Since(began), text)
		}
	}
	first := begin()
	refused()
	first.kill()
	began := time.Now()
	begin() // it would be killed as one that does not start
	t.Logf("after kill -9 it serves again in %v", time.Since(began))
	refused()
}

// What is stored through one node is listed by another at once, though that remembers what it has
// listed; and everything is right again after NATS was away.
func TestChangesShowThroughOtherNodes(t *testing.T) {
	n := startTwoNodes(t)
	n.here.do("MKD in", 257)
	n.await(".", "in", true)
	n.list("in")
	n.behind("in/secretly")
	if names := n.list("in"); len(names) != 0 {
		t.Fatalf("the other node does not remember: it lists %q", names)
	}
	var took []time.Duration
	for i := range 50 {
		name := fmt.Sprint("file", i)
		n.here.upload("STOR in/"+name, []byte("content"))
		took = append(took, n.await("in", name, true))
	}
	slices.Sort(took)
	t.Logf("from 226 until LIST shows it: %v in the middle, %v at most", took[len(took)/2], took[len(took)-1])
	n.here.do("RNFR in/file1", 350)
	n.here.do("RNTO moved", 250)
	n.await(".", "moved", true)
	n.await("in", "file1", false)
	n.here.do("DELE in/file2", 250)
	n.await("in", "file2", false)
	n.here.do("RNFR in", 350)
	n.here.do("RNTO out", 250)
	n.await("out", "file3", true)
	n.away.do("CWD in", 550)

	n.awaitCall(1, "cluster/status", `"node": "node1"`, `"node": "node2"`, `"reached": true`, `"heard": true`)
	n.awaitCall(0, "ui/snapshot", `"node": "node1"`, `"nodes": 2`, `"alone": ""`)
	if rows := ferry(t, nil, "doctor", n.dir, "--addr", "127.0.0.1:0", "--probe-size", "64K", "--cache-dir", t.TempDir(),
		"--cluster", n.nats.URL(), "--node", "third"); !strings.Contains(rows, "this is node third of ferry") {
		t.Errorf("ferry doctor does not try NATS:\n%s", rows)
	}

	n.nats.Stop()
	for _, log := range n.logs {
		mustDo(t, log.waitForLine("is not reached: this node goes on by itself"))
	}
	n.list("out")
	begun := time.Now()
	n.here.upload("STOR out/alone", []byte("content"))
	if d := time.Since(begun); d > 5*time.Second {
		t.Errorf("an upload waits %v for NATS", d)
	}
	if names := n.list("out"); slices.Contains(names, "alone") {
		t.Error("the other node knows what nobody can have told")
	}
	n.nats.Restart(false)
	n.await("out", "alone", true)
	n.here.upload("STOR out/together", []byte("content"))
	n.await("out", "together", true)
	for _, log := range n.logs {
		mustDo(t, log.waitForLine("is reached again"))
		if s := log.String(); strings.Count(s, "is not reached") != 1 || strings.Count(s, "is reached again") != 1 {
			t.Error("it is not told once that NATS is away, and once that it is back")
		}
	}
}
