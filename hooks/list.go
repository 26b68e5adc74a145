package hooks

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// An Entry is an event that waits for a hook.
type Entry struct {
	ID    string    `json:"id"` // what Retry and Drop call it
	Hook  string    `json:"hook"`
	State string    `json:"state"` // "prepared", "settling", "ignored", "waiting" or "dead"
	Event string    `json:"event"`
	Path  string    `json:"path,omitempty"`
	User  string    `json:"user,omitempty"`
	Since time.Time `json:"since"`
	Due   time.Time `json:"due,omitzero"`
	Tries int       `json:"tries"`
	Cause string    `json:"cause,omitempty"` // of the last failure
}

// List returns what is in the outbox, the oldest first.
func (x *Outbox) List() []Entry {
	x.mu.Lock()
	defer x.mu.Unlock()
	list := []Entry{}
	for _, it := range x.order {
		if it.gone {
			continue
		}
		list = append(list, Entry{
			ID: strconv.FormatUint(it.key, 10), Hook: it.queue.name, State: it.state.String(), Event: it.kind.String(),
			Path: it.path, User: it.user, Since: it.since, Due: it.due, Tries: it.tries, Cause: it.cause,
		})
	}
	return list
}

// A Selection says which entries are meant.
type Selection struct {
	IDs  []string
	Hook string // all of a hook
	Dead bool   // all that were given up
}

// Retry has entries delivered at once, also those that were given up. It returns how many there
// are. An error is about an ID that does not exist; the others are retried.
func (x *Outbox) Retry(s Selection) (int, error) {
	n, err := x.each(s, func(it *item) bool {
		if it.running || it.state != waiting && it.state != dead {
			return false
		}
		it.tries = 0
		it.queue.gone, it.queue.failures, it.queue.pause = false, 0, time.Time{}
		if it.state == dead {
			it.since = time.Now() // it is given up anew
		}
		x.move(it, waiting, time.Now())
		x.report(it, x.keep(it, nil))
		return true
	})
	x.wakeUp()
	return n, err
}

// Drop removes entries. It returns how many there were.
func (x *Outbox) Drop(s Selection) (int, error) {
	return x.each(s, func(it *item) bool {
		if it.running {
			return false
		}
		x.remove(it)
		return true
	})
}

// each calls do with what is meant, and counts where that returns true.
func (x *Outbox) each(s Selection, do func(*item) bool) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.journal == nil {
		return 0, errNotOpen
	}
	missing := slices.Clone(s.IDs)
	done := 0
	for _, it := range slices.Clone(x.order) {
		i := slices.Index(missing, strconv.FormatUint(it.key, 10))
		meant := i >= 0 || s.Hook != "" && it.queue.name == s.Hook && (!s.Dead || it.state == dead) || s.Hook == "" && s.Dead && it.state == dead
		if it.gone || !meant {
			continue
		}
		if i >= 0 {
			missing = slices.Delete(missing, i, i+1)
		}
		if do(it) {
			done++
		}
	}
	var err error
	for _, id := range missing {
		err = errors.Join(err, fmt.Errorf("no event in the outbox has the id %s: see ferry hooks ls", id))
	}
	return done, err
}
