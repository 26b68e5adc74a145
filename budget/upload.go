package budget

import (
	"context"
	"io/fs"
)

// An Upload is what one upload has reserved. All but End, Fail and what Sent returns are called by
// the goroutine that receives its content.
//
// A content is collected, first in a small piece of memory (Begin) and then in as much as a whole
// part takes (Collect), and goes on its way (Sent) while the next part is collected. An upload that
// waits has nothing but the small piece and what is on its way, and one upload at least may have a
// whole part. So each gets one in the end: the first that waits, as soon as there is room for it.
// An upload that has parts on their way gets more only if no other waits for its first.
type Upload struct {
	budget *Budget // nil = no limit
	err    error   // guarded by budget.mu; set by Fail and End
	ended  bool    // guarded by budget.mu

	collects int64   // guarded by budget.mu; reserved for what is being collected
	whole    bool    // guarded by budget.mu; that is a whole part
	sends    int64   // guarded by budget.mu; reserved for what is on its way
	waits    *waiter // guarded by budget.mu; nil = it does not wait
}

// Upload returns a new upload. The caller calls End.
func (b *Budget) Upload() *Upload {
	if b == nil || b.total == 0 {
		return &Upload{}
	}
	b.uploads.Add(1)
	return &Upload{budget: b}
}

// Begin reserves n bytes for the beginning of a content whose length is not known.
func (u *Upload) Begin(ctx context.Context, n int64) error { return u.reserve(ctx, n, false) }

// Collect reserves as much as is missing so that n bytes, a whole part, can be collected. It waits
// until that is free or ctx ends.
func (u *Upload) Collect(ctx context.Context, n int64) error { return u.reserve(ctx, n, true) }

func (u *Upload) reserve(ctx context.Context, n int64, whole bool) error {
	b := u.budget
	if b == nil {
		return nil
	}
	b.mu.Lock()
	w := &waiter{upload: u, bytes: n, whole: whole, ready: make(chan struct{})}
	switch {
	case u.err != nil:
		b.mu.Unlock()
		return u.err
	case u.collects >= n && (u.whole || !whole):
		b.mu.Unlock()
		return nil
	}
	u.waits = w
	w.wait()
	b.grant()
	b.mu.Unlock()
	select {
	case <-w.ready:
		return w.err
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if u.waits == w {
		w.leave(context.Cause(ctx))
		b.grant() // who stands behind it may need less
	}
	return w.err
}

// Sent says that what has been collected is on its way. The memory is free when done is called,
// which can be done once.
func (u *Upload) Sent() (done func()) {
	b := u.budget
	if b == nil {
		return func() {}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	n, whole := u.collects, u.whole
	u.collects, u.whole, u.sends = 0, false, u.sends+n
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		u.sends -= n
		b.free(n, whole)
		if u.waits != nil {
			u.waits.wait() // maybe it is one of those that have nothing now
		}
		b.grant()
	}
}

// Fail makes a call that waits fail with err, and all later ones.
func (u *Upload) Fail(err error) {
	if b := u.budget; b != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		u.fail(err)
		b.grant()
	}
}

// End frees what was collected. What is on its way is freed by who sends it.
func (u *Upload) End() {
	b := u.budget
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !u.ended {
		b.uploads.Add(-1)
	}
	u.ended = true
	u.fail(fs.ErrClosed)
	b.free(u.collects, u.whole)
	u.collects, u.whole = 0, false
	b.grant()
}

// LOCKS_REQUIRED(u.budget.mu)
func (u *Upload) fail(err error) {
	if u.err == nil {
		u.err = err
	}
	if u.waits != nil {
		u.waits.leave(err)
	}
}

// LOCKS_REQUIRED(b.mu)
func (b *Budget) free(n int64, whole bool) {
	b.held.Add(-n)
	if whole {
		b.wholes--
	}
}
