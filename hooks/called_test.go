package hooks

import (
	"slices"
	"sync"
	"testing"
	"time"

	"ferry/events"
	"ferry/hooks/settings"
)

// Whoever counts is told of each call: that it succeeded, failed, or was the last of an event.
func TestCallsAreTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var mu sync.Mutex
		var told []string
		g := newRig(t, Options{Called: func(hook, result string, took time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			if took != time.Second {
				t.Errorf("it took %v", took)
			}
			told = append(told, hook+" "+result)
		}}, settings.Hook{Name: "mail", Events: []string{"mkdir"}, GiveUp: 4 * time.Second})
		g.r.took = time.Second
		g.happens(events.Mkdir, "/good")
		g.after(time.Minute)
		g.r.setAnswer(func(string) (int, string) { return 422, "" })
		g.happens(events.Mkdir, "/bad")
		g.after(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if n := len(told); n < 3 || told[0] != "mail ok" || told[1] != "mail failed" || told[n-1] != "mail dead" || slices.Index(told, "mail dead") != n-1 {
			t.Errorf("told %q", told)
		}
	})
}
