package hooks

import (
	"encoding/json"
	"fmt"
	"time"

	"ferry/events"
)

// A saved is an item as the journal keeps it; encode.go writes it.
type saved struct {
	Hook  string       `json:"hook"`
	State string       `json:"state"`
	Kind  string       `json:"kind"` // numbers of kinds differ between versions
	Since time.Time    `json:"since"`
	Due   time.Time    `json:"due,omitzero"`
	Tries int          `json:"tries,omitempty"`
	Cause string       `json:"cause,omitempty"`
	Maybe string       `json:"maybe,omitempty"` // see item.maybe
	Event events.Event `json:"event"`
}

// decode reads what a journal has.
func decode(value []byte) (saved, error) {
	var s saved
	if err := json.Unmarshal(value, &s); err != nil {
		return s, err
	}
	kind, ok := events.Parse(s.Kind)
	if !ok {
		return s, fmt.Errorf("there is no event %q", s.Kind)
	}
	s.Event.Kind = kind
	return s, nil
}

// stateOf returns the state of a name; what is not known waits.
func stateOf(name string) state {
	for s, known := range states {
		if known == name {
			return state(s)
		}
	}
	return waiting
}
