package ui

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// nowSpan is the time over which the rate of this moment is taken.
const nowSpan = 5

// history is the throughput of the last hour, by seconds, and of the last day, by minutes. Its
// methods may be called concurrently.
type history struct {
	mu      sync.Mutex
	in, out int64  // guarded by mu: the totals when last noted
	hour    series // guarded by mu
	day     series // guarded by mu
}

func newHistory() *history {
	return &history{hour: newSeries(time.Second, 3600), day: newSeries(time.Minute, 24*60)}
}

// start notes the totals from which on is counted.
func (h *history) start(in, out int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.in, h.out = in, out
}

// note adds what the totals have grown by.
func (h *history) note(now time.Time, in, out int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	moreIn, moreOut := max(in-h.in, 0), max(out-h.out, 0)
	h.in, h.out = in, out
	h.hour.add(now, moreIn, moreOut)
	h.day.add(now, moreIn, moreOut)
}

// traffic returns the rates of now, and the pictures.
func (h *history) traffic() Traffic {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := Traffic{Hour: h.hour.picture(hourPoints), Day: h.day.picture(dayPoints)}
	t.In, t.Out = h.hour.lately(nowSpan)
	return t
}

// kept is the file of a history.
type kept struct {
	Version   int
	Hour, Day series
}

const keptVersion = 1

// load reads what an earlier process has saved. A file that is not there is none.
func (h *history) load(name string, now time.Time) error {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var k kept
	if err := json.Unmarshal(text, &k); err != nil {
		return fmt.Errorf("%s: %w: delete it", name, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if k.Version != keptVersion || !k.Hour.like(&h.hour, now) || !k.Day.like(&h.day, now) {
		return nil // of another ferry, or of a clock that was ahead
	}
	h.hour, h.day = k.Hour, k.Day
	h.hour.forward(now)
	h.day.forward(now)
	return nil
}

// save writes the history to a file.
func (h *history) save(name string) error {
	h.mu.Lock()
	text, err := json.Marshal(kept{keptVersion, h.hour, h.day})
	h.mu.Unlock()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	next := name + ".new"
	if err := os.WriteFile(next, text, 0o600); err != nil {
		return err
	}
	return os.Rename(next, name)
}
