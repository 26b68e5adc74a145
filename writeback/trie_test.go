package writeback

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
)

// A trie is a map, and a snapshot does not see what is changed later.
func TestASnapshotOfATrieDoesNotChange(t *testing.T) {
	type version struct {
		t trie[int]
		m map[string]int
	}
	r := rand.New(rand.NewPCG(1, 2))
	var versions []version
	now := version{m: map[string]int{}}
	for i := range 20_000 {
		key := fmt.Sprint(r.IntN(1000))
		if r.IntN(3) == 0 {
			now.t.remove(key)
			delete(now.m, key)
		} else {
			now.t.set(key, i)
			now.m[key] = i
		}
		if i%1000 == 0 {
			versions = append(versions, version{now.t.snapshot(), maps.Clone(now.m)})
		}
	}
	for key := range now.m {
		now.t.remove(key)
	}
	if now.t.root != nil || now.t.size() != 0 {
		t.Errorf("an empty trie holds %d keys, and %v", now.t.size(), now.t.root)
	}
	for i, v := range versions {
		got := maps.Collect(v.t.all())
		if !maps.Equal(got, v.m) || v.t.size() != len(v.m) {
			t.Errorf("version %d: %d keys (size %d), want %d", i, len(got), v.t.size(), len(v.m))
		}
		for key, want := range v.m {
			if got, ok := v.t.get(key); !ok || got != want {
				t.Fatalf("version %d: %s is %d, %v", i, key, got, ok)
			}
		}
		if _, ok := v.t.get("no"); ok {
			t.Error("a key is there that never was")
		}
	}
}

// Keys of one hash are told apart by themselves.
func TestATrieTellsKeysOfOneHashApart(t *testing.T) {
	leaf := func(key string, value int) *trieNode[int] { return &trieNode[int]{hash: 7, key: key, value: value} }
	mine := new(trieOwner)
	var n *trieNode[int]
	n = n.with(mine, &trieNode[int]{hash: 7 + 1<<60, key: "far", value: 0}, 0)
	for i, key := range []string{"a", "b", "c", "b"} {
		n = n.with(mine, leaf(key, i), 0)
	}
	old := n
	n = n.without(new(trieOwner), 7, 0, "a")
	for key, want := range map[string]int{"b": 3, "c": 2} {
		if got := n.find(7, 0, key); got == nil || got.value != want {
			t.Errorf("%s is %v", key, got)
		}
	}
	if n.find(7, 0, "a") != nil || old.find(7, 0, "a") == nil || n.find(7+1<<60, 0, "far") == nil {
		t.Error("the wrong key went")
	}
	for _, key := range []string{"c", "b"} {
		n = n.without(new(trieOwner), 7, 0, key)
	}
	if n == nil || n.branch != nil || n.key != "far" {
		t.Errorf("a branch is left: %v", n)
	}
}
