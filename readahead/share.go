package readahead

// wanted returns how many bytes a reader of f would have in memory.
func (f *file) wanted() int64 {
	if f.plan == nil || f.plan.Streams <= 0 {
		return f.tree.opt.Buffer
	}
	return int64(f.plan.Streams) * min(f.plan.Size, f.entry.Size)
}

// share returns how many blocks of f a reader may have in memory: fewer, the more transfers there
// are, but at least one, and one for each stream of a plan.
func (f *file) share() int {
	least := 1
	if f.plan != nil {
		least = max(f.plan.Streams, 1)
	}
	return max(int(f.tree.budget.Share(f.wanted())/blockSize), least)
}
