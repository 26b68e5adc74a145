package feed

import (
	"hash/maphash"

	"ferry/remote/notice"
)

// maxNewest is how many objects are remembered in each of two halves.
const maxNewest = 16 << 10

// newest remembers which notice of an object was the newest. It forgets the objects of which none
// came for long. The zero value is empty.
type newest struct {
	seed     maphash.Seed
	now, old map[uint64]string // Order by hash of the object
}

// isOlder reports whether a notice of the same object that came before is known to be newer.
func (m *newest) isOlder(n *notice.Notice) bool {
	if n.Order == "" {
		return false
	}
	if m.now == nil {
		m.seed, m.now = maphash.MakeSeed(), map[uint64]string{}
	}
	// Two objects of one hash cost no more than a claim.
	key := maphash.String(m.seed, n.Bucket+"\x00"+n.Key)
	known, ok := m.now[key]
	if !ok {
		known = m.old[key]
	}
	if notice.Newer(known, n.Order) {
		return true
	}
	m.now[key] = n.Order
	if len(m.now) >= maxNewest {
		m.now, m.old = map[uint64]string{}, m.now
	}
	return false
}
