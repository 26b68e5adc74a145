package quota

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ferry/cluster"
	"ferry/cluster/clustertest"
)

// distant is an engine that is some milliseconds away, and counts what is written.
type distant struct {
	cluster.Engine
	writes *atomic.Int64
}

func (d distant) travel() { time.Sleep(time.Millisecond + rand.N(2*time.Millisecond)) }

func (d distant) Get(ctx context.Context, bucket, key string) (cluster.Value, error) {
	d.travel()
	defer d.travel()
	return d.Engine.Get(ctx, bucket, key)
}

func (d distant) Create(ctx context.Context, bucket, key string, data []byte, life time.Duration) (uint64, error) {
	d.writes.Add(1)
	d.travel()
	defer d.travel()
	return d.Engine.Create(ctx, bucket, key, data, life)
}

func (d distant) Update(ctx context.Context, bucket, key string, data []byte, revision uint64, life time.Duration) (uint64, error) {
	d.writes.Add(1)
	d.travel()
	defer d.travel()
	return d.Engine.Update(ctx, bucket, key, data, revision, life)
}

// All nodes change the record of one user at once. One of them wins each time; the others try
// again, less and less often, so that each has its turn before an upload has waited too long.
func TestManyNodesCountOneUserAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 100
		s, tree, dir := clustertest.New(), newTree(t), t.TempDir()
		var writes atomic.Int64
		limits := Limits{Bytes: 100 << 30, Files: 1_000_000}
		var sessions []*FS
		var stores []*Store
		for i := range many {
			node := s.Node()
			node.Delay(100 * time.Millisecond) // of many changes of one value the last one comes
			m := joinBy(t, distant{node, &writes}, fmt.Sprint("n", i), dir, false)
			sessions, stores = append(sessions, m.session(t, tree, limits)), append(stores, m.store)
		}
		var wg sync.WaitGroup
		for i, f := range sessions {
			wg.Go(func() {
				if err := put(f, fmt.Sprint("f", i), 0, 1000, false); err != nil {
					t.Errorf("node %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		time.Sleep(20 * time.Second)
		var failed uint64
		for _, one := range stores {
			failed += one.nodes.failed.Load()
		}
		if n := writes.Load(); failed > 0 || n > 20*many {
			t.Errorf("%d exchanges failed, with %d writes", failed, n)
		}
		if used, err := stores[0].Usage("bob"); err != nil || used != (Usage{many * 1000, many}) {
			t.Errorf("counted %+v, %v", used, err)
		}
		for _, f := range sessions {
			f.leave(t)
		}
	})
}
