package test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// cutsInCI is how often uploads are cut unless FERRY_CUTS says how often.
const cutsInCI = 16

// TestUploadsAreContinuedElsewhere cuts uploads anywhere, by their clients and by the death of the
// node that they go through, and continues each through another node of a cluster that works
// without a cache. In the end each file is there, byte for byte, and nothing else is. FERRY_CUTS
// says how often; then some go on after a death, for which they have to be long, and NATS is
// stopped now and then.
func TestUploadsAreContinuedElsewhere(t *testing.T) {
	t.Parallel() // it mostly waits
	cuts, long := cutsInCI, false
	if n, err := strconv.Atoi(os.Getenv("FERRY_CUTS")); err == nil {
		cuts, long = n, true
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	y := &relay{cluster: relayCluster(t), rng: rand.New(rand.NewPCG(seed, 0)), cuts: cuts, long: long}
	var all sync.WaitGroup
	for i := range 4 {
		w := &wanderer{relay: y, rng: rand.New(rand.NewPCG(seed, uint64(i+1))), user: []string{"bob", "eve"}[i%2]}
		all.Go(func() { w.wander(fmt.Sprintf("w%d", i)) })
	}
	over := make(chan struct{})
	go func() {
		all.Wait()
		close(over)
	}()
	stops := y.stopNATS(over)
	for _, n := range y.nodes {
		n.check()
	}
	late := y.sweep()
	t.Logf("%d cuts, %d of them by deaths; NATS stopped %d times; %d went on in the middle, %d of these on another node; %d files compared; left at first: %d",
		y.made, y.deaths, stops, y.continued, y.moved, y.compared, late)
	if y.continued < cuts/3 {
		t.Error("hardly any upload was continued")
	}
	if y.moved*2 <= y.continued {
		t.Error("most uploads went on where they were cut")
	}
}

// relayCluster is a cluster of two users, without haproxy where that is not installed.
func relayCluster(t *testing.T) *cluster {
	t.Helper()
	return startCluster(t, hasHAProxy(), []string{clusterUser("bob", ""), clusterUser("eve", "")})
}

// TestAnUploadOutlivesItsFerry kills a ferry that is receiving an upload which has lasted for some
// time. Its client goes on through another one, as soon as the dead one is believed to be dead.
// Nobody else does.
func TestAnUploadOutlivesItsFerry(t *testing.T) {
	t.Parallel() // it mostly waits
	f := relayCluster(t)
	body := content(13<<20, "long")
	m := f.mustLogin(f.nodes[0].front, "bob")
	defer m.close()
	data, err := m.begin("STOR f")
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	if _, err := data.Write(body[:12<<20]); err != nil {
		t.Fatal(err)
	}
	other := f.mustLogin(f.nodes[1].front, "bob")
	defer other.close()
	size := other.waitForSize(t, "f")
	f.nodes[0].kill()
	eve := f.mustLogin(f.nodes[1].front, "eve")
	defer eve.close()
	if _, err := eve.do("SIZE f", 550); err != nil {
		t.Errorf("another user sees it: %v", err)
	}
	if _, err := eve.do(fmt.Sprint("REST ", size), 350); err != nil {
		t.Error(err)
	}
	if err := eve.send("STOR f", body[size:]); code(err) != 550 {
		t.Errorf("another user continues it: %v", err)
	}
	for end := time.Now().Add(2 * patience); ; time.Sleep(time.Second) {
		if _, err := other.do(fmt.Sprint("REST ", size), 350); err != nil {
			t.Fatal(err)
		}
		err := other.send("STOR f", body[size:])
		if err == nil {
			break
		}
		if code(err) != 450 || time.Now().After(end) {
			t.Fatalf("it is not continued: %v", err)
		}
	}
	if got, err := other.fetch("f"); err != nil || got == nil || *got != string(body) {
		t.Errorf("the file is not what was sent: %v", err)
	}
	other.finishElsewhere(t, f.nodes[2], "g")
	left := slices.DeleteFunc(f.kept(), func(path string) bool { return strings.HasSuffix(path, ".done") })
	if len(left) > 0 {
		t.Errorf("%q are left in the bucket", left)
	}
}

// finishElsewhere cuts an upload, finishes it through another node, and appends to the file: m's
// node knows by then that there is nothing to be continued any more.
func (m *mortal) finishElsewhere(t *testing.T, at *clusterNode, name string) {
	t.Helper()
	body := content(3<<20, "twice")
	data, err := m.begin("STOR " + name)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = data.Write(body[:1<<20])
	time.Sleep(time.Second / 2) // a reset takes away what was not read yet
	if err := data.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	data.Close()
	if _, _, err := m.text.ReadResponse(226); code(err) != 426 {
		t.Fatalf("after a reset: %v", err)
	}
	third, err := loginMortalAs(at.front, "bob")
	if err != nil {
		t.Fatal(err)
	}
	defer third.close()
	size := third.waitForSize(t, name)
	if _, err := third.do(fmt.Sprint("REST ", size), 350); err != nil {
		t.Fatal(err)
	}
	if err := third.send("STOR "+name, body[size:2<<20]); err != nil {
		t.Fatal(err)
	}
	if got := m.waitForSize(t, name); got != 2<<20 {
		t.Errorf("SIZE of what was finished elsewhere: %d", got)
	}
	if err := m.send("APPE "+name, body[2<<20:]); err != nil {
		t.Errorf("APPE where the upload was cut: %v", err)
	}
	if got, err := third.fetch(name); err != nil || got == nil || *got != string(body) {
		t.Errorf("the file is not what was sent: %v", err)
	}
}

// waitForSize waits until SIZE tells something, and returns it.
func (m *mortal) waitForSize(t *testing.T, name string) int {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(200 * time.Millisecond) {
		if size, err := m.size(name); err != nil || size > 0 {
			if err != nil {
				t.Fatal(err)
			}
			return size
		}
		if time.Now().After(end) {
			t.Fatal("what was sent is not written down")
		}
	}
}

// A relay is a cluster through whose nodes uploads go on.
type relay struct {
	*cluster
	cuts int // to make
	long bool

	mu        sync.Mutex
	rng       *rand.Rand // guarded by mu
	made      int        // guarded by mu; cuts
	deaths    int        // guarded by mu; of these
	continued int        // guarded by mu; uploads that went on in the middle
	moved     int        // guarded by mu; of these, those on another node
	compared  int        // guarded by mu
}

// entrance returns where a client goes in whose upload went through these nodes, the last one last:
// to the balancer, or to another node.
func (y *relay) entrance(went []*clusterNode) string {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.front != "" && y.rng.IntN(2) == 0 {
		return y.front
	}
	return y.other(went).front
}

// other returns a node that is not the last one, and not the one before unless there are no others.
// LOCKS_REQUIRED(y.mu)
func (y *relay) other(went []*clusterNode) *clusterNode {
	others := slices.Clone(y.nodes)
	for _, n := range slices.Backward(went) {
		if len(others) > 1 {
			others = slices.DeleteFunc(others, func(o *clusterNode) bool { return o == n })
		}
	}
	return others[y.rng.IntN(len(others))]
}

// die kills a node, and starts it anew.
func (y *relay) die(n *clusterNode) {
	y.mu.Lock()
	defer y.mu.Unlock()
	n.kill()
	y.deaths++
	n.start()
}

// stopNATS stops NATS now and then in a long run, until that is over, and returns how often.
func (y *relay) stopNATS(over <-chan struct{}) (stops int) {
	if !y.long {
		<-over
		return 0
	}
	for {
		select {
		case <-over:
			return stops
		case <-time.After(5 * time.Second):
		}
		y.nats.Stop()
		stops++
		time.Sleep(3 * time.Second) // clients go on meanwhile
		y.nats.Restart(stops%2 == 0)
	}
}

// cut counts a cut that is to be made, unless there were enough.
func (y *relay) cut() bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.made == y.cuts {
		return false
	}
	y.made++
	return true
}

// goesOn counts an upload that goes on at a node in the middle.
func (y *relay) goesOn(from, at *clusterNode) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.continued++
	if from != at {
		y.moved++
	}
}

// kept returns the objects that are kept of unfinished uploads.
func (f *cluster) kept() []string {
	var left []string
	err := filepath.WalkDir(f.site.data, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.Contains(path, ".ferry-parts") {
			left = append(left, path)
		}
		return err
	})
	if err != nil {
		f.Error(err)
	}
	return left
}

// sweep wants nothing to be kept in the end, and returns how much the nodes had to find for that. A
// session that ends late keeps what it has when its client has stored the file already: it has to
// be found when it is too old. Who is killed between two requests leaves the end of an upload that
// no manifest speaks of: that stays for a day. Marks that an upload was finished elsewhere
// stay until they are too old.
func (y *relay) sweep() int {
	late := y.kept()
	if len(late) == 0 {
		return 0
	}
	n := y.nodes[0]
	n.kill()
	n.args = append(n.args, "--partial-max-age", "1s")
	n.start()
	y.until(func() bool {
		return !slices.ContainsFunc(y.kept(), func(path string) bool { return !strings.HasSuffix(path, ".tail") })
	}, "what is kept of unfinished uploads is gone")
	if left := y.kept(); len(left) > y.deaths {
		y.Errorf("after %d deaths %q are left in the bucket", y.deaths, left)
	}
	return len(late)
}

// A wanderer uploads files, each time through another node.
type wanderer struct {
	*relay
	rng  *rand.Rand
	user string

	went    []*clusterNode // the nodes that the file under way went through
	anew    bool           // it has to be sent from the beginning
	history []string       // of the file under way
}

// wander stores files until there were enough cuts.
func (w *wanderer) wander(name string) {
	for n, over := 0, false; !over && !w.Failed(); n++ {
		over = w.upload(fmt.Sprintf("%s-%d", name, n), content(1<<20+w.rng.IntN(20<<20), name))
	}
}

// upload stores a file, and reports whether there is nothing to be cut any more.
func (w *wanderer) upload(name string, body []byte) (over bool) {
	w.went, w.anew, w.history = nil, false, nil
	for end := time.Now().Add(10 * patience); time.Now().Before(end); {
		m, err := loginMortalAs(w.entrance(w.went), w.user)
		if err != nil {
			time.Sleep(50 * time.Millisecond)
			continue // it is being started
		}
		var done bool
		done, over, err = w.attempt(m, name, body)
		m.close()
		w.history = append(w.history, fmt.Sprintf("%v, %v", done, err))
		switch {
		case done:
			w.compare(name, body)
			return over
		case code(err) == 450: // the node that had it has died a moment ago
			time.Sleep(time.Second)
		case code(err) == 550 && strings.Contains(err.Error(), "send it from the beginning"):
			// A node died when it had stored the file, and before it said so in the store. One that
			// had the upload before only knows that it was cut.
			w.anew = true
		case code(err) == 550 && strings.Contains(err.Error(), "can be continued at"): // more of it has come to be kept since SIZE
		case code(err) >= 500:
			w.Errorf("%s: %v: %q", name, err, w.history)
			return over
		}
	}
	w.Errorf("%s does not get on: %q", name, w.history)
	return true
}

// attempt sends what is missing of a file, or less of it, and then cuts.
func (w *wanderer) attempt(m *mortal, name string, body []byte) (done, over bool, err error) {
	size, err := m.size(name)
	if err != nil {
		return false, false, err
	}
	if w.anew {
		w.anew, size = false, 0
	}
	command := "STOR " + name
	switch {
	case size > 0 && w.rng.IntN(2) == 0:
		command = "APPE " + name
	case size > 0:
		if _, err := m.do(fmt.Sprint("REST ", size), 350); err != nil {
			return false, false, err
		}
	}
	data, err := m.begin(command)
	if err != nil {
		return false, false, err
	}
	defer data.Close()
	node := w.behind(data)
	w.history = append(w.history, fmt.Sprintf("%s at %d by %s", command, size, node.name))
	if size > 0 && len(w.went) > 0 {
		w.goesOn(w.went[len(w.went)-1], node)
	}
	w.went = append(w.went, node)
	if enough := len(w.went) > 1 && w.rng.IntN(4) == 0; enough || !w.cut() {
		err := m.finish(data, body[size:])
		return err == nil, !enough, err
	}
	_, _ = data.Write(body[size : size+w.rng.IntN(len(body)-size+1)]) // what arrives of it is told by SIZE
	time.Sleep(time.Duration(w.rng.IntN(500)) * time.Millisecond)     // a reset takes away what was not read yet
	if w.rng.IntN(6) == 0 {
		if w.long && w.rng.IntN(2) == 0 {
			time.Sleep(11 * time.Second) // until it is written down what was sent
		}
		w.die(node)
		return false, false, nil
	}
	if tcp, ok := data.(*net.TCPConn); ok && w.rng.IntN(2) == 0 {
		_ = tcp.SetLinger(0) // a reset
		data.Close()
		_, _, err := m.text.ReadResponse(226) // it has been noticed
		if err == nil {
			// A balancer that had not taken the connection yet brings an empty one.
			if stored, err := m.size(name); err != nil || stored != size {
				w.Errorf("%s: what was reset is stored, with %d bytes (%v): %q", name, stored, err, w.history)
			}
		}
		return false, false, err
	}
	m.close() // together with the control connection
	data.Close()
	time.Sleep(time.Second / 2) // a client takes some time to come back
	return false, false, nil
}

// compare checks that a file is what was sent, through a node that did not send it.
func (w *wanderer) compare(name string, body []byte) {
	w.mu.Lock()
	node := w.other(w.went)
	w.compared++
	w.mu.Unlock()
	var got *string
	var err error
	for end := time.Now().Add(converge); got == nil && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var m *mortal // the node may be killed just now, and not know of the file while NATS is away
		if m, err = loginMortalAs(node.front, w.user); err == nil {
			got, err = m.fetch(name)
			m.close()
		}
	}
	if got == nil {
		w.Errorf("%s is not there: %v", name, err)
		return
	}
	if *got != string(body) {
		same := 0
		for same < min(len(*got), len(body)) && (*got)[same] == body[same] {
			same++
		}
		w.Errorf("%s has %d bytes, of which %d are the beginning of the %d that were sent: %q", name, len(*got), same, len(body), w.history)
	}
}
