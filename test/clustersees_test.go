package test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestAClusterSeesWhatOthersStore stores, renames and deletes files through one node, and waits
// until the listings of the others show it. Listings are remembered for an hour, and are not asked
// for again as long as nothing changes. FERRY_CLUSTER_FILES says how many files are stored; then
// p99 has to be below 200 ms, too.
func TestAClusterSeesWhatOthersStore(t *testing.T) {
	t.Parallel() // it mostly waits
	files, bound := 30, patience
	if n, err := strconv.Atoi(os.Getenv("FERRY_CLUSTER_FILES")); err == nil {
		files, bound = n, 200*time.Millisecond
	}
	f := newCluster(t, []string{clusterUser("bob", "")})
	var clients []*ftpClient
	for _, n := range f.nodes {
		clients = append(clients, login(t, "", n.front))
	}
	clients[0].do("MKD in", 257)
	seen := func(by int, name string, there bool) time.Duration {
		began := time.Now()
		for slices.Contains(lines(clients[by].fetch("NLST in")), "in/"+name) != there {
			if time.Since(began) > patience {
				t.Fatalf("after %v the listing of %s does not show of %s that it is there: %v", patience, f.nodes[by].name, name, there)
			}
		}
		return time.Since(began)
	}
	for by := range clients {
		clients[by].fetch("NLST in")
	}
	var lags []time.Duration
	for i := range files {
		at := i % len(clients)
		one, two := (at+1)%len(clients), (at+2)%len(clients)
		name := fmt.Sprintf("f%d", i)
		clients[at].upload("STOR in/"+name, content(2000, name))
		lags = append(lags, seen(one, name, true))
		seen(two, name, true)
		switch i % 3 {
		case 1:
			clients[one].do("DELE in/"+name, 250)
			lags = append(lags, seen(two, name, false))
		case 2:
			clients[two].do("RNFR in/"+name, 350)
			clients[two].do("RNTO in/"+name+".done", 250)
			lags = append(lags, seen(at, name+".done", true))
		}
	}
	slices.Sort(lags)
	p99 := lags[len(lags)*99/100]
	t.Logf("%d changes: p50 %v, p99 %v, all within %v", len(lags), lags[len(lags)/2], p99, lags[len(lags)-1])
	if p99 > bound {
		t.Errorf("p99 is %v, more than %v", p99, bound)
	}
	f.staysCached(clients, "NLST in")
}

// staysCached lists again and again, and wants nobody to ask the store.
func (f *cluster) staysCached(clients []*ftpClient, command string) {
	f.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) { // late notices of the last changes
		before := f.listings()
		for range 30 {
			for _, c := range clients {
				c.fetch(command)
			}
		}
		if f.listings() == before {
			return
		}
		if time.Now().After(end) {
			f.Fatalf("listings of what does not change do not stay cached: %v requests of %v", f.listings()-before, 30*len(clients))
		}
	}
}

// listings returns how often the nodes have asked the store for a listing.
func (f *cluster) listings() (sum float64) {
	for _, n := range f.nodes {
		sum += n.sum("ferry_remote_requests_total", `operation="list"`)
	}
	return sum
}

// TestAClusterGoesOnWithoutNATS stops NATS: each node goes on with what it knows. When it is back,
// what was changed meanwhile is seen.
func TestAClusterGoesOnWithoutNATS(t *testing.T) {
	t.Parallel() // it mostly waits
	f := newCluster(t, []string{clusterUser("bob", "")})
	one, two := login(t, "", f.nodes[0].front), login(t, "", f.nodes[1].front)
	one.upload("STOR before", []byte("before"))
	f.until(func() bool { return slices.Contains(lines(two.fetch("NLST")), "before") }, "what is stored before is seen")
	f.nats.Stop()
	one.upload("STOR while", []byte("while"))
	two.upload("STOR mine", []byte("mine"))
	if names := lines(two.fetch("NLST")); !slices.Contains(names, "mine") {
		t.Errorf("without NATS a node lists %q, not what was stored through it", names)
	}
	f.nats.Restart(false)
	f.until(func() bool { return slices.Contains(lines(two.fetch("NLST")), "while") }, "what was stored without NATS is seen after it")
	one.upload("STOR after", []byte("after"))
	f.until(func() bool { return slices.Contains(lines(two.fetch("NLST")), "after") }, "what is stored after it is seen")
	for _, n := range f.nodes {
		n.check()
		if log := n.process().log.String(); strings.Count(log, "level=WARN") > 20 {
			t.Errorf("%s complains a lot:\n%s", n.name, log)
		}
	}
}

// until waits until good says so.
func (f *cluster) until(good func() bool, what string) {
	f.Helper()
	for end := time.Now().Add(patience); !good(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			f.Fatalf("not within %v: %s", patience, what)
		}
	}
}
