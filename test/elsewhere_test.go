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

	"ferry/remote/remotetest/servers"
)

// cutsInCI is how often uploads are cut unless FERRY_CUTS says how often.
const cutsInCI = 16

// TestUploadsAreContinuedElsewhere cuts uploads anywhere, by their clients and by the death of the
// ferry that they go through, and continues each through any of two that serve the same bucket
// without a cache. In the end each file is there, byte for byte, and nothing else is. FERRY_CUTS
// says how often; then some go on after a death, for which they have to be long.
func TestUploadsAreContinuedElsewhere(t *testing.T) {
	t.Parallel() // it mostly waits
	cuts, long := cutsInCI, false
	if n, err := strconv.Atoi(os.Getenv("FERRY_CUTS")); err == nil {
		cuts, long = n, true
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	f := startFleet(t, 2, seed)
	f.cuts, f.long = cuts, long
	var all sync.WaitGroup
	for i := range 4 {
		w := &wanderer{fleet: f, rng: rand.New(rand.NewPCG(seed, uint64(i+1))), user: []string{"bob", "eve"}[i%2]}
		all.Go(func() { w.wander(fmt.Sprintf("w%d", i)) })
	}
	all.Wait()
	if left := f.orphans(); len(left) > f.deaths {
		t.Errorf("%q are left in the bucket", left)
	}
	t.Logf("%d cuts, %d deaths; %d went on in the middle", f.made, f.deaths, f.continued)
	if f.continued < cuts/3 {
		t.Error("hardly any upload was continued")
	}
}

// TestAnUploadOutlivesItsFerry kills a ferry that is receiving an upload which has lasted for some
// time. Its client goes on through another one, as soon as the dead one is believed to be dead.
// Nobody else does.
func TestAnUploadOutlivesItsFerry(t *testing.T) {
	t.Parallel() // it mostly waits
	f := startFleet(t, 2, 1)
	w := &wanderer{fleet: f, rng: f.rng, user: "bob"}
	body := content(13<<20, "long")
	m := w.mustLogin(f.nodes[0].addr)
	defer m.close()
	data, err := m.begin("STOR f")
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	if _, err := data.Write(body[:12<<20]); err != nil {
		t.Fatal(err)
	}
	other := w.mustLogin(f.nodes[1].addr)
	defer other.close()
	size := other.waitForSize(t, "f")
	f.nodes[0].proc.kill()
	eve := (&wanderer{fleet: f, user: "eve"}).mustLogin(f.nodes[1].addr)
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
	if left := f.kept(); len(left) > 0 {
		t.Errorf("%q are left in the bucket", left)
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

// size returns the length of what the user has under a name, 0 where there is nothing.
func (m *mortal) size(name string) (int, error) {
	reply, err := m.do("SIZE "+name, 213)
	if code(err) == 550 {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(reply))
}

// begin begins an upload.
func (m *mortal) begin(command string) (net.Conn, error) {
	data, err := m.data()
	if err != nil {
		return nil, err
	}
	if _, err := m.do(command, 150); err != nil {
		data.Close()
		return nil, err
	}
	return data, nil
}

// A fleet is some ferries over one bucket, which share nothing else.
type fleet struct {
	*testing.T
	gateway *servers.Gateway
	cuts    int // to make
	long    bool

	mu        sync.Mutex
	rng       *rand.Rand    // guarded by mu
	nodes     []*fleetFerry // guarded by mu
	made      int           // guarded by mu
	deaths    int           // guarded by mu
	continued int           // guarded by mu
}

// A fleetFerry is one of them.
type fleetFerry struct {
	proc *process
	addr string
	home string
}

func startFleet(t *testing.T, n int, seed uint64) *fleet {
	f := &fleet{T: t, gateway: servers.StartGateway(t, "key", "secret-of-the-key", "bucket"), rng: rand.New(rand.NewPCG(seed, 0))}
	for range n {
		node := &fleetFerry{home: t.TempDir()}
		const builder = "{SHA}9SMYoF5RilWWASry7TjeaKwmpGg=" // the password of all
		users := "[users.bob]\npassword = '" + builder + "'\n\n[users.eve]\npassword = '" + builder + "'\n"
		if err := os.WriteFile(filepath.Join(node.home, "users.toml"), []byte(users), 0o600); err != nil {
			t.Fatal(err)
		}
		f.run(node)
		t.Cleanup(func() { node.proc.kill() })
		f.nodes = append(f.nodes, node)
	}
	return f
}

// run starts a ferry, which remembers nothing.
func (f *fleet) run(n *fleetFerry) {
	set := "RCLONE_CONFIG_THERE_"
	env := []string{set + "TYPE=s3", set + "PROVIDER=Other", set + "ENDPOINT=http://" + f.gateway.Addr,
		set + "ACCESS_KEY_ID=key", set + "SECRET_ACCESS_KEY=secret-of-the-key"}
	var err error
	if n.proc, err = start(n.home, env, "serve", "ftp", "there:bucket/top", "--users", "users.toml", "--addr", "127.0.0.1:0", "-v"); err != nil {
		f.Fatal(err)
	}
	addrs, err := n.proc.addresses(1)
	if err != nil {
		f.Fatal(err)
	}
	n.addr = addrs[0]
}

// any returns one of the ferries, and where it is.
func (f *fleet) any() (i int, addr string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i = f.rng.IntN(len(f.nodes))
	return i, f.nodes[i].addr
}

// die kills a ferry, and starts it anew.
func (f *fleet) die(i int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.nodes[i].proc.kill()
	f.deaths++
	f.run(f.nodes[i])
}

// cut counts a cut that is to be made, unless there were enough.
func (f *fleet) cut() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.made == f.cuts {
		return false
	}
	f.made++
	return true
}

// kept returns the objects that are kept of unfinished uploads.
func (f *fleet) kept() []string {
	var left []string
	err := filepath.WalkDir(f.gateway.Data, func(path string, e fs.DirEntry, err error) error {
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

// orphans returns the ends of uploads that no manifest speaks of. A manifest may be left: a session
// that ends late keeps what it has when its client has stored the file already.
func (f *fleet) orphans() []string {
	var manifests strings.Builder
	for _, path := range f.kept() {
		if strings.HasSuffix(path, ".json") {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Error(err)
			}
			manifests.Write(text)
		}
	}
	return slices.DeleteFunc(f.kept(), func(path string) bool {
		return strings.HasSuffix(path, ".json") || strings.Contains(manifests.String(), filepath.Base(path))
	})
}

// A wanderer uploads files, each time through another ferry.
type wanderer struct {
	*fleet
	rng  *rand.Rand
	user string

	history []string // of the file under way
}

// wander stores files until there were enough cuts.
func (w *wanderer) wander(name string) {
	for n, over := 0, false; !over && !w.Failed(); n++ {
		over = w.upload(fmt.Sprintf("%s-%d", name, n), content(1<<20+w.rng.IntN(20<<20), name))
	}
}

// upload stores a file, and reports whether there is nothing to be cut any more.
func (w *wanderer) upload(name string, body []byte) (over bool) {
	w.history = nil
	for end := time.Now().Add(10 * patience); time.Now().Before(end); {
		i, addr := w.any()
		m, err := w.login(addr)
		if err != nil {
			time.Sleep(50 * time.Millisecond)
			continue // it is being started
		}
		var done bool
		done, over, err = w.attempt(m, i, name, body)
		m.close()
		w.history = append(w.history, fmt.Sprintf("by %d: %v, %v", i, done, err))
		switch {
		case done:
			w.compare(name, body)
			return over
		case code(err) == 450: // the ferry that had it has died a moment ago
			time.Sleep(time.Second)
		case code(err) >= 500:
			w.Errorf("%s: %v", name, err)
			return over
		}
	}
	w.Errorf("%s does not get on", name)
	return true
}

func (w *wanderer) mustLogin(addr string) *mortal {
	w.Helper()
	m, err := w.login(addr)
	if err != nil {
		w.Fatal(err)
	}
	return m
}

func (w *wanderer) login(addr string) (*mortal, error) {
	return loginMortalAs(addr, w.user)
}

// attempt sends what is missing of a file, or less of it, and then cuts.
func (w *wanderer) attempt(m *mortal, node int, name string, body []byte) (done, over bool, err error) {
	size, err := m.size(name)
	if err != nil {
		return false, false, err
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
	w.history = append(w.history, fmt.Sprintf("%s at %d", command, size))
	if size > 0 {
		w.mu.Lock()
		w.continued++
		w.mu.Unlock()
	}
	over = !w.cut()
	if over {
		err := m.send(command, body[size:])
		return err == nil, true, err
	}
	data, err := m.begin(command)
	if err != nil {
		return false, false, err
	}
	defer data.Close()
	_, _ = data.Write(body[size : size+w.rng.IntN(len(body)-size+1)]) // what arrives of it is told by SIZE
	time.Sleep(time.Duration(w.rng.IntN(500)) * time.Millisecond)     // a reset takes away what was not read yet
	if w.rng.IntN(6) > 0 {
		if tcp, ok := data.(*net.TCPConn); ok && w.rng.IntN(2) == 0 {
			_ = tcp.SetLinger(0) // a reset
			data.Close()
			_, _, err := m.text.ReadResponse(226) // it has been noticed
			return false, false, err
		}
		m.close() // together with the control connection
		data.Close()
		time.Sleep(time.Second / 2) // a client takes some time to come back
		return false, false, nil
	}
	if w.long && w.rng.IntN(2) == 0 {
		time.Sleep(11 * time.Second) // until it is written down what was sent
	}
	w.die(node)
	return false, false, nil
}

// compare checks that a file is what was sent.
func (w *wanderer) compare(name string, body []byte) {
	got, err := w.fetchAnywhere(name)
	if err != nil || got == nil {
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

// fetchAnywhere returns a file as any of the ferries has it. One that dies meanwhile is not asked
// again.
func (w *wanderer) fetchAnywhere(name string) (got *string, err error) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		_, addr := w.any()
		var m *mortal
		if m, err = w.login(addr); err != nil {
			continue
		}
		got, err = m.fetch(name)
		m.close()
		if err == nil || code(err) != 0 {
			break
		}
	}
	return got, err
}
