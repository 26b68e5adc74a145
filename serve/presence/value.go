package presence

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"
)

// A node has a key for its beats and one for each part of its counts, so that a change is a small
// message. A part is never removed while its node runs, only emptied: so a value that is missing
// says nothing, and one that has expired takes no session away.
const (
	parts = 16

	beatLife = 10 * time.Minute
	partLife = 2 * time.Hour
	// renewal is how often all parts are written again, before they expire.
	renewal = 50 * time.Minute

	// beatPart is the part of a key that is a beat.
	beatPart = parts
)

// partOf returns the part in which a name is counted.
func partOf(name string) int {
	h := fnv.New32a()
	h.Write([]byte(name))
	return int(h.Sum32() % parts)
}

// keyOf returns the key of a part of a node.
func keyOf(part int, node string) string {
	return fmt.Sprintf("%02d-%s", part, base64.RawURLEncoding.EncodeToString([]byte(node)))
}

// parseKey is the reverse of keyOf.
func parseKey(key string) (part int, node string, ok bool) {
	number, name, _ := strings.Cut(key, "-")
	part, err := strconv.Atoi(number)
	if err != nil || part < 0 || part > beatPart {
		return 0, "", false
	}
	text, err := base64.RawURLEncoding.DecodeString(name)
	return part, string(text), err == nil && len(text) > 0
}

// A value is what a node says of itself.
type value struct {
	Run    string         `json:"run"`           // of the node
	Counts map[string]int `json:"n,omitempty"`   // of a part
	At     int64          `json:"at,omitempty"`  // of a beat: when, in ms
	Ended  bool           `json:"end,omitempty"` // of a beat: the last one
}

// maxValue is how long a value may be. A part holds some two thousand names.
const maxValue = 60 << 10

// encode returns v as text, without as many of its names as are too many.
func (v value) encode() []byte {
	for {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err) // numbers and strings
		}
		if len(text) <= maxValue {
			return text
		}
		left := len(v.Counts) * maxValue / len(text)
		fewer := make(map[string]int, left)
		for name, n := range v.Counts {
			if len(fewer) >= left {
				break
			}
			fewer[name] = n
		}
		v.Counts = fewer
	}
}
