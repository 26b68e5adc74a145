package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// waitingCluster is a cluster whose nodes send files when they are told to.
type waitingCluster struct {
	*cluster
	one, two *ftpClient // at the first node, where files wait, and at the second one
}

func newWaitingCluster(t *testing.T) *waitingCluster {
	f := &waitingCluster{cluster: newCluster(t, []string{clusterUser("bob", "")}, "--vfs-cache-mode", "writes", "--vfs-write-back", "1h",
		"--shutdown-flush", "0", "--rc", "--rc-addr", "127.0.0.1:0", "--rc-no-auth")}
	f.one, f.two = login(t, "", f.nodes[0].front), login(t, "", f.nodes[1].front)
	return f
}

// post makes a call of a node's remote control.
func (n *clusterNode) post(path, body string) (answer []byte) {
	n.Helper()
	a, err := http.Post(controlAddress(n.T, n.process().log)+path, "application/json", strings.NewReader(body))
	if err != nil {
		n.Fatal(err)
	}
	defer a.Body.Close()
	var text json.RawMessage
	if err := json.NewDecoder(a.Body).Decode(&text); err != nil || a.StatusCode != http.StatusOK {
		n.Fatalf("%s: %v %s %v", path, a.Status, text, err)
	}
	return text
}

// sendNow has the first node send all that waits there.
func (f *waitingCluster) sendNow() {
	f.Helper()
	var q struct{ Queue []struct{ ID int64 } }
	if err := json.Unmarshal(f.nodes[0].post("vfs/queue", "{}"), &q); err != nil || len(q.Queue) == 0 {
		f.Fatalf("nothing waits: %+v, %v", q, err)
	}
	for _, one := range q.Queue {
		f.nodes[0].post("vfs/queue-set-expiry", fmt.Sprintf(`{"id":%d,"expiry":0}`, one.ID))
	}
}

// shows returns whether the second node lists a name in the directory "in".
func (f *waitingCluster) shows(name string) bool {
	f.Helper()
	return slices.Contains(lines(f.two.fetch("NLST in")), "in/"+name)
}

// stays waits until good says so. A name has to be listed by the second node all the time, and
// described.
func (f *waitingCluster) stays(name string, good func() bool, what string) {
	f.Helper()
	f.until(func() bool {
		if !f.shows(name) {
			f.Errorf("%s: in/%s is not listed for a moment", what, name)
		}
		f.two.size("in/" + name)
		return good() || f.Failed()
	}, what)
}

// elsewhere returns how many files wait elsewhere, as the second node knows.
func (f *waitingCluster) elsewhere() float64 {
	f.Helper()
	return f.nodes[1].sum("ferry_cluster_files_waiting", `state="elsewhere"`)
}

// readable reports whether the second node has a file to read.
func (f *waitingCluster) readable(name string) bool {
	f.Helper()
	data := f.two.data()
	defer data.Close()
	if reply := f.two.do("RETR in/"+name, 150, 450); strings.HasPrefix(reply, "450") {
		return false
	}
	f.two.expect(226)
	return true
}

// TestAFileThatWaitsShowsThroughOtherNodes stores files through one node, where they wait. Another
// one lists them, and says when somebody wants to read them that they wait. There is no moment from
// then on, until it is sent, at which a file is not listed.
func TestAFileThatWaitsShowsThroughOtherNodes(t *testing.T) {
	t.Parallel() // it mostly waits
	f := newWaitingCluster(t)
	f.one.do("MKD in", 257)
	f.two.fetch("NLST in")
	f.one.upload("STOR in/a", content(2000, "a"))
	f.one.do("MFMT 20260102030405 in/a", 213)
	f.until(func() bool { return f.shows("a") }, "what waits is listed elsewhere")
	f.until(func() bool { return f.two.do("MDTM in/a", 213) == "213 20260102030405" }, "its time is known elsewhere")
	if n := f.two.size("in/a"); n != 2000 {
		t.Errorf("SIZE is %d", n)
	}
	if list := string(f.two.fetch("MLSD in")); !strings.Contains(list, "size=2000;") {
		t.Errorf("MLSD: %q", list)
	}
	for _, command := range []string{"RETR in/a", "APPE in/a", "DELE in/a"} {
		f.two.data()
		mention(t, f.two.do(command, 450), "n1")
	}
	f.two.do("RNFR in/a", 350)
	mention(t, f.two.do("RNTO in/b", 450), "n1")
	if status := string(f.nodes[1].post("cluster/status", "{}")); !strings.Contains(strings.ReplaceAll(status, " ", ""), `"elsewhere":1`) {
		t.Errorf("cluster/status: %s", status)
	}

	f.one.do("RNFR in/a", 350)
	f.one.do("RNTO in/b", 250)
	f.until(func() bool {
		names := lines(f.two.fetch("NLST in"))
		if !slices.Contains(names, "in/a") && !slices.Contains(names, "in/b") {
			t.Errorf("while it is renamed neither name is listed: %q", names)
		}
		return slices.Equal(names, []string{"in/b"})
	}, "the new name is listed elsewhere")
	f.one.upload("STOR in/c", content(10, "c"))
	f.until(func() bool { return f.shows("c") }, "another file is listed elsewhere")
	f.one.do("DELE in/c", 250)
	f.until(func() bool { return !f.shows("c") }, "it is deleted where it waited")

	f.sendNow()
	f.stays("b", func() bool { return f.readable("b") }, "it is sent")
	f.stays("b", func() bool { return f.elsewhere() == 0 }, "it waits no more")
	f.two.do("DELE in/b", 250)
	for end := time.Now().Add(time.Second); time.Now().Before(end); {
		if f.shows("b") {
			t.Fatal("a file that was deleted comes back")
		}
	}
}

// TestAFileThatWaitsOutlastsItsNode kills the node at which a file waits, and stops NATS. The file
// is listed elsewhere on and on, and can be read when the node is back and has sent it.
func TestAFileThatWaitsOutlastsItsNode(t *testing.T) {
	t.Parallel() // it mostly waits
	f := newWaitingCluster(t)
	f.one.upload("STOR in/a", content(2000, "a")) // into a directory that the store does not have
	f.until(func() bool { return slices.Contains(lines(f.two.fetch("NLST")), "in") }, "the directory is listed elsewhere")
	f.two.do("CWD in", 250)
	f.two.do("CDUP", 250, 200)
	f.nodes[0].kill()
	f.nats.Stop()
	f.two.upload("STOR mine", []byte("mine"))
	for range 5 {
		if !f.shows("a") {
			t.Error("the file of a node that is killed is not listed without NATS")
		}
	}
	f.nodes[0].start()
	f.nodes[0].ready()
	f.nats.Restart(true)
	began := time.Now()
	f.stays("a", func() bool { return time.Since(began) > 3*time.Second }, "everything is back")
	f.one = login(t, "", f.nodes[0].front)
	f.one.upload("STOR in/after", []byte("after"))
	f.stays("a", func() bool { return f.shows("after") }, "what is stored after it is listed elsewhere")
	f.sendNow()
	f.stays("a", func() bool { return f.readable("a") && f.readable("after") }, "all is sent")
	f.until(func() bool { return f.elsewhere() == 0 }, "nothing waits any more")
	for _, n := range f.nodes {
		n.check()
	}
}
