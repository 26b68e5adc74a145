package test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"golang.org/x/net/webdav"
)

// A farHost is a WebDAV server that can be away, and does not take names with "bad" in them as long
// as it is strict.
type farHost struct {
	dir          string
	url          string
	away, strict atomic.Bool
}

func newFarHost(t *testing.T) *farHost {
	t.Helper()
	h := &farHost{dir: t.TempDir()}
	h.strict.Store(true)
	dav := &webdav.Handler{FileSystem: webdav.Dir(h.dir), LockSystem: webdav.NewMemLS()}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case h.away.Load():
			http.Error(w, "closed for repairs", http.StatusServiceUnavailable)
		case h.strict.Load() && (r.Method == http.MethodPut || r.Method == "MOVE") && strings.Contains(r.URL.Path+r.Header.Get("Destination"), "bad"):
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		default:
			dav.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	h.url = s.URL
	return h
}

// remote is how ferry names it.
func (h *farHost) remote() string { return fmt.Sprintf(":webdav,url=%q:", h.url) }

// holds waits until the server has a file.
func (h *farHost) holds(t *testing.T, name, content string) {
	t.Helper()
	var got []byte
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if got, _ = os.ReadFile(filepath.Join(h.dir, name)); string(got) == content {
			return
		}
	}
	t.Fatalf("the server has %q in %s, not %q", got, name, content)
}

// A shown is a ferry with its page.
type shown struct {
	t        *testing.T
	far      *farHost
	ferry    *process
	addr     string
	page     string // its URL, with the password
	password string // of op
}

// show serves a farHost with a cache, to bob, with a page. A look-only user is eye.
func show(t *testing.T, args ...string) *shown {
	t.Helper()
	s := &shown{t: t, far: newFarHost(t), password: "secret"}
	args = append([]string{
		"--ui", "--rc-addr", "127.0.0.1:0", "--rc-user", "op", "--rc-pass", "secret", "--rc-read-user", "eye", "--rc-read-pass", "look",
		"--vfs-cache-mode", "writes", "--vfs-write-back", "1h",
	}, args...)
	s.ferry, s.addr = serve(t, s.far.remote(), args...)
	s.page = s.as("op", "secret")
	return s
}

// as is the address of the page for a user.
func (s *shown) as(user, password string) string {
	u, err := url.Parse(controlAddress(s.t, s.ferry.log))
	if err != nil {
		s.t.Fatal(err)
	}
	u.User, u.Path = url.UserPassword(user, password), "/"
	return u.String()
}

// snapshot is what the page gets.
func (s *shown) snapshot() (seq int, size int, all map[string]any) {
	s.t.Helper()
	resp, err := http.Get(s.page + "ui/snapshot")
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || json.Unmarshal(body, &all) != nil {
		s.t.Fatalf("%v: %s", err, body)
	}
	return int(all["seq"].(float64)), len(body), all
}

// until waits for a snapshot.
func (s *shown) until(what string, is func(all map[string]any) bool) {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if _, _, all := s.snapshot(); is(all) {
			return
		}
	}
	s.t.Fatalf("%s does not come about", what)
}

// call makes a call, and returns its status.
func (s *shown) call(page, path, body string) int {
	s.t.Helper()
	resp, err := http.Post(page+path, "application/json", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// slowly takes a download at that many bytes a second until the test ends.
func slowly(t *testing.T, data net.Conn, rate int) {
	go func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-t.Context().Done():
				return
			case <-tick.C:
				if _, err := io.CopyN(io.Discard, data, int64(rate/10)); err != nil {
					return
				}
			}
		}
	}()
}

// large is a file that is more than what is on its way to a client.
func large(t *testing.T) []byte {
	t.Helper()
	b := make([]byte, 24<<20)
	rand.Read(b)
	return b
}

// load has s do what each panel is about.
func (s *shown) load() {
	t := s.t
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.far.dir, "film.mov"), large(t), 0o600); err != nil {
		t.Fatal(err)
	}
	down := login(t, "", s.addr)
	down.do("CLNT CameraOS", 200)
	data := down.data()
	down.do("RETR film.mov", 150)
	slowly(t, data, 200<<10)
	up := login(t, "", s.addr)
	up.do("ALLO 1000000", 200, 202)
	up.beginUpload("STOR half.bin", bytes.Repeat([]byte{7}, 500_000))
	other := login(t, "", s.addr)
	for i := range 3 {
		other.upload(fmt.Sprintf("STOR waits%d.txt", i), []byte("it waits"))
	}
	other.upload("STOR bad.txt", []byte("never taken"))
	s.sendNow("bad.txt")
	wrong := connect(t, "", s.addr)
	wrong.do("USER bob", 331)
	wrong.do("PASS wrong", 530)
	if code := s.call(s.page, "ftp/ban", `{"address":"192.0.2.7","for":"1h"}`); code != 200 {
		t.Fatalf("ftp/ban: %d", code)
	}
}

// sendNow has a waiting file sent.
func (s *shown) sendNow(name string) {
	s.t.Helper()
	_, _, all := s.snapshot()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Second) {
		for _, row := range all["waiting"].(map[string]any)["rows"].([]any) {
			if w := row.(map[string]any); w["name"] == name {
				if code := s.call(s.page, "vfs/queue-set-expiry", fmt.Sprintf(`{"id":%v,"expiry":0}`, w["id"])); code != 200 {
					s.t.Fatalf("send now: %d", code)
				}
				return
			}
		}
		_, _, all = s.snapshot()
	}
	s.t.Fatalf("%s does not wait", name)
}

func TestEachPanelOfThePage(t *testing.T) {
	chromium(t)
	t.Parallel()
	s := show(t)
	s.load()
	b := browse(t, s.page, 1280, 900)
	b.shows("link", "live")
	b.shows("sentence", "Something is wrong.")
	b.shows("trouble", "1 file was refused")
	b.shows("transfers", "film.mov", "down", "% of 24.0 MiB", "half.bin", "50 % of 977 KiB", "KiB/s")
	b.shows("waiting", "waits0.txt", "waits1.txt", "waits2.txt", "8 B", "3 changes of 24 B", " min")
	b.shows("refused", "bad.txt", "11 B", "413")
	b.shows("sessions", "CameraOS", "bob", "RETR", "127.0.0.1:")
	b.shows("logins", "bob", "let in", "password")
	b.shows("ended", "waits0.txt", "up", "complete")
	b.shows("failed", "127.0.0.1", "1")
	b.shows("bans", "192.0.2.7", " min", "by the administrator")
	b.shows("users", "bob", "3")
	b.shows("remotes", "answers", "ms")
	b.shows("caches", "KiB", "GiB")
	b.shows("hooks", "Nobody is told of what happens, or asked before.")
	b.wait("a rate of what is sent", "parseFloat(document.getElementById('rate-out').textContent) > 0")
	b.wait("a picture of the hour", "document.querySelector('#hour .out').getAttribute('d').split('L').length > 2")
	// What has changed is shown, as long as it lasts.
	s.far.away.Store(true)
	b.shows("trouble", "cannot be reached")
	b.shows("remotes", "away for")
	s.far.away.Store(false)
	b.shows("remotes", "answers")
	b.quiet()
}

func TestActionsOfThePage(t *testing.T) {
	chromium(t)
	t.Parallel()
	s := show(t)
	s.load()
	b := browse(t, s.page, 1280, 900)
	b.press("Send now: waits0.txt")
	b.shows("result", "It is sent now: waits0.txt")
	s.far.holds(t, "waits0.txt", "it waits")

	if got := string(s.download(b, "Export: waits1.txt")); got != "it waits" {
		t.Errorf("exported is %q", got)
	}
	b.confirmed("Set aside: waits1.txt")
	b.shows("refused", "waits1.txt", "set aside by the administrator")
	if got := string(s.download(b, "Export: bad.txt")); got != "never taken" {
		t.Errorf("exported is %q", got)
	}
	s.far.strict.Store(false)
	b.press("Retry: bad.txt")
	s.far.holds(t, "bad.txt", "never taken")
	b.confirmed("Drop: waits1.txt")
	b.shows("refused", "No file was refused.")
	b.shows("sentence", "All is well.")

	b.press("Kick: session 1 of bob")
	b.wait("a question", "document.getElementById('confirm').open")
	b.press("Cancel")
	b.confirmed("Kick: session 1 of bob")
	b.wait("the end of a session", "!document.getElementById('sessions').textContent.includes('CameraOS')")
	b.press("Unban: 192.0.2.7/32")
	b.shows("bans", "No address is banned.")
	b.quiet()
}

// download is the file behind a link of that name.
func (s *shown) download(b *browser, name string) []byte {
	s.t.Helper()
	find := fmt.Sprintf("[...document.querySelectorAll('a.act')].find((x) => x.getAttribute('aria-label') === %q)", name)
	b.wait("a link "+name, "!!"+find)
	resp, err := http.Get(s.page + b.eval(find+".getAttribute('href')").(string))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") {
		s.t.Fatalf("%d %v %v", resp.StatusCode, resp.Header, err)
	}
	return body
}

// Who has only the password for looking has no buttons, and is refused by the server too.
func TestReadersOfThePage(t *testing.T) {
	chromium(t)
	t.Parallel()
	s := show(t)
	s.load()
	eye := s.as("eye", "look")
	b := browse(t, eye, 1280, 900)
	b.shows("transfers", "film.mov")
	b.shows("refused", "bad.txt")
	if n := b.eval("[...document.querySelectorAll('td button, td a')].length"); n != 0.0 {
		t.Errorf("there are %v controls in the tables", n)
	}
	for path, body := range map[string]string{
		"ftp/kick": `{"id":1}`, "vfs/queue-set-expiry": `{"id":1,"expiry":0}`, "vfs/queue-set-aside": `{"id":1}`,
		"cache/retry": `{"all":true}`, "cache/drop": `{"id":"x"}`, "ftp/unban": `{"all":true}`, "core/quit": `{}`,
	} {
		if code := s.call(eye, path, body); code != 403 {
			t.Errorf("%s: %d", path, code)
		}
	}
	resp, err := http.Get(eye + "cache/content?waiting=1")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 403 {
		t.Errorf("a content: %d", resp.StatusCode)
	}
	b.shows("transfers", "film.mov") // nothing came of it
	b.quiet()
}

// However many look, there is one snapshot a second; and none when nobody does.
func TestTwoBrowsers(t *testing.T) {
	chromium(t)
	t.Parallel()
	s := show(t)
	one, two := browse(t, s.page, 800, 600), browse(t, s.page, 800, 600)
	one.shows("link", "live")
	two.shows("link", "live")
	made := func() int { // in three seconds, one of them for who asks here
		began := time.Now()
		before, _, _ := s.snapshot()
		time.Sleep(3 * time.Second)
		after, _, _ := s.snapshot()
		if n, took := after-before, time.Since(began); float64(n) > took.Seconds()+1.5 {
			t.Errorf("%d snapshots in %v", n, took)
		}
		return after - before
	}
	eventually(t, "snapshots for two browsers", func() bool { return made() >= 3 })
	one.eval("location.assign('about:blank')")
	two.eval("location.assign('about:blank')")
	eventually(t, "none while nobody looks", func() bool { return made() <= 1 })
	one.quiet()
	two.quiet()
}

// A connection that is lost comes back by itself.
func TestTheConnectionOfThePageIsLost(t *testing.T) {
	chromium(t)
	t.Parallel()
	s := show(t)
	b := browse(t, s.page, 800, 600)
	b.shows("link", "live")
	s.ferry.stop()
	b.wait("the loss", "document.getElementById('link').className === 'bad'")
	u, err := url.Parse(s.page)
	if err != nil {
		t.Fatal(err)
	}
	again, addr := serve(t, s.far.remote(), "--ui", "--rc-addr", u.Host, "--rc-user", "op", "--rc-pass", "secret")
	b.wait("live", "document.getElementById('link').textContent === 'live'")
	s.ferry = again
	login(t, "", addr)
	b.shows("sessions", "bob")
	b.quiet("Failed to load resource", "net::ERR")
}

// Where nothing comes by the stream, as behind a proxy that holds it back, the page asks.
func TestThePageWithoutAStream(t *testing.T) {
	chromium(t)
	t.Parallel()
	s := show(t)
	b := browse(t, "about:blank", 800, 600)
	within(b, func() (cdp.Empty, error) {
		return chromedp.Call(b.ctx, network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: []*network.BlockPattern{{URLPattern: "*://*:*/ui/events", Block: true}}})
	})
	b.run(chromedp.Navigate(s.page))
	b.shows("link", "every two seconds")
	login(t, "", s.addr)
	b.shows("sessions", "bob")
	b.quiet("ERR_BLOCKED_BY_CLIENT")
}

// 5,000 files that wait do not hurt: neither the server nor the page has more to do than for 100.
func TestThousandsOfFilesWaitOnThePage(t *testing.T) {
	chromium(t)
	t.Parallel()
	s := show(t, "--vfs-write-ack", "spooled")
	const files, clients = 5000, 8
	done := make(chan struct{}, clients)
	for i := range clients {
		c := login(t, "", s.addr)
		go func() {
			defer func() { done <- struct{}{} }()
			for n := i; n < files; n += clients {
				c.upload(fmt.Sprintf("STOR f%04d", n), []byte("x"))
			}
		}()
	}
	for range clients {
		<-done
	}
	b := browse(t, s.page, 1280, 900)
	b.shows("waiting", "5,000 changes of 4.9 KiB", "1 to 100 of 5,000")
	if n := b.eval("document.querySelectorAll('#waiting tbody tr').length"); n != 100.0 {
		t.Errorf("there are %v rows", n)
	}
	b.press("Next rows of Waiting for the remote")
	b.shows("waiting", "101 to 200 of 5,000")
	b.press("Next rows of Waiting for the remote")
	b.shows("waiting", "201 to 300 of 5,000")
	_, size, _ := s.snapshot()
	if size > 60<<10 {
		t.Errorf("a snapshot has %d bytes", size)
	}
	before, _, _ := s.snapshot()
	eventually(t, "three snapshots more", func() bool {
		after, _, _ := s.snapshot()
		return after-before >= 3
	})
	b.eval("new PerformanceObserver((l) => { for (const e of l.getEntries()) window.longest = Math.max(window.longest, e.duration); }).observe({ type: 'longtask' })")
	eventually(t, "four seconds in which no task of the page takes one", func() bool { // others keep the machine busy, too
		b.eval("(window.longest = 0)")
		time.Sleep(4 * time.Second)
		longest := b.eval("window.longest").(float64)
		t.Logf("a snapshot has %d bytes; the longest task of the page took %.0f ms", size, longest)
		return longest <= 1000
	})
	b.quiet()
}
