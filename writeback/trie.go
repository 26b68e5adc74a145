package writeback

import (
	"hash/maphash"
	"iter"
)

// A trie is a map with snapshots in constant time: later changes copy the branches that they
// change. A snapshot can be read without a lock. The zero value is empty. A trie must not be copied
// except by snapshot.
type trie[V any] struct {
	root  *trieNode[V]
	len   int
	owner *trieOwner // of branches that no snapshot shares
}

// A trieOwner is identified by its address.
type trieOwner struct{ _ byte }

// A trieNode is a branch, or the first of the leaves whose keys have the same hash.
type trieNode[V any] struct {
	branch *[trieWidth]*trieNode[V] // nil for a leaf
	owner  *trieOwner               // of the branch
	hash   uint64
	key    string
	value  V
	next   *trieNode[V]
}

// Each level of branches distinguishes keys by this many bits of their hash.
const (
	trieBits  = 4
	trieWidth = 1 << trieBits
)

var trieSeed = maphash.MakeSeed()

func trieHash(key string) uint64 { return maphash.String(trieSeed, key) }

// size returns the number of keys.
func (t trie[V]) size() int { return t.len }

func (t trie[V]) get(key string) (value V, ok bool) {
	if leaf := t.root.find(trieHash(key), 0, key); leaf != nil {
		return leaf.value, true
	}
	return value, false
}

// snapshot returns an immutable copy of t.
func (t *trie[V]) snapshot() trie[V] {
	t.owner = nil
	return *t
}

// set sets the value of key.
func (t *trie[V]) set(key string, value V) {
	t.own()
	hash := trieHash(key)
	if t.root.find(hash, 0, key) == nil {
		t.len++
	}
	t.root = t.root.with(t.owner, &trieNode[V]{hash: hash, key: key, value: value}, 0)
}

// remove removes key.
func (t *trie[V]) remove(key string) {
	t.own()
	hash := trieHash(key)
	if t.root.find(hash, 0, key) == nil {
		return
	}
	t.len--
	t.root = t.root.without(t.owner, hash, 0, key)
}

func (t *trie[V]) own() {
	if t.owner == nil {
		t.owner = new(trieOwner)
	}
}

// all yields all keys and values, in no order.
func (t trie[V]) all() iter.Seq2[string, V] {
	return func(yield func(string, V) bool) { t.root.each(yield) }
}

// find returns the leaf of key, or nil. The branch n uses the bits of the hash above shift.
func (n *trieNode[V]) find(hash uint64, shift uint, key string) *trieNode[V] {
	for ; n != nil && n.branch != nil; shift += trieBits {
		n = n.branch[hash>>shift%trieWidth]
	}
	for ; n != nil; n = n.next {
		if n.hash == hash && n.key == key {
			return n
		}
	}
	return nil
}

// owned returns the branch n, or a copy of it, as one that owner may change.
func (n *trieNode[V]) owned(owner *trieOwner) *trieNode[V] {
	if n.owner == owner {
		return n
	}
	branch := *n.branch
	return &trieNode[V]{branch: &branch, owner: owner}
}

// with returns n with leaf added, which replaces one of the same key.
func (n *trieNode[V]) with(owner *trieOwner, leaf *trieNode[V], shift uint) *trieNode[V] {
	switch {
	case n == nil:
		return leaf
	case n.branch == nil && n.hash == leaf.hash:
		leaf.next = n.leaves(leaf.key)
		return leaf
	}
	if n.branch == nil {
		branch := [trieWidth]*trieNode[V]{}
		branch[n.hash>>shift%trieWidth] = n
		n = &trieNode[V]{branch: &branch, owner: owner}
	}
	n = n.owned(owner)
	at := &n.branch[leaf.hash>>shift%trieWidth]
	*at = (*at).with(owner, leaf, shift+trieBits)
	return n
}

// leaves returns the leaf n and its successors, without key.
func (n *trieNode[V]) leaves(key string) *trieNode[V] {
	switch {
	case n == nil:
		return nil
	case n.key == key:
		return n.next
	}
	other := *n
	other.next = n.next.leaves(key)
	return &other
}

// without returns n without key, which it must contain.
func (n *trieNode[V]) without(owner *trieOwner, hash uint64, shift uint, key string) *trieNode[V] {
	if n.branch == nil {
		return n.leaves(key)
	}
	n = n.owned(owner)
	at := &n.branch[hash>>shift%trieWidth]
	*at = (*at).without(owner, hash, shift+trieBits, key)
	var only *trieNode[V]
	for _, child := range n.branch {
		switch {
		case child == nil:
		case only != nil || child.branch != nil: // two, or one that must keep its level
			return n
		default:
			only = child
		}
	}
	return only
}

func (n *trieNode[V]) each(yield func(string, V) bool) bool {
	if n == nil {
		return true
	}
	if n.branch == nil {
		return yield(n.key, n.value) && n.next.each(yield)
	}
	for _, child := range n.branch {
		if !child.each(yield) {
			return false
		}
	}
	return true
}
