package test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"ferry/remote/remotetest/badnet"
)

// A visit is a fresh directory of a place, and ferry over it.
type visit struct {
	*testing.T
	place place
	proxy *badnet.Proxy // between ferry and the server; nil where there is no network
	proc  *process
	addr  string // of ferry
	again func() // starts ferry once more
}

// TestRemotes serves every kind of remote: each server is started once, each test has a directory
// and a ferry of its own.
func TestRemotes(t *testing.T) {
	t.Parallel() // it mostly waits
	tests := []struct {
		sentence string
		test     func(v *visit)
	}{
		{"files go there and back", filesGoThereAndBack},
		{"an overwrite that the client cuts leaves the old file", clientCuts},
		{"an overwrite that the remote cuts leaves the old file", remoteCuts},
		{"an overwrite in which ferry is killed leaves the old file", ferryIsKilled},
		{"files are continued, or it is said how", filesAreContinued},
		{"a directory is renamed with all that is in it", directoryIsRenamed},
		{"two devices with one login are kept apart", devicesAreApart},
	}
	for _, p := range placesFor(os.Getenv("FERRY_FAR_TIMES") != "") {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel() // they mostly wait
			s := p.start(t)
			for _, tt := range tests {
				t.Run(tt.sentence, func(t *testing.T) { tt.test(newVisit(t, p, s)) })
			}
			t.Run("clients", func(t *testing.T) { runClients(t, p, s) })
		})
	}
}

// runClients runs real clients over fresh directories of a place.
func runClients(t *testing.T, p place, s *site) {
	runScripts(t, "testdata/remotes", setting{continues: p.continues, big: p.big, remote: func() (string, []string) {
		return "there:" + s.fresh(t), s.environment("there", s.addr)
	}})
}

func newVisit(t *testing.T, p place, s *site) *visit {
	t.Helper()
	v := &visit{T: t, place: p}
	addr := s.addr
	if addr != "" {
		v.proxy = badnet.NewProxy(t, addr, badnet.ProxyOptions{})
		addr = v.proxy.Addr
	}
	what, env := "there:"+s.fresh(t), s.environment("there", addr)
	v.again = func() { v.proc, v.addr = serveAt(t, what, env) }
	v.again()
	return v
}

func filesGoThereAndBack(v *visit) {
	body := content(24<<20+5, "remote")
	c := login(v.T, "", v.addr)
	c.do("MKD dir", 257)
	c.do("CWD dir", 250)
	c.upload("STOR big file", body)
	c.upload("STOR empty", nil)
	if n := c.size("big file"); n != len(body) {
		v.Errorf("SIZE is %d", n)
	}
	if got := c.fetch("RETR big file"); !bytes.Equal(got, body) {
		v.Errorf("it comes back as other %s", bytesOnly(got))
	}
	c.do("REST 20000000", 350)
	if got := c.fetch("RETR big file"); !bytes.Equal(got, body[20000000:]) {
		v.Errorf("its end comes back as other %s", bytesOnly(got))
	}
	if got := lines(c.fetch("NLST")); !slices.Equal(got, []string{"big file", "empty"}) {
		v.Errorf("listed: %q", got)
	}
	c.do("RNFR big file", 350)
	c.do("RNTO ../moved", 250)
	c.do("DELE empty", 250)
	c.do("CWD ..", 250)
	if got := lines(c.fetch("NLST")); !slices.Equal(got, []string{"dir", "moved"}) {
		v.Errorf("listed: %q", got)
	}
	if v.place.timed {
		c.do("MFMT 20200102030405 moved", 213)
		if got := c.do("MDTM moved", 213); got != "213 20200102030405" {
			v.Errorf("MDTM: %q", got)
		}
	}
	c.do("RMD dir", 250)
	c.do("DELE moved", 250)
	c.do("SIZE moved", 550)
	if got := c.fetch("NLST"); len(got) != 0 {
		v.Errorf("listed: %q", got)
	}
}

// sent is how much of an upload has come when it is cut. No driver sends a file of this length in
// one request.
const sent = 20 << 20

func clientCuts(v *visit) {
	body := content(sent, "new")
	c := login(v.T, "", v.addr)
	c.upload("STOR f", []byte("old"))
	for _, name := range []string{"f", "new"} {
		reset(v.T, c.beginUpload("STOR "+name, body))
		c.expect(426)
	}
	v.onlyTheOldFile(login(v.T, "", v.addr))
}

func remoteCuts(v *visit) {
	if v.proxy == nil {
		v.Skip("there is no network to this remote")
	}
	body := content(sent, "new")
	c := login(v.T, "", v.addr)
	c.upload("STOR f", []byte("old"))
	data := c.beginUpload("STOR f", body)
	v.proxy.Refuse(true)
	data.Close()
	c.expect(451)
	v.proxy.Heal()
	v.onlyTheOldFile(login(v.T, "", v.addr))
}

func ferryIsKilled(v *visit) {
	body := content(sent, "new")
	c := login(v.T, "", v.addr)
	c.upload("STOR f", []byte("old"))
	for _, name := range []string{"f", "new"} {
		c.beginUpload("STOR "+name, body)
		v.proc.kill()
		v.again()
		c = login(v.T, "", v.addr)
	}
	v.onlyTheOldFile(c)
}

// onlyTheOldFile checks that f holds what it held, and that nothing of an upload that was cut is to
// be seen by others.
func (v *visit) onlyTheOldFile(c *ftpClient) {
	v.Helper()
	if got := c.fetch("RETR f"); string(got) != "old" {
		v.Errorf("the file is other %s", bytesOnly(got))
	}
	stranger := login(v.T, "127.0.0.2", v.addr)
	if got := lines(stranger.fetch("NLST")); !slices.Equal(got, []string{"f"}) {
		v.Errorf("listed: %q", got)
	}
}

func filesAreContinued(v *visit) {
	c := login(v.T, "", v.addr)
	c.upload("STOR f", []byte("0123456789"))
	if !v.place.continues {
		c.data()
		if reply := c.do("APPE f", 550); !strings.Contains(reply, "--vfs-cache-mode") {
			v.Errorf("APPE is refused with %q", reply)
		}
		return
	}
	c.upload("APPE f", []byte("abc"))
	c.do("REST 5", 350)
	c.upload("STOR f", []byte("xyz"))
	if got := c.fetch("RETR f"); string(got) != "01234xyz" {
		v.Errorf("the file is %q", got)
	}
}

func directoryIsRenamed(v *visit) {
	c := login(v.T, "", v.addr)
	for _, dir := range []string{"d", "d/empty", "d/sub", "other"} {
		c.do("MKD "+dir, 257)
	}
	for _, name := range []string{"d/f", "d/sub/g", "other/h"} {
		c.upload("STOR "+name, []byte(name))
	}
	c.do("RNFR d", 350)
	c.do("RNTO other/new", 250)
	for _, name := range []string{"f", "sub/g"} {
		if got := c.fetch("RETR other/new/" + name); string(got) != "d/"+name {
			v.Errorf("%s is %q", name, got)
		}
	}
	for dir, want := range map[string][]string{
		"/": {"other"}, "/other": {"h", "new"}, "/other/new": {"empty", "f", "sub"}, "/other/new/empty": {""},
	} {
		c.do("CWD "+dir, 250)
		if got := lines(c.fetch("NLST")); !slices.Equal(got, want) {
			v.Errorf("%s is listed as %q", dir, got)
		}
	}
	c.do("CWD /d", 550)
	c.do("RNFR /other", 350)
	c.do("RNTO /other/new/below", 501, 550, 553)
}

// lines are those of a listing, sorted.
func lines(b []byte) []string {
	all := strings.Split(strings.TrimSuffix(string(b), "\r\n"), "\r\n")
	slices.Sort(all)
	return all
}
