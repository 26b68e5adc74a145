package union

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/internal/objects"
	"ferry/remote/driver/internal/objects/objectstest"
	"ferry/remote/driver/memory"
	"ferry/remote/nameenc"
	"ferry/remote/remotetest"
)

// choices are which of two upstreams takes what is new, a bit for each time, over and over.
type choices struct {
	bits uint
	made atomic.Uint32
}

// choiceBits is after how many choices they are repeated: no test of uploads needs more.
const choiceBits = 3

// told is an upstream that tells by what is free whether it is chosen. The first is asked first.
type told struct {
	*choices
	index uint
}

// Usage implements remote.Usager.
func (t told) Usage(ctx context.Context) (remote.Usage, error) {
	if t.index == 0 {
		t.made.Add(1)
	}
	u := remote.Usage{Total: -1, Used: -1}
	if t.bits>>(uint(t.made.Load())%choiceBits)&1 == t.index {
		u.Free = 1 << 40
	}
	return u, remote.Check(ctx, ".")
}

// A folder has directories of its own, keeps parts, and lets read them.
type folder struct {
	*memory.Remote
	told
}

func (f folder) Usage(ctx context.Context) (remote.Usage, error) { return f.told.Usage(ctx) }

// A bucket is a tree of objects.
type bucket struct {
	*objects.Tree
	told
}

func (bucket) Close() error { return nil }

func newBucket(u told, keeps bool) remote.Remote {
	s := objectstest.NewKeeping("b")
	s.Piece = 1000 // the suite cuts shorter contents anywhere
	return bucket{objects.New(s, objects.Config{
		Name: "flat:b", Root: "b", Names: objects.Names{Encoding: nameenc.Slash | nameenc.InvalidUtf8 | nameenc.Dot},
		Holds: func(k objects.Key) bool { return len(k.Name) <= 1024 }, Buckets: s.Flat, KeepParts: keeps,
	}), u}
}

// A bare remote has usage, and else what plain has.
type bare struct {
	plain
	told
}

// kinds are upstreams of different abilities.
var kinds = []struct {
	name string
	open func(u told) remote.Remote
}{
	{"a folder", func(u told) remote.Remote { return folder{memory.New(), u} }},
	{"a bucket", func(u told) remote.Remote { return newBucket(u, true) }},
	{"a bucket without parts", func(u told) remote.Remote { return newBucket(u, false) }},
	{"a bare one", func(u told) remote.Remote { return bare{plain{memory.New()}, u} }},
}

// pairOf opens unions of two kinds, whose choices bits tells.
func pairOf(first, second func(u told) remote.Remote, bits uint) func(t *testing.T) remote.Remote {
	return func(t *testing.T) remote.Remote {
		c := &choices{bits: bits}
		return newUnion(t, Options{Create: "mfs"}, up(first(told{c, 0})), up(second(told{c, 1})))
	}
}

// allPairs reports whether there is time for what only make soak goes through.
func allPairs() bool { return os.Getenv("FERRY_TEST_SUITES") == "full" }

// eachPair calls run with each two kinds, in each order.
func eachPair(t *testing.T, run func(t *testing.T, i, j int)) {
	for i, first := range kinds {
		for j, second := range kinds {
			if i != j {
				t.Run(fmt.Sprintf("%s over %s", first.name, second.name), func(t *testing.T) {
					t.Parallel()
					run(t, i, j)
				})
			}
		}
	}
}

// TestUnlikeUpstreams: whatever the upstreams can do, the union keeps the contracts. Each is first
// of some and second of some; without the time for all, next to one other.
func TestUnlikeUpstreams(t *testing.T) {
	t.Parallel()
	eachPair(t, func(t *testing.T, i, j int) {
		if (i < j) == ((i+j)%2 == 1) && (allPairs() || j == (i+1)%len(kinds)) {
			remotetest.Run(t, pairOf(kinds[i].open, kinds[j].open, 0b010))
		}
	})
}

// TestUploadsWhateverIsChosen: where a directory is says nothing of where uploads into it are.
func TestUploadsWhateverIsChosen(t *testing.T) {
	t.Parallel()
	eachPair(t, func(t *testing.T, i, j int) {
		for bits := range uint(1) << choiceBits {
			if !allPairs() && bits%2 == uint(i+j)%2 {
				continue
			}
			t.Run(fmt.Sprintf("%03b", bits), func(t *testing.T) { remotetest.RunStage(t, pairOf(kinds[i].open, kinds[j].open, bits)) })
		}
	})
}

// TestUploadsIntoAUnionOfUnions: nor does it where an upstream has several itself.
func TestUploadsIntoAUnionOfUnions(t *testing.T) {
	t.Parallel()
	for bits := range uint(1) << choiceBits {
		t.Run(fmt.Sprintf("%03b", bits), func(t *testing.T) {
			remotetest.RunStage(t, func(t *testing.T) remote.Remote {
				outer, inner := &choices{bits: bits}, &choices{bits: 0b010}
				o := Options{Create: "mfs"}
				below := newUnion(t, o, up(kinds[1].open(told{inner, 0})), up(kinds[0].open(told{inner, 1})))
				return newUnion(t, o, up(nested{below, below.(remote.Stager), told{outer, 0}}), up(kinds[0].open(told{outer, 1})))
			})
		})
	}
}

// A nested union tells whether it is chosen, not what its upstreams do.
type nested struct {
	remote.Remote
	remote.Stager
	told
}

// TestUploadsByEachPolicy: and whatever the policies are.
func TestUploadsByEachPolicy(t *testing.T) {
	t.Parallel()
	for _, p := range Policies() {
		for _, o := range []Options{{Create: Policy(p)}, {Create: "mfs", Action: Policy(p)}, {Create: "mfs", Search: Policy(p)}} {
			if !allPairs() && o.Search != "" {
				continue // uploads are where create and action say
			}
			t.Run(fmt.Sprintf("create %s, action %s, search %s", o.Create, o.Action, o.Search), func(t *testing.T) {
				t.Parallel()
				remotetest.RunStage(t, func(t *testing.T) remote.Remote {
					c := &choices{bits: 0b010}
					return newUnion(t, o, up(kinds[0].open(told{c, 0})), up(kinds[1].open(told{c, 1})))
				})
			})
		}
	}
}
