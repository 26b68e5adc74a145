package announce

import (
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"ferry/remote"
)

// A message is what nodes tell each other, as JSON. One without changes is a sign of life.
type message struct {
	Version int       `json:"v"`
	From    string    `json:"from"` // the process
	Node    string    `json:"node"`
	At      time.Time `json:"at"`
	Changes []told    `json:"changes,omitempty"`
	Ended   bool      `json:"ended,omitempty"` // the last one of the process, which has told all
}

// version is that of messages. Who does not know it takes everything for changed.
const version = 1

// told is a change in a message.
type told struct {
	Place   string `json:"place,omitempty"` // "" = as of the one before
	Name    string `json:"name,omitempty"`  // "" = as in Bytes
	Bytes   []byte `json:"bytes,omitempty"` // a name that is not UTF-8
	Dir     bool   `json:"dir,omitempty"`
	Below   bool   `json:"below,omitempty"`
	Removed bool   `json:"removed,omitempty"`
	ETag    string `json:"version,omitempty"`
}

// A news is a change at a place.
type news struct {
	place  string
	change remote.Change
}

func encode(m message, all []news) ([]byte, error) {
	m.Version = version
	place := ""
	for _, n := range all {
		t := told{Name: n.change.Name, Dir: n.change.Dir, Below: n.change.Below, Removed: n.change.Removed, ETag: n.change.Version}
		if !utf8.ValidString(t.Name) {
			t.Name, t.Bytes = "", []byte(n.change.Name)
		}
		if n.place != place {
			place = n.place
			t.Place = place
		}
		m.Changes = append(m.Changes, t)
	}
	return json.Marshal(m)
}

func decode(data []byte) (message, []news, error) {
	var m message
	if err := json.Unmarshal(data, &m); err != nil {
		return m, nil, err
	}
	if m.Version != version {
		return m, nil, fmt.Errorf("version %d of messages is not known here", m.Version)
	}
	var all []news
	place := ""
	for _, t := range m.Changes {
		if t.Place != "" {
			place = t.Place
		}
		if t.Name == "" {
			t.Name = string(t.Bytes)
		}
		if place == "" || !remote.ValidPath(t.Name) {
			return m, nil, fmt.Errorf("a message has the name %q at %q", t.Name, place)
		}
		all = append(all, news{place, remote.Change{Name: t.Name, Dir: t.Dir, Below: t.Below, Removed: t.Removed, Version: t.ETag}})
	}
	return m, all, nil
}
