package hooks

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/events"
	"ferry/hooks/settings"
)

func TestFilters(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := newRig(t, Options{}, settings.Hook{Events: []string{"login", "mkdir"}, Users: []string{"b*"}, Paths: []string{"/in/*"}, Concurrency: 1})
		g.happens(events.Login, "")
		g.happens(events.Mkdir, "/in/a")
		g.happens(events.Mkdir, "/a")
		g.happens(events.Rmdir, "/in/b")
		if err := g.Record(t.Context(), &events.Event{Kind: events.Login, User: "ann"}); err != nil {
			t.Error(err)
		}
		g.wants("login ", "mkdir /in/a")
	})
}

// An event that fails comes again later and later, with the same ID, and does not hold up others.
func TestAttempts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := newRig(t, Options{})
		g.r.setAnswer(func(path string) (int, string) {
			if path == "/bad" {
				return 400, ""
			}
			return 200, ""
		})
		began := time.Now()
		g.happens(events.Mkdir, "/bad")
		g.happens(events.Rmdir, "/bad") // which waits for it
		g.happens(events.Mkdir, "/good")
		g.after(24 * time.Hour)
		g.wants("mkdir /good")
		var waits []time.Duration
		for i, at := range g.r.when {
			if i < 2 {
				began = at
				continue
			}
			waits = append(waits, at.Sub(began))
			began = at
		}
		for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600} {
			want *= time.Second
			if got := waits[i]; got < want*9/10 || got > want*11/10 {
				t.Errorf("wait %d is %v, not about %v", i, got, want)
			}
		}
		if e := g.List()[0]; e.Tries < 20 || !strings.Contains(e.Cause, "400") || e.State != "waiting" || e.Path != "/bad" {
			t.Errorf("%+v", e)
		}
		g.r.setAnswer(nil)
		g.after(2 * time.Hour)
		g.wants("mkdir /good", "mkdir /bad", "rmdir /bad")
	})
}

// A receiver that is away is asked seldom, by one call, and gets all in order when it is back.
func TestAReceiverThatIsAway(t *testing.T) {
	for name, answer := range map[string]func(string) (int, string){
		"broken": func(string) (int, string) { return 500, "" }, "cut off": func(string) (int, string) { return 0, "" },
		"busy": func(string) (int, string) { return 503, "90" },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				g := newRig(t, Options{})
				g.r.setAnswer(answer)
				for i := range 500 {
					g.happens(events.Mkdir, fmt.Sprint("/", i%50))
				}
				g.after(time.Hour)
				calls := len(g.r.when)
				if calls < 30 || calls > 80 {
					t.Errorf("%d calls in an hour", calls)
				}
				if name == "busy" {
					for i := 5; i < calls; i++ { // several were under way at the start
						if got := g.r.when[i].Sub(g.r.when[i-1]); got < 90*time.Second {
							t.Errorf("called after %v", got)
						}
					}
				}
				g.r.setAnswer(nil)
				g.after(2 * time.Hour)
				checkOrder(t, g, 500)
			})
		})
	}
}

// checkOrder looks whether n events have come once, and those of a path in order.
func checkOrder(t *testing.T, g *rig, n int) {
	t.Helper()
	if got := len(g.r.told()); got != n || len(g.List()) != 0 {
		t.Errorf("%d were told, %d are left", got, len(g.List()))
	}
	last := map[string]string{}
	for i, text := range g.r.told() {
		if id := g.r.ids[i]; id <= last[text] {
			t.Errorf("%s: %s comes after %s", text, id, last[text])
		}
		last[text] = g.r.ids[i]
	}
}

// A receiver that fails now and then gets all, in order, with many at once.
func TestAFlakyReceiver(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, batch := range []int{0, 20} {
			g := newRig(t, Options{}, settings.Hook{Events: []string{"mkdir"}, Concurrency: 7, Batch: batch})
			r := rand.New(rand.NewPCG(1, 2))
			g.r.took = 10 * time.Millisecond
			g.r.setAnswer(func(string) (int, string) { return []int{200, 200, 200, 400, 503, 0}[r.IntN(6)], "" })
			for i := range 400 {
				g.happens(events.Mkdir, fmt.Sprint("/", i%40))
				if i%100 == 99 {
					g.after(time.Second)
				}
			}
			g.after(48 * time.Hour)
			checkOrder(t, g, 400)
			if g.r.most < 2 || g.r.most > 7 {
				t.Errorf("%d calls at once", g.r.most)
			}
			if s := g.Status().Hooks[0]; s.Delivered != 400 || s.Failed == 0 || s.Waiting != 0 || s.Took == 0 {
				t.Errorf("%+v", s)
			}
			g.stop()
		}
	})
}

// A batch has many in one call, and of a path one.
func TestBatches(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := newRig(t, Options{}, settings.Hook{Events: []string{"mkdir"}, Concurrency: 1, Batch: 100})
		g.r.took = time.Second
		for i := range 301 {
			g.happens(events.Mkdir, fmt.Sprint("/", i))
		}
		g.after(time.Minute)
		if len(g.r.when) > 5 {
			t.Errorf("%d calls for 301 events", len(g.r.when))
		}
		checkOrder(t, g, 301)
	})
}

// What comes due at about the same time goes in one call, if a call takes several.
func TestWhatComesDueTogetherGoesTogether(t *testing.T) {
	for _, batch := range []int{0, 100} {
		for _, kind := range []events.Kind{events.Mkdir, events.UploadStored} {
			bubble(t, func(t *testing.T) {
				g := newRig(t, Options{}, settings.Hook{Events: []string{kind.String()}, Batch: batch})
				began := time.Now()
				for i := range 20 {
					g.happens(kind, fmt.Sprint("/", i))
					g.after(time.Millisecond)
				}
				g.after(time.Minute)
				due := began
				if kind == events.UploadStored {
					due = began.Add(DefaultSettle)
				}
				first, calls := g.r.when[0].Sub(due), len(g.r.when)
				switch {
				case batch == 0 && (calls != 20 || first != 0):
					t.Errorf("%v one by one: %d calls, the first after %v", kind, calls, first)
				case batch > 0 && (calls > 2 || first > gatherTime):
					t.Errorf("%v together: %d calls, the first after %v", kind, calls, first)
				}
				checkOrder(t, g, 20)
			})
		}
	}
}

// A receiver that hangs is given up on each time, and no more calls are made than may be.
func TestAReceiverThatHangs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := newRig(t, Options{}, settings.Hook{Events: []string{"mkdir"}, Timeout: 10 * time.Second})
		g.r.took = time.Hour
		for i := range 20 {
			g.happens(events.Mkdir, fmt.Sprint("/", i))
		}
		g.after(time.Minute)
		if g.r.most != settings.DefaultConcurrency {
			t.Errorf("%d calls at once", g.r.most)
		}
		g.r.mu.Lock()
		g.r.took = 0
		g.r.mu.Unlock()
		g.after(2 * time.Hour)
		if len(g.r.told()) != 20 {
			t.Errorf("told %q", g.r.told())
		}
	})
}

func TestGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := newRig(t, Options{}, settings.Hook{Events: []string{"mkdir"}, GiveUp: 3 * time.Hour})
		g.r.setAnswer(func(path string) (int, string) {
			if path == "/bad" {
				return 422, ""
			}
			return 200, ""
		})
		g.happens(events.Mkdir, "/bad")
		g.happens(events.Mkdir, "/bad")
		g.after(30 * time.Hour)
		g.kill()
		for _, e := range g.List() {
			if e.State != "dead" || e.ID == "0" && e.Tries < 10 {
				t.Errorf("%+v", e)
			}
		}
		if s := g.Status().Hooks[0]; s.Dead != 2 || s.Waiting != 0 {
			t.Errorf("%+v", s)
		}
		g.r.setAnswer(nil)
		if n, err := g.Retry(Selection{IDs: []string{"0", "99"}}); n != 1 || err == nil || !strings.Contains(err.Error(), "99") {
			t.Errorf("%d retried, %v", n, err)
		}
		g.wants("mkdir /bad")
		if n, err := g.Drop(Selection{Dead: true}); n != 1 || err != nil {
			t.Errorf("%d dropped, %v", n, err)
		}
		if len(g.List()) != 0 {
			t.Errorf("left: %+v", g.List())
		}
	})
}

// 410 ends it, until somebody says otherwise.
func TestGone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := newRig(t, Options{}, settings.Hook{Events: []string{"mkdir"}, Concurrency: 1})
		g.r.setAnswer(func(string) (int, string) { return 410, "" })
		for i := range 10 {
			g.happens(events.Mkdir, fmt.Sprint("/", i))
		}
		g.after(time.Hour)
		if len(g.r.when) != 1 || g.Status().Hooks[0].Dead != 10 || !g.Status().Hooks[0].Stopped {
			t.Errorf("%d calls, %+v", len(g.r.when), g.Status())
		}
		g.r.setAnswer(nil)
		if n, err := g.Retry(Selection{Hook: "h0"}); n != 10 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		g.after(time.Minute)
		checkOrder(t, g, 10)
	})
}

// A kill at any time loses nothing; what is told twice has the same ID.
func TestKilled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := newRig(t, Options{}, settings.Hook{Events: []string{"mkdir", "upload.stored"}})
		r := rand.New(rand.NewPCG(3, 4))
		g.r.took = 50 * time.Millisecond
		want := map[string]bool{}
		for i := range 300 {
			g.happens(events.Mkdir, fmt.Sprint("/", i%30))
			want[fmt.Sprintf("id%04d", g.ids)] = true
			g.happens(events.UploadStored, fmt.Sprint("/f", i))
			want[fmt.Sprintf("id%04d", g.ids)] = true
			if r.IntN(20) == 0 {
				g.after(time.Duration(r.IntN(3000)) * time.Millisecond)
				g.kill()
			}
		}
		g.after(time.Hour)
		got := map[string]bool{}
		for _, id := range g.r.ids {
			got[id] = true
		}
		if len(got) != len(want) || len(g.List()) != 0 {
			t.Errorf("%d of %d were told, %d are left", len(got), len(want), len(g.List()))
		}
		t.Logf("%d were told twice", len(g.r.ids)-len(want))
	})
}

func TestHooksChange(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := newRig(t, Options{}, settings.Hook{Name: "a", Events: []string{"mkdir"}})
		g.r.setAnswer(func(string) (int, string) { return 500, "" })
		g.happens(events.Mkdir, "/1")
		g.after(time.Second)
		url := "http://receiver/"
		if err := g.Set([]settings.Hook{{Name: "b", Events: []string{"rmdir"}, URL: url}}); err != nil {
			t.Fatal(err)
		}
		g.r.setAnswer(nil)
		g.happens(events.Mkdir, "/2")
		g.happens(events.Rmdir, "/3")
		g.after(time.Hour)
		g.wants("rmdir /3")
		if err := g.Set([]settings.Hook{{Name: "a", Events: []string{"rmdir"}, URL: url}, {Name: "c", Events: []string{"rmdir"}, URL: "ftp://x"}}); err == nil {
			t.Fatal("a hook without an address")
		}
		if err := g.Set([]settings.Hook{{Name: "a", Events: []string{"rmdir"}, URL: url}}); err != nil {
			t.Fatal(err)
		}
		g.after(time.Hour)
		g.wants("rmdir /3", "mkdir /1")
	})
}

// Without a hook nothing is opened, and nothing is kept.
func TestNoHooks(t *testing.T) {
	x := New(Options{})
	if err := errors.Join(x.Set(nil), x.Set([]settings.Hook{{Events: []string{"pre.login"}}}),
		x.Record(t.Context(), &events.Event{Kind: events.Login}), x.Prepare(t.Context(), &events.Event{Kind: events.UploadStored})); err != nil {
		t.Error(err)
	}
	if len(x.List()) != 0 || x.Close() != nil {
		t.Error("there is something")
	}
}

func TestManyHooks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := newRig(t, Options{}, settings.Hook{Events: []string{"mkdir"}}, settings.Hook{Events: []string{"mkdir"}, Paths: []string{"/a"}})
		g.happens(events.Mkdir, "/a")
		g.happens(events.Mkdir, "/b")
		g.after(time.Second)
		got := g.r.told()
		slices.Sort(got)
		if want := []string{"mkdir /a", "mkdir /a", "mkdir /b"}; !slices.Equal(got, want) {
			t.Errorf("told %q", got)
		}
	})
}
