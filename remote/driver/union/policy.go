package union

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"ferry/remote"
)

// A Policy says which upstreams a call is about, by the name that rclone has for it. One that
// begins with "ep" (existing path) considers for something new only upstreams that have the
// directory; calls about what is there always consider those that have it.
type Policy string

// Policies returns all of them.
func Policies() []string {
	return []string{"all", "epall", "epff", "eplfs", "eplus", "eplno", "epmfs", "eprand", "ff", "lfs", "lno", "lus", "mfs", "newest", "rand"}
}

func (p Policy) valid() bool { return slices.Contains(Policies(), string(p)) }

// existing reports whether something new is only stored where its directory is.
func (p Policy) existing() bool { return strings.HasPrefix(string(p), "ep") }

// kind is the policy without that.
func (p Policy) kind() string { return strings.TrimPrefix(string(p), "ep") }

// fixedOrder reports whether the policy prefers upstreams in the order in which they are
// configured. (No remote tells how many objects it has, so that lno has nothing to go by.)
func (p Policy) fixedOrder() bool {
	switch p.kind() {
	case "all", "ff", "lno":
		return true
	}
	return false
}

// ordered sorts upstreams by the preference of the policy. newest depends on the name, and leaves
// them as they are.
func (r *Remote) ordered(ctx context.Context, p Policy, ups []*upstream) []*upstream {
	sorted := slices.Clone(ups)
	key := func(of func(remote.Usage) int64) {
		keys := map[*upstream]int64{}
		for _, u := range sorted {
			keys[u] = of(r.usageOf(ctx, u))
		}
		slices.SortStableFunc(sorted, func(a, b *upstream) int { return compare(keys[a], keys[b]) })
	}
	switch p.kind() {
	case "lfs":
		key(func(u remote.Usage) int64 { return free(u) })
	case "mfs":
		key(func(u remote.Usage) int64 { return -free(u) })
	case "lus":
		key(func(u remote.Usage) int64 { return max(u.Used, 0) })
	case "rand":
		rand.Shuffle(len(sorted), func(i, j int) { sorted[i], sorted[j] = sorted[j], sorted[i] })
	}
	return sorted
}

func compare(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// free is how many bytes are free. Where that is not known, it is taken for more than anywhere
// else.
func free(u remote.Usage) int64 {
	if u.Free < 0 {
		return math.MaxInt64
	}
	return u.Free
}

// roomy returns the upstreams that have as much free as lfs demands.
func (r *Remote) roomy(ctx context.Context, p Policy, ups []*upstream) []*upstream {
	if p.kind() != "lfs" {
		return ups
	}
	return slices.DeleteFunc(slices.Clone(ups), func(u *upstream) bool { return free(r.usageOf(ctx, u)) < r.o.MinFree })
}

// choose returns those of the holders of a name that the policy acts on: all or one.
func (r *Remote) choose(ctx context.Context, p Policy, holders []*held) []*held {
	if p.kind() == "all" || len(holders) < 2 {
		return holders
	}
	return []*held{r.prefer(ctx, p, holders)}
}

// prefer returns the holder of a name that the policy prefers.
func (r *Remote) prefer(ctx context.Context, p Policy, holders []*held) *held {
	best := holders[0]
	if p.kind() == "newest" {
		for _, h := range holders[1:] {
			if h.entry.ModTime.After(best.entry.ModTime) {
				best = h
			}
		}
		return best
	}
	if len(holders) == 1 || p.fixedOrder() {
		return best
	}
	ups := make([]*upstream, len(holders))
	for i, h := range holders {
		ups[i] = h.up
	}
	first := r.ordered(ctx, p, ups)[0]
	return holders[slices.Index(ups, first)]
}
