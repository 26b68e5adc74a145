package test

import (
	"bufio"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A device sends files all the time, logs in again when its session has ended, and remembers what
// was acknowledged.
type device struct {
	office   *office
	name     string
	all      *atomic.Int64     // files that devices have stored
	ended    int               // sessions
	refused  int               // logins
	size     int               // of each file
	stored   map[string]string // content of what was acknowledged, by name
	doubtful map[string]string // content of what was sent and not answered
}

func newDevice(o *office, name string, size int, all *atomic.Int64) *device {
	return &device{office: o, name: name, size: size, all: all, stored: map[string]string{}, doubtful: map[string]string{}}
}

// waitForFiles waits until n more files have been stored.
func waitForFiles(t *testing.T, stored *atomic.Int64, n int64) {
	t.Helper()
	begun := time.Now()
	for want := stored.Load() + n; stored.Load() < want; time.Sleep(time.Millisecond) {
		if time.Since(begun) > patience {
			t.Fatal("nothing is stored any more")
		}
	}
}

// errEnded is that of a session that the server has ended.
var errEnded = errors.New("the session ended")

// work sends files until stop is closed, or with mortal until ferry is killed. It fails when a file
// is neither acknowledged nor the session ended.
func (d *device) work(stop <-chan struct{}, mortal bool) error {
	var c *rawClient
	for i := 0; ; i++ {
		select {
		case <-stop:
			if c != nil {
				c.conn.Close()
			}
			return nil
		default:
		}
		var err error
		if c == nil {
			c, err = rawLogin(d.address(), d.office.addr, d.name)
			if c == nil && err == nil {
				d.refused++
				time.Sleep(10 * time.Millisecond) // as devices do
				continue
			}
		}
		if err == nil {
			err = d.send(c, i)
		}
		switch {
		case err == nil:
		case errors.Is(err, errEnded), mortal:
			d.ended++
			if c != nil {
				c.conn.Close()
			}
			if c = nil; mortal {
				return nil
			}
		default:
			return fmt.Errorf("%s: %w", d.name, err)
		}
	}
}

// send sends a new file, or one of those that were acknowledged, with other content.
func (d *device) send(c *rawClient, i int) error {
	name, body := fmt.Sprintf("f%d", rand.N(8)), fmt.Sprintf("%s %d ", d.name, i)
	body += string(content(rand.N(d.size)+1, body))
	data, err := c.passive()
	if err != nil {
		return err
	}
	defer data.Close()
	if _, err := c.reply("STOR "+name, "150"); err != nil {
		return err
	}
	d.doubtful[name] = body
	if _, err := io.Copy(data, strings.NewReader(body)); err != nil {
		return err
	}
	data.Close()
	if _, err := c.reply("", "226"); err != nil {
		return err
	}
	d.all.Add(1)
	d.stored[name] = body
	delete(d.doubtful, name)
	return nil
}

// A rawClient answers with errors, for goroutines.
type rawClient struct {
	conn net.Conn
	r    *bufio.Reader
}

// address is that of the device. On systems that have as many it is one of its own: a refused login
// of one device delays the logins of others at its address.
func (d *device) address() string {
	if runtime.GOOS != "linux" {
		return "127.0.0.1"
	}
	sum := fnv.New32()
	io.WriteString(sum, d.name)
	return fmt.Sprintf("127.0.%d.%d", sum.Sum32()>>8&0xff, sum.Sum32()&0xff|2)
}

// rawLogin returns nil where the login is refused. local is the address of the client.
func rawLogin(local, addr, user string) (*rawClient, error) {
	conn, err := dial(local, addr)
	if err != nil {
		return nil, err
	}
	c := &rawClient{conn, bufio.NewReader(conn)}
	for _, step := range [][2]string{{"", "220"}, {"USER " + user, "331"}, {"PASS " + user + user, "230"}, {"TYPE I", "200"}} {
		got, err := c.reply(step[0], step[1])
		if err != nil {
			conn.Close()
			if strings.HasPrefix(got, "530") {
				return nil, nil
			}
			return nil, err
		}
	}
	return c, nil
}

// reply sends a command, unless that is "", and wants a reply of one line.
func (c *rawClient) reply(command, code string) (string, error) {
	if command != "" {
		if _, err := io.WriteString(c.conn, command+"\r\n"); err != nil {
			return "", fmt.Errorf("%w: %w", errEnded, err)
		}
	}
	line, err := c.r.ReadString('\n')
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: %w", errEnded, err)
	case strings.HasPrefix(line, "421"):
		return line, errEnded
	case code == "" || !strings.HasPrefix(line, code+" "):
		return line, fmt.Errorf("%s: %q", command, line)
	}
	return line, nil
}

func (c *rawClient) passive() (net.Conn, error) {
	line, err := c.reply("EPSV", "229")
	if err != nil {
		return nil, err
	}
	m := epsvPort.FindStringSubmatch(line)
	if m == nil {
		return nil, fmt.Errorf("EPSV: %q", line)
	}
	host, _, _ := net.SplitHostPort(c.conn.RemoteAddr().String())
	local, _, _ := net.SplitHostPort(c.conn.LocalAddr().String())
	data, err := dial(local, net.JoinHostPort(host, m[1]))
	if err != nil { // it may have ended just now
		_, err = c.reply("", "")
	}
	return data, err
}

// changing returns the users of a round. Of each four one stays, one has another rate each time,
// one comes and goes, and one gets a note, which is nothing to a session.
func (o *office) changing(devices, round int) string {
	text := fmt.Sprintf("[defaults]\nremote = '%s/{user}'\ncreate_home = true\n", o.file("srv"))
	for i := range devices {
		more := []string{"", fmt.Sprintf("rate_up = \"%dM\"", 50+round), "", fmt.Sprintf("note = \"%d\"", round)}[i%4]
		if i%8 >= 4 {
			more += "\ncache_mode = 'writes'"
		}
		if i%4 != 2 || (round+i/4)%2 == 0 {
			text += entry(fmt.Sprintf("u%02d", i), more)
		}
	}
	return text
}

// TestTheUsersChangeUnderLoad replaces the file while twenty sessions send.
func TestTheUsersChangeUnderLoad(t *testing.T) {
	t.Parallel()
	const devices, changes = 20, 50
	o := newOffice(t)
	o.replaceUsers(o.changing(devices, 0))
	o.serve("--vfs-write-back", "0s")
	var stored atomic.Int64
	stop, all := make(chan struct{}), sync.WaitGroup{}
	var list []*device
	for i := range devices {
		d := newDevice(o, fmt.Sprintf("u%02d", i), 20_000, &stored)
		list = append(list, d)
		all.Go(func() {
			if err := d.work(stop, false); err != nil {
				t.Error(err)
			}
		})
	}
	for round := range changes {
		waitForFiles(t, &stored, devices/2)
		o.replaceUsers(o.changing(devices, round+1))
		if err := o.ferry.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		if _, err := o.ferry.log.waitFor(func(text string) bool { return strings.Count(text, "read the users again") > round }); err != nil {
			t.Fatal(err)
		}
	}
	waitForFiles(t, &stored, devices)
	close(stop)
	all.Wait()
	refused, ended := 0, 0
	for i, d := range list {
		goes := i%4 == 2
		if len(d.stored) == 0 && !goes {
			t.Errorf("%s has stored nothing", d.name)
		}
		if other := i%4 == 1; !goes && ((d.ended > 0) != other || d.refused > 0) {
			t.Errorf("%s: %d sessions ended, %d logins were refused", d.name, d.ended, d.refused)
		}
		if goes {
			refused += d.refused
			ended += d.ended
		}
		for name, body := range d.stored {
			if _, also := d.doubtful[name]; !also {
				o.holds("srv/"+d.name+"/"+name, body)
			}
		}
	}
	if refused == 0 || ended == 0 {
		t.Errorf("of who came and went %d sessions ended, and %d logins were refused", ended, refused)
	}
}

// TestQuotasSurviveKills kills ferry while its users send. What is counted may differ from what
// is stored by what was on its way.
func TestQuotasSurviveKills(t *testing.T) {
	t.Parallel()
	const devices, size = 4, 300_000
	o := newOffice(t)
	text := fmt.Sprintf("[defaults]\nremote = '%s/{user}'\ncreate_home = true\nquota_bytes = '1G'\n", o.file("srv"))
	for i := range devices {
		text += entry(fmt.Sprintf("u%d", i), "")
	}
	o.replaceUsers(text)
	var stored atomic.Int64
	var differed [devices]int // of earlier rounds
	for round := range 3 {
		o.serve()
		stop, all := make(chan struct{}), sync.WaitGroup{}
		for i := range devices {
			d := newDevice(o, fmt.Sprintf("u%d", i), size, &stored)
			all.Go(func() {
				if err := d.work(stop, true); err != nil {
					t.Error(err)
				}
			})
		}
		waitForFiles(t, &stored, devices*8+rand.N[int64](20))
		o.ferry.kill()
		all.Wait()
		close(stop)
		for i := range devices {
			user := fmt.Sprintf("u%d", i)
			counted, stored := o.usage(user), diskUsage(t, o.file("srv/"+user))
			if diff := counted - stored; abs(diff-differed[i]) > size+100 {
				t.Errorf("round %d: %s has %d bytes, and %d are counted", round, user, stored, counted)
			} else {
				differed[i] = diff
			}
			if stored == 0 {
				t.Errorf("%s has stored nothing", user)
			}
		}
	}
	for i := range devices {
		user := fmt.Sprintf("u%d", i)
		counted, stored := o.usage(user, "--scan"), diskUsage(t, o.file("srv/"+user))
		if counted != stored || o.usage(user) != stored {
			t.Errorf("%s has %d bytes, and a scan has counted %d", user, stored, counted)
		}
	}
}

func abs(n int) int { return max(n, -n) }

// usage returns the bytes that ferry users usage prints.
func (o *office) usage(user string, args ...string) int {
	o.t.Helper()
	out := ferry(o.t, []string{noFile}, append([]string{"users", "--users", o.file("users.toml"), "usage", user, "--cache-dir", o.file("cache")}, args...)...)
	var name string
	var n int
	_, line, _ := strings.Cut(out, "\n")
	if _, err := fmt.Sscan(line, &name, &n); err != nil || name != user {
		o.t.Fatalf("usage says %q", out)
	}
	return n
}

// diskUsage counts the bytes of the finished files in dir.
func diskUsage(t *testing.T, dir string) (n int) {
	t.Helper()
	for line := range strings.Lines(summary(t, dir)) {
		var name string
		var size int
		if fmt.Sscanf(line, "%s %d", &name, &size); !strings.HasPrefix(name, ".") {
			n += size
		}
	}
	return n
}
