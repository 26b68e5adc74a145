package elsewhere

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"ferry/remote"
)

const (
	// version is that of values. Who does not know it leaves them out.
	version = 1
	// maxValue is how long a value may be.
	maxValue = 60 << 10
	// maxPieces is how many values a node writes: some 20,000 files.
	maxPieces = 32
)

// A value has files that wait at one node to be sent to one place.
type value struct {
	Version int    `json:"v"`
	Node    string `json:"node"`
	Run     int64  `json:"run"` // of the process
	Place   string `json:"place"`
	Files   []file `json:"files"`
}

// A file waits to be sent.
type file struct {
	Name  string `json:"n,omitempty"` // "" = as in Bytes
	Bytes []byte `json:"b,omitempty"` // a name that is not UTF-8
	Size  int64  `json:"s"`
	Time  int64  `json:"t,omitempty"` // ms; 0 = unknown
}

func newFile(name string, size int64, modTime time.Time) file {
	f := file{Name: name, Size: size}
	if !utf8.ValidString(name) {
		f.Name, f.Bytes = "", []byte(name)
	}
	if !modTime.IsZero() {
		f.Time = modTime.UnixMilli()
	}
	return f
}

// name returns the name of the file.
func (f *file) name() string {
	if f.Name == "" {
		return string(f.Bytes)
	}
	return f.Name
}

// entry describes the file in its directory.
func (f *file) entry() remote.Entry {
	_, base := remote.Split(f.name())
	e := remote.Entry{Name: base, Size: f.Size}
	if f.Time != 0 {
		e.ModTime = time.UnixMilli(f.Time)
	}
	return e
}

// length returns how long the file is in a value.
func (f *file) length() int {
	text, err := json.Marshal(f)
	if err != nil {
		panic(err) // numbers and strings
	}
	return len(text) + len(",")
}

// decode returns what a value says, false if it is not to be used.
func decode(data []byte) (v value, ok bool) {
	if json.Unmarshal(data, &v) != nil || v.Version != version || v.Node == "" || v.Place == "" {
		return v, false
	}
	for i := range v.Files {
		if name := v.Files[i].name(); name == "." || !remote.ValidPath(name) || v.Files[i].Size < 0 {
			return v, false
		}
	}
	return v, true
}

// keyOf returns the key of a piece of what waits at a node for a place. It tells nothing of either.
func keyOf(place, node string, piece int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d:%s%s", len(place), place, node))
	return fmt.Sprintf("%s-%02d", hex.EncodeToString(sum[:12]), piece)
}

// pieceOf returns which piece of what a node tells of a place has a key, -1 if none has.
func pieceOf(key, place, node string) int {
	for i := range maxPieces {
		if k := keyOf(place, node, i); k == key {
			return i
		} else if !strings.HasPrefix(key, k[:len(k)-2]) {
			return -1
		}
	}
	return -1
}
