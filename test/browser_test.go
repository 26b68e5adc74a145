package test

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A browser shows one page. Whatever it complains of fails the test.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string
}

// chromium is the program; the test is skipped where it is not installed.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("chromium is not installed: apt-get install chromium")
	return ""
}

// browse opens a page in a browser of its own, of that size.
func browse(t *testing.T, url string, width, height int, more ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	options := append([]chromedp.ExecAllocatorOption{
		chromedp.ExecPath(chromium(t)), chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.NoSandbox,
		chromedp.Flag("headless", "new"), chromedp.DisableGPU, chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("lang", "en"),
		chromedp.WindowSize(width, height),
	}, more...)
	alloc, end := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(end)
	ctx, stop := chromedp.NewContext(alloc)
	t.Cleanup(stop)
	b := &browser{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	b.run(chromedp.EmulateViewport(int64(width), int64(height)), chromedp.Navigate(url))
	return b
}

func (b *browser) listen(event any) {
	complaint := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		complaint = e.ExceptionDetails.Text + " " + e.ExceptionDetails.URL
	case *runtime.EventConsoleAPICalled:
		complaint = fmt.Sprint("console: ", e.Type, e.Args)
	case *log.EventEntryAdded:
		complaint = fmt.Sprint(e.Entry.Source, ": ", e.Entry.Text, " ", e.Entry.URL)
	case *cdppage.EventJavascriptDialogOpening:
		complaint = "a dialog: " + e.Message
	default:
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, complaint)
}

// quiet fails if there were complaints, except those with one of the words in them.
func (b *browser) quiet(except ...string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
next:
	for _, c := range b.complaints {
		for _, word := range except {
			if strings.Contains(c, word) {
				continue next
			}
		}
		b.t.Errorf("the browser complains: %s", c)
	}
}

// run does what is to be done within the time that anything may take.
func (b *browser) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	within(b, func() (struct{}, error) { return struct{}{}, chromedp.Do(b.ctx, actions...) })
}

// within returns the result of something that the browser is asked.
func within[T any](b *browser, ask func() (T, error)) T {
	b.t.Helper()
	type answer struct {
		value T
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		value, err := ask()
		done <- answer{value, err}
	}()
	select {
	case a := <-done:
		if a.err != nil {
			b.t.Fatal(a.err)
		}
		return a.value
	case <-time.After(4 * patience):
		b.t.Fatal("the browser does not answer")
		panic("unreachable")
	}
}

// eval returns the value of an expression, "null" if it has none.
func (b *browser) eval(expression string) any {
	b.t.Helper()
	text := within(b, func() (string, error) {
		return chromedp.Run(b.ctx, chromedp.Evaluate[string]("JSON.stringify("+expression+") ?? 'null'"))
	})
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		b.t.Fatalf("%s: %v: %s", expression, err, text)
	}
	return value
}

// wait waits until an expression is true.
func (b *browser) wait(what, expression string) {
	b.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if b.eval(expression) == true {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("%s does not come about; the page shows\n%v", what, b.eval("document.body.innerText"))
		}
	}
}

// shows waits until a panel has all of the texts.
func (b *browser) shows(panel string, texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		b.wait(fmt.Sprintf("%q in %s", text, panel), fmt.Sprintf("document.getElementById(%q).textContent.replaceAll('\\u00a0', ' ').includes(%q)", panel, text))
	}
}

// press presses the control of that name, as it is read out, when it is there.
func (b *browser) press(name string) {
	b.t.Helper()
	find := fmt.Sprintf("[...document.querySelectorAll('button')].find((x) => x.checkVisibility() && !x.disabled && (x.getAttribute('aria-label') || x.textContent) === %q)", name)
	// In one step: the page may put another button in its place at any time.
	b.wait("a button "+name, "((x) => x ? (x.click(), true) : false)("+find+")")
}

// confirmed presses a button that asks first, and says yes.
func (b *browser) confirmed(name string) {
	b.t.Helper()
	b.press(name)
	b.wait("a question", "document.getElementById('confirm').open")
	b.press("Yes")
}

// A control is something of the accessibility tree.
type control struct{ role, name string }

// controls returns what a screen reader finds, with roles and names.
func (b *browser) controls() []control {
	b.t.Helper()
	tree := within(b, func() (accessibility.GetFullAXTreeResult, error) {
		return chromedp.Call(b.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	})
	var all []control
	for _, n := range tree.Nodes {
		if !n.Ignored && n.Role != nil {
			all = append(all, control{textOf(n.Role), textOf(n.Name)})
		}
	}
	return all
}

func textOf(v *accessibility.Value) string {
	var text string
	if v == nil || json.Unmarshal([]byte(v.Value), &text) != nil {
		return ""
	}
	return text
}
