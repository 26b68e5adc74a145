package hooks

import (
	"cmp"
	"slices"
	"time"

	"ferry/events"
)

// state says how far an item is.
type state uint8

const (
	prepared state = iota // whether it became true is not known
	settling              // its name may still change
	ignored               // the same, and it is not told under the name that it has
	waiting               // for its turn, or for the next attempt
	dead                  // given up; it is kept until somebody retries or drops it
)

var states = [...]string{prepared: "prepared", settling: "settling", ignored: "ignored", waiting: "waiting", dead: "dead"}

func (s state) String() string { return states[s] }

// ordered reports whether later events of the same path wait for it.
func (s state) ordered() bool { return s == settling || s == waiting }

// An item is an event for a hook.
type item struct {
	key   uint64 // in the journal; also the order
	queue *queue

	// Of the event.
	kind  events.Kind
	id    string
	user  string
	path  string
	to    string
	maybe string        // path of an upload if a rename was made that is not recorded; "" = there is none
	since time.Time     // it was recorded
	event *events.Event // as the journal has it, and never changed; nil = it is read from there

	state   state
	due     time.Time // of settling and ignored: when that ends; of waiting: the next attempt
	tries   int
	cause   string // of the last failure
	running bool   // an attempt is under way
	gone    bool   // it is not in the outbox any more
	old     bool   // an earlier process took it in
	asked   bool   // whether it became true; used by those that ask only
	place   int    // in the heap of its queue; -1 = it is not in it
}

// lanes returns the paths that the item is ordered by.
func (it *item) lanes() []string {
	switch {
	case it.path == "":
		return nil
	case it.to != "" && it.to != it.path:
		return []string{it.path, it.to}
	}
	return []string{it.path}
}

// changes reports whether the name of the item may still change.
func (it *item) changes() bool { return it.state == settling || it.state == ignored }

// An owned path is what settling items are found by.
type owned struct{ user, path string }

func (it *item) owned() owned { return owned{it.user, it.path} }

func without(items []*item, it *item) []*item {
	i := slices.Index(items, it)
	if i < 0 {
		return items
	}
	return slices.Delete(items, i, i+1)
}

// byAge compares items by age.
func byAge(a, b *item) int { return cmp.Compare(a.key, b.key) }
