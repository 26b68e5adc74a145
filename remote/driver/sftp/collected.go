package sftp

import (
	"encoding/binary"
	"io"
	"sync"

	"ferry/remote/network"
)

// A server that opens no second channel is listed by package sftp, which takes a whole directory
// into memory before it passes any of it on.
const (
	maxCollected = 256 << 20 // bytes of answers to such listings
	entryBytes   = 64        // how many of them an entry takes at least that is worth counting
)

// collected reads what the server sends, and counts the answers that list names while a directory
// is collected. When they are too many it fails, which ends the connection.
type collected struct {
	r      io.Reader
	limits network.Options // constant; of the bytes

	head  []byte // of the packet that begins
	body  uint32 // how much is to come of a packet
	names bool   // it lists names

	mu    sync.Mutex
	lists int              // listings under way; guarded by mu
	bound *network.Listing // what they may take together; guarded by mu
	err   error            // they have taken more; guarded by mu
}

func newCollected(r io.Reader, o network.Options) *collected {
	most := maxCollected
	if o.MaxEntries > 0 {
		most = min(most, o.MaxEntries*entryBytes)
	}
	return &collected{r: r, limits: network.Options{MaxEntries: most}}
}

// during runs a listing, and returns why it was too long.
func (c *collected) during(list func() error) error {
	c.mu.Lock()
	if c.lists++; c.lists == 1 {
		c.bound = c.limits.Listing()
	}
	c.mu.Unlock()
	err := list()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lists--
	if c.err != nil {
		return c.err
	}
	return err
}

// Read implements io.Reader.
func (c *collected) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if names := c.namesIn(p[:n]); names > 0 {
		if err := c.count(names); err != nil {
			return 0, err
		}
	}
	return n, err
}

// namesIn follows the packets in b, and returns how many bytes are of such as list names.
func (c *collected) namesIn(b []byte) (n int) {
	for len(b) > 0 {
		if c.body == 0 {
			k := min(5-len(c.head), len(b))
			c.head, b = append(c.head, b[:k]...), b[k:]
			if len(c.head) == 5 {
				c.body = max(binary.BigEndian.Uint32(c.head), 1) - 1 // without the type
				c.names = c.head[4] == typeName
				c.head = c.head[:0]
			}
			continue
		}
		k := min(c.body, uint32(len(b)))
		if c.names {
			n += int(k)
		}
		c.body -= k
		b = b[k:]
	}
	return n
}

func (c *collected) count(n int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lists > 0 && c.err == nil {
		c.err = c.bound.Entries(n)
	}
	return c.err
}
