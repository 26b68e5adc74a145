package quota

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"
)

// common is what nodes know together of a user: a value of the engine, which each of them replaces
// only as it has read it.
type common struct {
	User  string           `json:"user"`
	Used  Usage            `json:"used,omitzero"` // all that was told; below 0 while a deletion was told before its upload
	Nodes map[string]*part `json:"nodes,omitempty"`
	Want  *want            `json:"want,omitempty"`
}

// part is what one node has in it.
type part struct {
	// Told is all that the node has ever counted, as far as it is in Used. So a report whose answer
	// was lost does not count twice.
	Told  Usage `json:"told,omitzero"`
	Lease Usage `json:"lease,omitzero"` // what it may use besides
	At    int64 `json:"at"`             // when it wrote that last, in seconds
}

// want is of a node that lacks what others may have leased and do not use.
type want struct {
	Node string `json:"node"`
	At   int64  `json:"at"` // in ms
}

const (
	// leaseLife is how long a lease holds that its node does not renew. For the node it ends before
	// that, so that clocks may differ by what is between.
	leaseLife = 10 * time.Minute
	ownLife   = 8 * time.Minute
	renewal   = 2 * time.Minute

	// wantLife is how long a node may lack something before it has given up or is gone.
	wantLife = 10 * time.Second

	maxParts = 150 // nodes in a value, which is up to 64 KiB
	maxKey   = 200
)

// keyOf returns the key of a user.
func keyOf(user string) string {
	key := base64.RawURLEncoding.EncodeToString([]byte(user))
	if len(key) > maxKey {
		sum := sha256.Sum256([]byte(user))
		key = "=" + hex.EncodeToString(sum[:])
	}
	return key
}

// decode returns what a value says.
func decode(data []byte) (*common, bool) {
	c := &common{}
	if json.Unmarshal(data, c) != nil || c.User == "" {
		return nil, false
	}
	if c.Nodes == nil {
		c.Nodes = map[string]*part{}
	}
	for name, p := range c.Nodes {
		if p == nil {
			delete(c.Nodes, name)
		}
	}
	return c, true
}

func (c *common) encode() []byte {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // numbers and strings
	}
	return text
}

// others returns what other nodes have leased. What they have not renewed for long is theirs no
// more.
func (c *common) others(node string, now time.Time) Usage {
	var sum Usage
	for name, p := range c.Nodes {
		if name == node {
			continue
		}
		if now.Sub(time.Unix(p.At, 0)) > leaseLife {
			p.Lease = Usage{}
		}
		sum = sum.plus(p.Lease)
	}
	return sum
}

// wanted reports whether another node lacks something.
func (c *common) wanted(node string, now time.Time) bool {
	return c.Want != nil && c.Want.Node != node && now.Sub(time.UnixMilli(c.Want.At)).Abs() < wantLife
}

// toldByOthers returns what each node but this one has told.
func (c *common) toldByOthers(node string) map[string]Usage {
	told := make(map[string]Usage, len(c.Nodes))
	for name, p := range c.Nodes {
		if name != node {
			told[name] = p.Told
		}
	}
	return told
}

// shorten forgets parts of nodes that have not been here for longest. They know themselves what
// they have told.
func (c *common) shorten(node string) {
	if len(c.Nodes) <= maxParts {
		return
	}
	var idle []string
	for name, p := range c.Nodes {
		if name != node && p.Lease == (Usage{}) {
			idle = append(idle, name)
		}
	}
	slices.SortFunc(idle, func(a, b string) int {
		return cmp.Or(cmp.Compare(c.Nodes[a].At, c.Nodes[b].At), cmp.Compare(a, b))
	})
	for _, name := range idle[:min(len(idle), len(c.Nodes)-maxParts)] {
		delete(c.Nodes, name)
	}
}
