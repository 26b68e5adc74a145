package test

import (
	"bufio"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	// clusterQuota is what user q may store, and clusterLease the most that a node may have leased
	// of it.
	clusterQuota = 24 << 20
	clusterLease = clusterQuota / 100
	// converge is how long a node may not see yet what was done through another: as long as NATS is
	// away, and a moment.
	converge = 20 * time.Second
)

// TestAClusterWhoseNodesAreKilled kills nodes at random under clients that store, append, rename
// and delete, and stops NATS now and then. What was acknowledged is there, whichever node a client
// comes to, and in the end on the store; a quota holds over all nodes, and so do bans.
// FERRY_CLUSTER_MINUTES says how long, with 24 clients then.
func TestAClusterWhoseNodesAreKilled(t *testing.T) {
	t.Parallel() // it mostly waits
	for _, mode := range []string{"off", "writes"} {
		t.Run(mode, func(t *testing.T) {
			h := newHunted(t, mode)
			h.hunt()
			h.compare()
		})
	}
}

// hunted is a cluster whose nodes are killed.
type hunted struct {
	*cluster
	rng     *rand.Rand
	long    time.Duration // 0 = for a few kills
	rovers  []*rover
	over    atomic.Bool
	done    atomic.Int64 // changes that were acknowledged
	waiting atomic.Bool  // NATS is away
}

func newHunted(t *testing.T, mode string) *hunted {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	h := &hunted{rng: rand.New(rand.NewPCG(seed, 0))}
	clients := 8
	if n, err := strconv.Atoi(os.Getenv("FERRY_CLUSTER_MINUTES")); err == nil {
		h.long, clients = time.Duration(n)*time.Minute/2, 24
	}
	h.cluster = newCluster(t, []string{clusterUser("bob", ""), clusterUser("q", fmt.Sprintf("quota_bytes = '%dB'", clusterQuota))},
		"--vfs-cache-mode", mode, "--vfs-write-back", "300ms", "--shutdown-flush", "2m")
	for i := range clients {
		r := &rover{hunted: h, name: fmt.Sprintf("w%d", i), user: "bob", rng: rand.New(rand.NewPCG(seed, uint64(i+1))), may: map[string][]*string{}}
		if mode != "off" { // what waits is seen through its own node alone
			r.home = h.nodes[i%len(h.nodes)]
		}
		if i%4 == 3 {
			r.user = "q"
		}
		h.rovers = append(h.rovers, r)
	}
	return h
}

// hunt kills nodes while the clients work.
func (h *hunted) hunt() {
	var wg, watchers sync.WaitGroup
	for _, r := range h.rovers {
		wg.Go(r.work)
	}
	watchers.Go(h.audit)
	began, kills, stops, bans := time.Now(), 0, 0, 0
	for h.long > 0 && time.Since(began) < h.long || h.long == 0 && kills < 6 {
		h.progress(1 + h.rng.IntN(60))
		switch n := h.nodes[h.rng.IntN(len(h.nodes))]; {
		case kills%10 == 3 && !h.waiting.Load():
			h.waiting.Store(true)
			h.nats.Stop()
			stops++
		case kills%10 == 5 && h.waiting.Load():
			h.nats.Restart(true)
			h.waiting.Store(false)
		case kills%10 == 1:
			h.bans(bans)
			bans++
			fallthrough
		default:
			n.kill()
			time.Sleep(time.Duration(h.rng.IntN(300)) * time.Millisecond)
			n.start()
		}
		kills++
	}
	if h.waiting.Swap(false) {
		h.nats.Restart(true)
	}
	h.progress(60)
	h.over.Store(true)
	wg.Wait()
	watchers.Wait()
	for _, n := range h.nodes {
		if code, err := n.process().stop(); code != 0 || err != nil {
			h.Errorf("%s ended with %d, %v", n.name, code, err)
		}
		n.check()
	}
	var stored, renamed, deleted, appended, unknown, refused int
	for _, r := range h.rovers {
		stored, renamed, deleted = stored+r.stored, renamed+r.renamed, deleted+r.deleted
		appended, unknown, refused = appended+r.appended, unknown+r.unknown, refused+r.refused
	}
	h.Logf("%d kills, NATS stopped %d times, %d bans; acknowledged: %d stored, %d appended, %d renamed, %d deleted; cut and unknown: %d; over the quota: %d",
		kills, stops, bans, stored, appended, renamed, deleted, unknown, refused)
}

// progress returns when n more changes were acknowledged.
func (h *hunted) progress(n int) {
	h.Helper()
	enough := h.done.Load() + int64(n)
	for end := time.Now().Add(2 * patience); h.done.Load() < enough; time.Sleep(time.Millisecond) {
		if h.Failed() || time.Now().After(end) {
			h.over.Store(true)
			h.Fatal("nothing goes on")
		}
	}
}

// audit looks at what user q has on the store. What is being written there does not count.
func (h *hunted) audit() {
	for !h.over.Load() {
		if used := h.stored("q-"); used > clusterQuota+int64(len(h.nodes))*clusterLease {
			h.Errorf("user q has stored %d bytes of %d", used, clusterQuota)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// stored adds the sizes of the files on the store whose names begin so.
func (h *hunted) stored(prefix string) (sum int64) {
	_ = filepath.WalkDir(h.site.data, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasPrefix(e.Name(), prefix) || strings.Contains(path, ".sgwtmp") {
			return nil // it may have gone meanwhile
		}
		if info, err := e.Info(); err == nil {
			sum += info.Size()
		}
		return nil
	})
	return sum
}

// bans has an address banned by one node, and wants the others to know it within a second.
func (h *hunted) bans(i int) {
	h.Helper()
	if h.waiting.Load() {
		return
	}
	client := fmt.Sprintf("203.0.113.%d", 1+i%250)
	at := h.rng.IntN(len(h.nodes))
	for range 20 {
		if refused, err := h.nodes[at].guess(client); err != nil || refused {
			break
		}
	}
	// A connection without a login costs a point of the 15 that make a ban: there are few of them.
	const looks = 8
	pause := 120 * time.Millisecond
	if h.long == 0 { // beside other tests it may take longer
		pause = time.Second
	}
	for _, n := range h.nodes {
		banned := false
		for look := 0; look < looks && !banned; look++ {
			time.Sleep(pause)
			banned = n.keepsAway(client)
		}
		if !banned {
			h.Errorf("%s does not know after %v that %s is banned", n.name, looks*pause, client)
		}
	}
}

// keepsAway reports whether the node refuses a client of that address.
func (n *clusterNode) keepsAway(client string) bool {
	conn, err := dial("", n.addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	fmt.Fprintf(conn, "PROXY TCP4 %s 127.0.0.1 40000 21\r\n", client)
	greeting, err := bufio.NewReader(conn).ReadString('\n')
	return err == nil && strings.HasPrefix(greeting, "421")
}

// guess tries a password as a client of that address, and reports whether the node keeps it away.
func (n *clusterNode) guess(client string) (refused bool, err error) {
	conn, err := dial("", n.addr)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	fmt.Fprintf(conn, "PROXY TCP4 %s 127.0.0.1 40000 21\r\n", client)
	greeting, err := r.ReadString('\n')
	if err != nil {
		return false, err
	}
	if strings.HasPrefix(greeting, "421") {
		return true, nil
	}
	fmt.Fprintf(conn, "USER nobody%d\r\n", time.Now().UnixNano())
	if _, err = r.ReadString('\n'); err != nil {
		return false, err
	}
	fmt.Fprintf(conn, "PASS guess%d\r\n", time.Now().UnixNano())
	_, err = r.ReadString('\n')
	return false, err
}

// compare compares what is on the store with what the clients were promised.
func (h *hunted) compare() {
	m, there := lookAt(h.T, h.dir, h.site.environment("there", h.site.addr))
	for _, r := range h.rovers {
		for name, may := range r.may {
			got, err := m.fetch(name)
			if err != nil {
				h.Fatal(err)
			}
			if !oneOf(may, got) {
				h.Errorf("%s is %s on the store, may be %s", name, shortly(got), shortly(may...))
			}
			delete(there, name)
		}
	}
	for name := range there { // no two nodes store one name, so there is nothing to be kept beside
		h.Errorf("%q is on the store; nobody has stored it", name)
	}
}
