package test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ferry/remote/remotetest/badnet"
	"ferry/remote/remotetest/servers/natsserver"
)

// A crew is nodes over one bucket, which they reach by one address.
type crew struct {
	t      *testing.T
	site   *site
	addr   string   // of the store, as the nodes reach it
	place  string   // of --handover
	delay  string   // --vfs-write-back
	more   []string // flags of all
	caches map[string]string
}

func newCrew(t *testing.T, s *site, addr, place string) *crew {
	return &crew{t: t, site: s, addr: addr, place: place, delay: "1h", caches: map[string]string{}}
}

// types are the flags that say how the store is reached.
func (c *crew) types() (args []string) {
	for name, value := range c.site.options(c.addr) {
		if name != "type" {
			args = append(args, "--s3-"+strings.ReplaceAll(name, "_", "-"), value)
		}
	}
	return args
}

// start starts a node, on the disk that it had before.
func (c *crew) start(name string) (*process, string) {
	c.t.Helper()
	if c.caches[name] == "" {
		c.caches[name] = c.t.TempDir()
	}
	args := append(c.types(), "--vfs-cache-mode", "writes", "--vfs-write-back", c.delay, "--cache-dir", c.caches[name], "--node", name, "--low-level-retries", "1", "--log-level", "INFO")
	if c.place != "" {
		args = append(args, "--handover", c.place)
	}
	args = append(args, c.more...)
	return serve(c.t, ":s3:bucket", args...)
}

// stored waits until the bucket has a file with a content, as it is on the disk of the store.
func (c *crew) stored(name string, content []byte) {
	c.t.Helper()
	eventually(c.t, name+" in the bucket", func() bool {
		got, err := os.ReadFile(filepath.Join(c.site.data, "bucket", name))
		return err == nil && bytes.Equal(got, content)
	})
}

func (c *crew) missing(name string) {
	c.t.Helper()
	if _, err := os.Lstat(filepath.Join(c.site.data, "bucket", name)); err == nil {
		c.t.Errorf("the bucket has %s already", name)
	}
}

// What a node has acknowledged is sent by another one when it ends; the place is in the bucket that
// is served, and not shown.
func TestHandoverThroughABucket(t *testing.T) {
	t.Parallel()
	s := startGateway(t)
	c := newCrew(t, s, s.addr, ":s3:bucket/.ferry-handover")
	a, addr := c.start("a")
	body := content(3<<20, "body")
	client := login(t, "", addr)
	client.upload("STOR large", body)
	client.do("MKD d", 257)
	client.upload("STOR d/small", []byte("small"))
	c.missing("large")
	if code, err := a.stop(); err != nil || code != 0 || !strings.Contains(a.log.String(), "handed over what waited for the remotes") {
		t.Fatalf("status %d, %v", code, err)
	}
	c.missing("large")
	c.delay = "0s"
	_, addr = c.start("b")
	c.stored("large", body)
	c.stored("d/small", []byte("small"))
	client = login(t, "", addr)
	if names := client.listed("/"); len(names) != 2 {
		t.Errorf("a client sees %q", names)
	}
	client.do("CWD .ferry-handover", 550)
}

// The store cannot be reached when a node ends: what waits goes to a directory that both have.
func TestHandoverWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	s := startGateway(t)
	proxy := badnet.NewProxy(t, s.addr, badnet.ProxyOptions{})
	c := newCrew(t, s, proxy.Addr, t.TempDir())
	c.delay = "0s"
	a, addr := c.start("a")
	client := login(t, "", addr)
	client.upload("STOR before", []byte("before"))
	c.stored("before", []byte("before"))
	proxy.Refuse(true)
	proxy.Reset()
	client.upload("STOR while", []byte("while it is away"))
	client.do("DELE before", 250)
	if code, err := a.stop(); err != nil || code != 0 {
		t.Fatalf("status %d, %v", code, err)
	}
	b, _ := c.start("b")
	if err := b.log.waitForLine("took over changes from another node"); err != nil {
		t.Fatal(err)
	}
	c.missing("while")
	proxy.Refuse(false)
	proxy.Heal()
	c.stored("while", []byte("while it is away"))
	eventually(t, "that the deleted file is gone", func() bool {
		_, err := os.Lstat(filepath.Join(s.data, "bucket", "before"))
		return os.IsNotExist(err)
	})
}

// A node is killed while it hands over: what it had not given is sent when it comes back, what it
// had given by the other one, all of it once.
func TestHandoverThatIsKilled(t *testing.T) {
	t.Parallel()
	s := startGateway(t)
	proxy := badnet.NewProxy(t, s.addr, badnet.ProxyOptions{})
	c := newCrew(t, s, proxy.Addr, ":s3:bucket/.ferry-handover")
	a, addr := c.start("a")
	client := login(t, "", addr)
	const files = 24
	body := func(i int) []byte { return content(256<<10, fmt.Sprintf("file %d", i)) }
	for i := range files {
		client.upload(fmt.Sprintf("STOR f%d", i), body(i))
	}
	proxy.Hold(badnet.Up, badnet.Up, files/2*256<<10) // the second half does not get there
	signal(t, a, syscall.SIGTERM)
	given := filepath.Join(s.data, "bucket/.ferry-handover/*/a-*/*")
	eventually(t, "something handed over", func() bool {
		names, err := filepath.Glob(given)
		return err == nil && len(names) >= 3
	})
	a.kill()
	proxy.Reset()
	proxy.Heal()
	c.delay = "0s"
	b, _ := c.start("b")
	if err := b.log.waitForLine("took over changes from another node"); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(a.log.String(), "handed over what waited") {
		t.Error("it was not killed in the middle")
	}
	c.start("a")
	for i := range files {
		c.stored(fmt.Sprintf("f%d", i), body(i))
	}
	if text := b.log.String(); strings.Contains(text, "changed on the remote while") {
		t.Errorf("something was sent twice:\n%s", text)
	}
}

// Nodes that share an engine are told of what is handed over, and do not wait until they look by
// themselves. Whoever of two takes a change, each is stored once.
func TestHandoverIsTakenAtOnce(t *testing.T) {
	t.Parallel()
	s := startGateway(t)
	c := newCrew(t, s, s.addr, ":s3:bucket/.ferry-handover")
	c.more = []string{"--cluster", natsserver.Start(t).URL()}
	a, addr := c.start("a")
	c.delay = "0s"
	var others []*process
	for _, name := range []string{"b", "c"} {
		p, _ := c.start(name)
		if err := p.log.waitForLine("the engine that nodes share is reached"); err != nil {
			t.Fatal(err)
		}
		others = append(others, p)
	}
	client := login(t, "", addr)
	const files = 20
	body := func(i int) []byte { return content(64<<10, fmt.Sprintf("file %d", i)) }
	for i := range files {
		client.upload(fmt.Sprintf("STOR f%d", i), body(i))
	}
	signal(t, a, syscall.SIGTERM)
	if err := a.log.waitForLine("handed over what waited for the remotes"); err != nil {
		t.Fatal(err)
	}
	given := time.Now()
	for i := range files {
		c.stored(fmt.Sprintf("f%d", i), body(i))
	}
	took := time.Since(given)
	t.Logf("%d files were taken and sent %v after they were handed over", files, took)
	if took > 20*time.Second { // they look each minute
		t.Errorf("it took %v", took)
	}
	tookOver := regexp.MustCompile(`took over changes .* changes=(\d+)`)
	taken := 0
	eventually(t, "all are told to be taken, by one node each", func() bool { // which is logged later
		taken = 0
		for _, p := range others {
			for _, m := range tookOver.FindAllStringSubmatch(p.log.String(), -1) {
				n, _ := strconv.Atoi(m[1])
				taken += n
			}
		}
		return taken >= files
	})
	if taken != files {
		t.Errorf("%d changes were taken, of %d", taken, files)
	}
}

// A place that is not there is told of at the start, with what to do; nothing else depends on it.
func TestHandoverToABucketThatIsNotThere(t *testing.T) {
	t.Parallel()
	s := startGateway(t)
	c := newCrew(t, s, s.addr, ":s3:nowhere/.ferry-handover")
	c.delay = "0s"
	a, addr := c.start("a")
	login(t, "", addr).upload("STOR f", []byte("f"))
	c.stored("f", []byte("f"))
	if log := a.log.String(); strings.Count(log, "WARN") != 1 || !strings.Contains(log, "nothing can be handed over") || !strings.Contains(log, "create the bucket") {
		t.Errorf("it is told as:\n%s", log)
	}
}

// The directory of a node that was killed is taken by a command, which two ferries never share.
func TestCacheAdoptOfAKilledNode(t *testing.T) {
	t.Parallel()
	s := startGateway(t)
	c := newCrew(t, s, s.addr, "")
	a, addr := c.start("a")
	client := login(t, "", addr)
	body := content(2<<20, "body")
	client.upload("STOR f", body)
	part := client.beginUpload("STOR unfinished", content(3<<20, "part"))
	defer part.Close()
	eventually(t, "the part on the disk", func() bool {
		names, err := filepath.Glob(filepath.Join(c.caches["a"], "vfs/*/tmp/*"))
		if err != nil || len(names) == 0 {
			return false
		}
		info, err := os.Stat(names[0])
		return err == nil && info.Size() >= 3<<20
	})
	nats := natsserver.Start(t)
	other, addr := serve(t, ":s3:bucket", append(c.types(), "--cluster", nats.URL(), "--dir-cache-time", "24h", "--log-level", "INFO")...)
	if _, err := other.log.waitFor(func(s string) bool { return strings.Contains(s, "that nodes share is reached") }); err != nil {
		t.Fatal(err)
	}
	adopt := func() (string, error) {
		cmd := exec.CommandContext(t.Context(), ferryBinary, append([]string{"cache", "adopt", c.caches["a"], "--cluster", nats.URL()}, c.types()...)...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := adopt(); err == nil || !strings.Contains(out, fmt.Sprintf("(pid %d)", a.cmd.Process.Pid)) {
		t.Errorf("while it is used: %v, %s", err, out)
	}
	second, err := start(t.TempDir(), nil, append([]string{"serve", "ftp", ":s3:bucket", "--addr", "127.0.0.1:0", "--pass", "x", "--vfs-cache-mode", "writes",
		"--cache-dir", c.caches["a"]}, c.types()...)...)
	if err != nil {
		t.Fatal(err)
	}
	if code, err := second.wait(); err != nil || code == 0 || !strings.Contains(second.log.String(), "another process") {
		t.Errorf("two ferries share a cache: %d, %v, %s", code, err, second.log)
	}
	a.kill()
	witness := login(t, "", addr)
	witness.listed("/")
	out, err := adopt()
	if err != nil || !strings.Contains(out, ": 1 change sent, 0 left; 1 unfinished upload, ") {
		t.Errorf("%v: %s", err, out)
	}
	witness.soon("/", "f", true) // it was told
	c.stored("f", body)
}
