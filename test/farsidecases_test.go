package test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"ferry/remote/remotetest/badnet"
)

// A file was sent; after a start another one of the same size and time is stored under its name,
// and ferry is killed before that is sent.
func TestSizeAndTimeDoNotMakeAContentSent(t *testing.T) {
	t.Parallel() // it mostly waits
	for _, p := range []struct {
		name  string
		start func(*testing.T) *site
		size  int
	}{{"s3", startGateway, 6 << 20}, {"ftp", startFerry, 1 << 20}, {"sftp", startSSH, 1 << 20}} {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel() // they mostly wait
			f := newFarSide(t, p.start(t), "writes", "--vfs-write-back", "2s")
			first, second := content(p.size, "first"), content(p.size, "second")
			c := f.login()
			store := func(body []byte) {
				c.upload("STOR f", body)
				c.do("MFMT 20240102030405 f", 213)
			}
			store(first)
			f.drained()
			f.wants("f", text(first))
			f.restart()
			c = f.login()
			store(second)
			f.restart()
			f.getsTo("f", text(second))
		})
	}
}

// In mode off one session renames a file while another one stores it again. The new content is
// somewhere afterwards.
func TestARenameDoesNotDeleteWhatIsStoredMeanwhile(t *testing.T) {
	s := startGateway(t)
	f := newFarSide(t, s, "off")
	// What has been copied is removed after a while, or the copy is answered after a while.
	f.net.Add(badnet.Rule{Method: "DELETE", Fate: badnet.Fate{Late: 300 * time.Millisecond}})
	f.net.Add(badnet.Rule{Method: "POST", Path: "delete", Fate: badnet.Fate{Late: 300 * time.Millisecond}})
	other := f.login()
	for i := range many(3) {
		x, y, d := fmt.Sprint("x", i), fmt.Sprint("y", i), fmt.Sprint("d", i)
		c := f.login()
		c.upload("STOR "+x, []byte("old"))
		c.do("MKD "+d, 257)
		c.upload("STOR "+d+"/f", []byte("old"))
		for _, rename := range [][2]string{{x, y}, {d, d + "new"}} {
			c.do("RNFR "+rename[0], 350)
			c.send("RNTO " + rename[1])
			name := strings.TrimSuffix(rename[0]+"/f", "/f")
			moved := rename[1]
			if rename[0] == d {
				name, moved = d+"/f", d+"new/f"
			}
			time.Sleep(100 * time.Millisecond) // the copy has been made, and the original is there
			data := other.data()
			other.send("STOR " + name)
			reply := other.expect(150, 450, 550, 553)
			if strings.HasPrefix(reply, "150") {
				if _, err := data.Write([]byte("new")); err != nil {
					t.Fatal(err)
				}
				data.Close()
				reply = other.expect(226, 450, 451, 550, 553)
			}
			data.Close()
			c.expect(250)
			if strings.HasPrefix(reply, "226") && !oneOf([]*string{text([]byte("new"))}, f.has(name)) &&
				!oneOf([]*string{text([]byte("new"))}, f.has(moved)) {
				t.Errorf("%s was stored (%s) while it was renamed to %s: they are %s and %s", name, reply, moved,
					shortly(f.has(name)), shortly(f.has(moved)))
			}
		}
	}
}

// A key that is not valid at the moment, and a bucket that is not there, let files wait until that
// has passed.
func TestTroubleThatPassesDoesNotLoseFiles(t *testing.T) {
	t.Parallel() // it mostly waits
	s := startGateway(t)
	for _, status := range []int{401, 403, 404} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel() // they mostly wait
			f := newFarSide(t, s, "writes", "--vfs-write-back", "0s")
			f.net.Add(badnet.Rule{Method: "PUT", Fate: badnet.Fate{Lost: true, Answer: badnet.Ahead, Status: status}})
			c := f.login()
			for i := range 5 {
				c.upload(fmt.Sprint("STOR f", i), []byte(fmt.Sprint("content ", i)))
			}
			for i := range 5 {
				if err := f.net.Await(t.Context(), "is lost", "PUT", fmt.Sprint("/f", i)); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Second) // for what is concluded from it
			f.net.Heal()
			for i := range 5 {
				f.getsTo(fmt.Sprint("f", i), text([]byte(fmt.Sprint("content ", i))))
			}
		})
	}
}

// Uploads in parts that are interrupted leave no parts on the server.
func TestInterruptedMultipartUploadsAreAborted(t *testing.T) {
	t.Parallel() // it mostly waits
	s := startGateway(t)
	f := newFarSide(t, s, "writes", "--vfs-write-back", "0s")
	arrived := func() int { return strings.Count(f.net.HistoryOf("PUT", "partNumber="), "the server says 200") }
	var (
		before int
		kept   chan struct{}
	)
	twoPass := func() { // and what comes after them is kept, so that nothing is complete before ferry is killed
		before, kept = arrived(), make(chan struct{})
		f.net.Heal()
		f.net.Add(badnet.Rule{Method: "PUT", Path: "partNumber", Times: 2, Fate: badnet.Fate{Rate: 10 << 20}})
		f.net.Add(badnet.Rule{Method: "PUT", Path: "partNumber", Fate: badnet.Fate{Until: kept}})
	}
	twoPass()
	body := content(40<<20, "large")
	f.login().upload("STOR f", body)
	for range 3 {
		eventually(t, "two parts on the server", func() bool { return arrived() >= before+2 })
		f.proc.kill()
		close(kept)
		if err := f.net.Settle(t.Context()); err != nil { // what is on its way arrives before the next start
			t.Fatal(err)
		}
		twoPass()
		f.start()
	}
	f.net.Heal()
	close(kept)
	f.getsTo("f", text(body))
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		left := s.parts(t)
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("there are still %d: %q", len(left), left)
		}
	}
}

// Two devices with one login store a file of the same name, and are cut. Each goes on with its own.
func TestTwoDevicesDoNotMixTheirFiles(t *testing.T) {
	for _, mode := range []string{"off", "writes"} {
		for _, p := range []struct {
			name  string
			start func(*testing.T) *site
		}{{"local", startLocal}, {"s3", startGateway}} {
			t.Run(mode+", "+p.name, func(t *testing.T) {
				s := p.start(t)
				args := []string{"serve", "ftp", "there:" + s.fresh(t), "--addr", "127.0.0.1:0", "--user", "bob", "--pass", "builder", "-v",
					"--vfs-cache-mode", mode, "--vfs-write-back", "0s"}
				proc, err := start(t.TempDir(), s.environment("there", s.addr), args...)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(proc.kill)
				addrs, err := proc.addresses(1)
				if err != nil {
					t.Fatal(err)
				}
				one, other := content(4_000_000, "one"), content(4_000_000, "other")
				cut := func(local, name string, body []byte) {
					c := login(t, local, addrs[0])
					data := c.beginUpload("STOR "+name, body)
					reset(t, data)
					c.expect(426)
				}
				for local, body := range map[string][]byte{"127.0.0.1": one, "127.0.0.2": other} {
					name := "clip of " + local
					cut("127.0.0.1", name, one[:500_000])
					cut("127.0.0.2", name, other[:3_000_000])
					c := login(t, local, addrs[0])
					c.send("SIZE " + name)
					reply := c.expect(213, 550)
					from, _ := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(reply, "213")))
					if strings.HasPrefix(reply, "213") && from > 0 {
						c.do(fmt.Sprint("REST ", from), 350)
					}
					if got := c.tryUpload("STOR "+name, body[from:]); got != 226 {
						continue // it was told that something is wrong
					}
					if got := c.fetch("RETR " + name); !bytes.Equal(got, body) {
						t.Errorf("%s went on at %d and was told 226; the file is other %s", local, from, bytesOnly(got))
					}
				}
			})
		}
	}
}

// tryUpload is upload of what may be refused. It returns the code of the last reply.
func (c *ftpClient) tryUpload(command string, body []byte) int {
	c.t.Helper()
	data := c.data()
	defer data.Close()
	c.send(command)
	reply := c.expect(150, 450, 451, 550, 553)
	if strings.HasPrefix(reply, "150") {
		if _, err := data.Write(body); err != nil {
			c.t.Fatal(err)
		}
		data.Close()
		reply = c.expect(226, 426, 450, 451, 550)
	}
	code, _ := strconv.Atoi(reply[:3])
	return code
}
