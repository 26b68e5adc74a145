package test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/remote/remotetest/badnet"
)

// A farSide is a ferry with a bad network between it and its server. Its cache outlives it.
type farSide struct {
	*testing.T
	net   *badnet.Network // nil where it is none of HTTP
	proxy *badnet.Proxy   // nil where it is one of HTTP, or there is none
	began time.Time
	where string // what it serves
	home  string // holds the cache
	env   []string
	args  []string
	proc  *process
	addr  string

	straight string // the address of a ferry without a cache that asks the server itself
	truth    *mortal
}

// newFarSide starts a ferry in a cache mode over a fresh directory of a server.
func newFarSide(t *testing.T, s *site, mode string, args ...string) *farSide {
	t.Helper()
	f := &farSide{T: t, began: time.Now(), where: "there:" + s.fresh(t), home: t.TempDir(), env: s.environment("there", s.addr)}
	switch s.wire {
	case httpWire:
		f.net = badnet.Start(t, s.addr)
		f.env = s.environment("there", f.net.Addr)
	case ftpWire, otherWire:
		f.proxy = badnet.NewProxy(t, s.addr, badnet.ProxyOptions{FTP: s.wire == ftpWire})
		f.env = s.environment("there", f.proxy.Addr)
	}
	f.args = append([]string{"serve", "ftp", f.where, "--addr", "127.0.0.1:0", "--user", "bob", "-v", "--vfs-cache-mode", mode}, args...)
	_, addr := serveAt(t, f.where, append(s.environment("there", s.addr), "FERRY_DIR_CACHE_TIME=0s"))
	f.straight = addr
	f.ask()
	t.Cleanup(func() { f.truth.close() })
	t.Cleanup(func() {
		f.proc.kill()
		if strings.Contains(f.proc.log.String(), "DATA RACE") {
			t.Errorf("data race in ferry")
		}
		if t.Failed() {
			t.Logf("log of ferry:\n%s", f.proc.log)
			if f.net != nil {
				t.Logf("the network:\n%s", f.net.History())
			}
		}
	})
	f.start()
	return f
}

func (f *farSide) start() {
	f.Helper()
	proc, err := start(f.home, f.env, f.args...)
	if err != nil {
		f.Fatal(err)
	}
	f.proc = proc
	addrs, err := proc.addresses(1)
	if err != nil {
		f.Fatal(err)
	}
	f.addr = addrs[0]
}

// restart kills it, and starts it over the same cache.
func (f *farSide) restart() {
	f.Helper()
	f.proc.kill()
	f.start()
}

// again ends it in good order, and starts it over the same cache. After a kill, what it was just
// told might be in doubt, for which some commands wait.
func (f *farSide) again() {
	f.Helper()
	if code, err := f.proc.stop(); code != 0 || err != nil {
		f.Fatalf("ferry ended with %d, %v", code, err)
	}
	f.start()
	f.login().do("SIZE nobody-knows", 550) // as long as the remote has not answered, nothing is compared with it
}

func (f *farSide) login() *ftpClient { return login(f.T, "", f.addr) }

// waiting returns how many changes wait in the cache, those included that are only looked at again.
func (f *farSide) waiting() int {
	found, err := filepath.Glob(filepath.Join(f.home, ".cache/ferry/vfs/*/dirty/*"))
	if err != nil {
		f.Fatal(err)
	}
	return len(found)
}

// drained waits until nothing waits any more.
func (f *farSide) drained() {
	f.Helper()
	for end := time.Now().Add(2 * patience); f.waiting() > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			f.Fatalf("%d changes still wait", f.waiting())
		}
	}
}

// ask logs in where the server is asked itself.
func (f *farSide) ask() {
	f.Helper()
	var err error
	if f.truth, err = loginMortal(f.straight); err != nil {
		f.Fatal(err)
	}
}

// has returns what the server has under a name, nil = nothing. A read may fail because the file is
// replaced.
func (f *farSide) has(name string) *string {
	f.Helper()
	for tries := 1; ; tries++ {
		got, err := f.truth.fetch(name)
		if err == nil {
			return got
		}
		if tries == 10 {
			f.Fatal(err)
		}
		f.truth.close()
		f.ask()
	}
}

// wants compares what the server has with what it may have.
func (f *farSide) wants(name string, may ...*string) bool {
	f.Helper()
	got := f.has(name)
	if !oneOf(may, got) {
		f.Errorf("%s is %s on the server, may be %s", name, shortly(got), shortly(may...))
		return false
	}
	return true
}

// getsTo waits until the server has what it may have: what a late request has done has to be
// noticed first.
func (f *farSide) getsTo(name string, may ...*string) {
	f.Helper()
	for end := time.Now().Add(2 * patience); !oneOf(may, f.has(name)); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			f.Fatalf("%s is %s on the server, and does not come to be %s", name, shortly(f.has(name)), shortly(may...))
		}
	}
}

// many is n, or what the environment says for a long run.
func many(n int) int {
	if times, err := strconv.Atoi(os.Getenv("FERRY_FAR_TIMES")); err == nil {
		return n * times
	}
	return n
}

func text(b []byte) *string {
	s := string(b)
	return &s
}

// Six clients store a file, and up to 50 ms later store it again or delete it, while it is on its
// way. The attempt that was superseded must not reach the server after the one that superseded it.
func TestSupersededUploadsDoNotArriveLate(t *testing.T) {
	t.Parallel() // it mostly waits
	s := startGateway(t)
	for _, mode := range []string{"writes", "full"} {
		t.Run(mode, func(t *testing.T) {
			f := newFarSide(t, s, mode, "--vfs-write-back", "0s", "--transfers", "8")
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			var (
				clients sync.WaitGroup
				mu      sync.Mutex
				want    = map[string]*string{}
			)
			for i := range 6 {
				clients.Go(func() {
					rng := rand.New(rand.NewPCG(seed, uint64(i)))
					m, err := loginMortal(f.addr)
					if err != nil {
						t.Error(err)
						return
					}
					defer m.close()
					for j := range many(20) {
						name := fmt.Sprintf("f-%d-%d", i, j)
						last, err := supersede(m, rng, name)
						if err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						want[name] = last
						mu.Unlock()
					}
				})
			}
			clients.Wait()
			f.drained()
			wrong := 0
			for name, last := range want {
				if !f.wants(name, last) {
					wrong++
				}
			}
			t.Logf("%d of %d are wrong", wrong, len(want))
		})
	}
}

// supersede stores a file, and stores it again or deletes it. It returns what is left.
func supersede(m *mortal, rng *rand.Rand, name string) (*string, error) {
	body := func() []byte { return content(20_000+rng.IntN(580_000), fmt.Sprint(name, rng.Uint64())) }
	if err := m.send("STOR "+name, body()); err != nil {
		return nil, err
	}
	time.Sleep(time.Duration(rng.IntN(50)) * time.Millisecond)
	if rng.IntN(2) == 0 {
		_, err := m.do("DELE "+name, 250)
		return nil, err
	}
	last := body()
	return text(last), m.send("STOR "+name, last)
}

// Over a way of 200 kB per second a file of 600 kB is replaced, deleted or renamed a second after
// its upload to the server has begun, when all of it is in buffers on the way.
func TestSlowUploadsThatAreSupersededDoNotArriveLate(t *testing.T) {
	t.Parallel() // it mostly waits
	s := startGateway(t)
	for _, mode := range []string{"writes", "full"} {
		t.Run(mode, func(t *testing.T) {
			f := newFarSide(t, s, mode, "--vfs-write-back", "0s", "--transfers", "12")
			f.net.Add(badnet.Rule{Method: "PUT", Fate: badnet.Fate{Rate: 200_000}})
			c := f.login()
			want := map[string]*string{}
			count := many(4)
			for i := range count {
				name := fmt.Sprint("f", i)
				c.upload("STOR "+name, content(600_000, name))
			}
			for i := range count {
				if err := f.net.Await(t.Context(), "has come whole", "PUT", fmt.Sprint("/f", i)); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Second)
			for i := range count {
				name := fmt.Sprint("f", i)
				switch i % 4 {
				case 0, 2:
					c.do("DELE "+name, 250)
					want[name] = nil
				case 1:
					c.upload("STOR "+name, []byte("new"))
					want[name] = text([]byte("new"))
				default:
					c.do("RNFR "+name, 350)
					c.do("RNTO "+name+".renamed", 250)
					want[name], want[name+".renamed"] = nil, text(content(600_000, name))
				}
			}
			f.drained()
			if err := f.net.Settle(t.Context()); err != nil {
				t.Fatal(err)
			}
			wrong := 0
			for name, last := range want {
				if !f.wants(name, last) {
					wrong++
				}
			}
			t.Logf("%d of %d are wrong", wrong, len(want))
		})
	}
}

// The network has lost the answer to an upload, and delivers it after what came later, also after
// ferry was killed meanwhile.
func TestWhatWasNotAnsweredIsDoneAgainWhenItArrivesLate(t *testing.T) {
	t.Parallel() // it mostly waits
	s := startGateway(t)
	for _, mode := range []string{"writes", "full"} {
		for _, killed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, killed %v", mode, killed), func(t *testing.T) {
				t.Parallel() // they mostly wait
				f := newFarSide(t, s, mode, "--vfs-write-back", "0s", "--transfers", "8")
				until := make(chan struct{})
				for _, name := range []string{"/stored", "/deleted", "/renamed"} {
					f.net.Add(badnet.Rule{Method: "PUT", Path: name, Times: 1, Fate: badnet.Fate{Answer: badnet.Ahead, Until: until}})
				}
				c := f.login()
				for _, name := range []string{"stored", "deleted", "renamed"} {
					c.upload("STOR "+name, []byte("old "+name))
					if err := f.net.Await(t.Context(), "has come whole", "PUT", "/"+name); err != nil {
						t.Fatal(err)
					}
				}
				if killed {
					f.restart()
					c = f.login()
				}
				c.upload("STOR stored", []byte("new"))
				c.do("DELE deleted", 250)
				c.do("RNFR renamed", 350)
				c.do("RNTO moved", 250)
				f.getsTo("stored", text([]byte("new")))
				f.getsTo("deleted", nil)
				f.getsTo("renamed", nil)
				f.getsTo("moved", text([]byte("old renamed")))
				if killed {
					f.restart()
				}
				close(until) // now the old ones arrive
				if err := f.net.Settle(t.Context()); err != nil {
					t.Fatal(err)
				}
				f.getsTo("stored", text([]byte("new")))
				f.getsTo("deleted", nil)
				f.getsTo("renamed", nil)
				f.getsTo("moved", text([]byte("old renamed")))
			})
		}
	}
}
