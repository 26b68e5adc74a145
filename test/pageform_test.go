package test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// A name that is HTML is a name: of a file, of a user, of a client.
func TestNamesMadeOfHTMLOnThePage(t *testing.T) {
	chromium(t)
	t.Parallel()
	s := show(t)
	const evil = `<img src=x onerror=alert(1)>`
	if err := os.WriteFile(filepath.Join(s.far.dir, evil), large(t), 0o600); err != nil {
		t.Fatal(err)
	}
	c := login(t, "", s.addr)
	c.do("CLNT <script>alert(2)</script>", 200)
	data := c.data()
	c.do("RETR "+evil, 150)
	slowly(t, data, 200<<10)
	other := login(t, "", s.addr)
	other.do(`MKD "><svg onload=alert(3)>`, 257)
	other.upload(`STOR "><svg onload=alert(3)>/`+evil, []byte("x"))
	other.upload(`STOR bad`+evil, []byte("x"))
	s.sendNow("bad" + evil)
	wrong := connect(t, "", s.addr)
	wrong.do("USER <iframe src=javascript:alert(4)>", 331)
	wrong.do("PASS x", 530)
	b := browse(t, s.page, 1280, 900)
	b.shows("transfers", evil)
	b.shows("waiting", `"><svg onload=alert(3)>/`+evil)
	b.shows("refused", "bad"+evil)
	b.shows("ended", "/bad"+evil)
	b.shows("sessions", "<script>alert(2)</script>")
	b.shows("failed", "<iframe src=javascript:alert(4)>")
	b.confirmed("Drop: bad" + evil)
	b.shows("result", "Dropped: bad"+evil)
	if n := b.eval("document.querySelectorAll('main img, main iframe, main script, svg svg, td svg').length"); n != 0.0 {
		t.Errorf("%v names have become elements", n)
	}
	b.quiet()
}

// Every control, table and picture has a name that says what it is for, and who uses the keyboard
// stays where he is while the page changes.
func TestThePageForKeyboardAndScreenReader(t *testing.T) {
	chromium(t)
	t.Parallel()
	s := show(t)
	s.load()
	b := browse(t, s.page, 1280, 900)
	b.shows("refused", "bad.txt")
	b.shows("transfers", "half.bin")
	found, seen := map[string]int{}, map[control]int{}
	for _, c := range b.controls() {
		found[c.role]++
		switch c.role {
		case "button", "link", "table", "progressbar", "ProgressIndicator", "progress", "image", "img", "region", "heading", "columnheader", "dialog":
			if strings.TrimSpace(c.name) == "" {
				t.Errorf("a %s has no name", c.role)
			}
			if seen[c]++; c.role == "button" && seen[c] > 1 && !strings.HasPrefix(c.name, "Kick: ") { // of a session and its transfer
				t.Errorf("there are %d buttons %q", seen[c], c.name)
			}
		}
	}
	for role, least := range map[string]int{"button": 10, "table": 8, "region": 10, "heading": 10, "status": 2, "columnheader": 30, "main": 1, "banner": 1} {
		if found[role] < least {
			t.Errorf("there are %d of role %s: %v", found[role], role, found)
		}
	}
	const kick = "Kick: session 2 of bob"
	b.eval(fmt.Sprintf("[...document.querySelectorAll('#sessions button')].find((x) => x.getAttribute('aria-label') === %q).focus() ?? 0", kick))
	login(t, "", s.addr)                   // a row more
	s.call(s.page, "ftp/kick", `{"id":1}`) // the row above goes
	b.wait("the end of a session", "!document.getElementById('sessions').textContent.includes('CameraOS')")
	time.Sleep(3 * time.Second)
	if got := b.eval("document.activeElement.getAttribute('aria-label')"); got != kick {
		t.Errorf("the focus is on %v", got)
	}
	b.run(chromedp.KeyEvent("\r"))
	b.wait("a question", "document.getElementById('confirm').open")
	if got := b.eval("document.activeElement.id"); got != "confirm-no" {
		t.Errorf("in a question the focus is on %v", got)
	}
	b.run(chromedp.KeyEvent("\x1b"))
	b.wait("no question", "!document.getElementById('confirm').open")
	if got := b.eval("document.activeElement.getAttribute('aria-label')"); got != kick {
		t.Errorf("after a question the focus is on %v", got)
	}
	s.call(s.page, "ftp/kick", `{"id":2}`)
	b.wait("the title of the list has the focus of a row that has gone", "document.activeElement.id === 'sessions-title'")
	b.quiet()
}

// On a telephone nothing is wider than the screen, whatever names there are.
func TestThePageOnATelephone(t *testing.T) {
	chromium(t)
	t.Parallel()
	s := show(t)
	s.load()
	other := login(t, "", s.addr)
	other.upload("STOR "+strings.Repeat("a-name-without-any-place-to-break-it", 5), []byte("x"))
	b := browse(t, s.page, 360, 740)
	b.shows("waiting", "a-name-without")
	b.shows("refused", "bad.txt")
	for _, width := range []int64{360, 320, 768} {
		b.run(chromedp.EmulateViewport(width, 740))
		if got := b.eval("document.documentElement.scrollWidth").(float64); got > float64(width) {
			wide := b.eval("[...document.querySelectorAll('main *')].filter((x) => x.getBoundingClientRect().right > innerWidth).map((x) => x.tagName + ' ' + x.textContent.slice(0, 40))")
			t.Errorf("at a width of %d the page has %v: %v", width, got, wide)
		}
	}
	b.quiet()
}

// TestPictures takes the pictures of the README where FERRY_PICTURES says; see make pictures.
func TestPictures(t *testing.T) {
	to := os.Getenv("FERRY_PICTURES")
	if to == "" {
		t.Skip("FERRY_PICTURES does not say where the pictures go")
	}
	chromium(t)
	s := show(t)
	s.load()
	for i := range 4 {
		c := login(t, "", s.addr)
		data := c.data()
		c.do("RETR film.mov", 150)
		slowly(t, data, (i+1)*300<<10)
	}
	b := browse(t, s.page, 1200, 900)
	b.shows("refused", "bad.txt")
	time.Sleep(90 * time.Second)
	for _, scheme := range []string{"light", "dark"} {
		features := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
		within(b, func() (struct{}, error) {
			_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, features)
			return struct{}{}, err
		})
		picture := within(b, func() ([]byte, error) { return chromedp.Run(b.ctx, chromedp.CaptureScreenshot()) })
		if len(picture) == 0 || slices.Max(picture) == 0 {
			t.Fatal("the picture is empty")
		}
		if err := os.WriteFile(filepath.Join(to, "page-"+scheme+".png"), picture, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
