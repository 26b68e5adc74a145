//go:build unix

package test

import (
	"bufio"
	"strings"
	"testing"
	"time"
)

// serveWithin is serve under limits that a shell sets.
func serveWithin(t *testing.T, limits, root string, args ...string) (*process, string) {
	t.Helper()
	args = append([]string{"-c", limits + ` && exec "$@"`, "sh", ferryBinary, "serve", "ftp", root,
		"--addr", "127.0.0.1:0", "--user", "bob", "--pass", "builder"}, args...)
	return serveBy(t, "/bin/sh", args...)
}

// Silent connections of one address take only their share: others come in, and who is inside can
// work.
func TestSilentConnectionsShutNobodyOut(t *testing.T) {
	p, addr := serveWithin(t, "ulimit -n 256", t.TempDir())
	inside := login(t, "", addr)
	refused := 0
	for range 245 {
		conn, err := dial("", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		line, err := bufio.NewReader(conn).ReadString('\n')
		switch {
		case strings.HasPrefix(line, "421 Too many connections from your address that have not logged in"):
			refused++
		case err != nil || !strings.HasPrefix(line, "220 "):
			t.Fatalf("a connection hears %q, %v", line, err)
		}
	}
	if refused < 230 {
		t.Errorf("%d of 245 silent connections were refused", refused)
	}
	login(t, "127.0.0.2", addr).do("PWD", 257)
	inside.do("EPSV", 229)
	if err := p.log.waitForLine(`NOTICE: --max-sessions follows from what this process may use sessions=52 descriptors=256`); err != nil {
		t.Error(err)
	}
}

// The soft limit on descriptors is raised to the hard one, by Go itself.
func TestTheLimitOnDescriptorsIsRaised(t *testing.T) {
	p, _ := serveWithin(t, "ulimit -Sn 64 && ulimit -Hn 1024", t.TempDir())
	if err := p.log.waitForLine(`sessions=232 descriptors=102[34]`); err != nil {
		t.Error(err)
	}
}

func TestMoreSessionsThanDescriptors(t *testing.T) {
	p, _ := serveWithin(t, "ulimit -n 256", t.TempDir(), "--max-sessions", "300")
	if err := p.log.waitForLine(`--max-sessions is more than the descriptors of this process allow`); err != nil {
		t.Error(err)
	}
}
