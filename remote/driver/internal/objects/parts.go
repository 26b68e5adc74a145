package objects

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"

	"ferry/remote"
)

// keepsParts reports whether unfinished uploads are kept.
func (t *Tree) keepsParts() bool { return t.keeper != nil && !t.info.Caps.NoParts }

// Part implements remote.Stager. What the upload of another process has so far is shown too: that
// process may be dead, and who finds nothing begins anew.
func (t *Tree) Part(ctx context.Context, name, owner string) (remote.Entry, error) {
	m, err := t.findPart(ctx, "part", name, owner)
	if err != nil {
		return remote.Entry{}, err
	}
	_, base := remote.Split(name)
	return m.entry(base), nil
}

func (m *manifest) entry(base string) remote.Entry {
	return remote.Entry{Name: base, Size: m.Size, ModTime: m.changed, Part: m.Owner}
}

// DropPart implements remote.Stager. It asks nothing where it was seen a moment ago that there is
// nothing. An upload under way stays, but nobody can continue it.
func (t *Tree) DropPart(ctx context.Context, name, owner string) error {
	k, err := t.partKey(ctx, "droppart", name, owner)
	if err != nil {
		return err
	}
	slot := t.slot(k, owner)
	if t.kept.refresh(ctx, k.Bucket); !t.kept.may(slot) {
		return fail(ctx, "droppart", name, remote.ErrNotExist)
	}
	m, err := t.findPart(ctx, "droppart", name, owner)
	if err != nil {
		return err
	}
	return fail(ctx, "droppart", name, t.give(ctx, m))
}

// give drops the upload that m describes, except for what somebody else is sending.
func (t *Tree) give(ctx context.Context, m *manifest) error {
	if !m.leased() {
		return t.forget(ctx, m)
	}
	err := t.store.Delete(ctx, m.at, m.version)
	if err == nil {
		t.kept.gone(m.at)
	}
	return err
}

// partKey is key for an operation that concerns an unfinished upload.
func (t *Tree) partKey(ctx context.Context, op, name, owner string) (Key, error) {
	k, err := t.key(ctx, op, name)
	switch {
	case err != nil:
	case !remote.ValidOwner(owner):
		err = fail(ctx, op, name, remote.ErrInvalid)
	case t.isRoot(k), t.isBucket(k), !t.keepsParts():
		err = fail(ctx, op, name, remote.ErrNotExist)
	}
	return k, err
}

func (t *Tree) findPart(ctx context.Context, op, name, owner string) (*manifest, error) {
	k, err := t.partKey(ctx, op, name, owner)
	if err != nil {
		return nil, err
	}
	m, err := t.part(ctx, k, owner)
	return m, fail(ctx, op, name, err)
}

// part describes what owner left of k. An upload that goes on in this process is none.
func (t *Tree) part(ctx context.Context, k Key, owner string) (*manifest, error) {
	slot := t.slot(k, owner)
	m, err := t.manifestAt(ctx, slot)
	if errors.Is(err, remote.ErrNotExist) && t.finishedElsewhere(ctx, slot) {
		err = remote.ErrFinished
	}
	if err != nil {
		return nil, err
	}
	if m.leased() && m.Lease.Node == t.node {
		return nil, remote.ErrNotExist
	}
	if t.expired(m) {
		_ = t.forget(ctx, m) // what stays is found by a later one
		return nil, remote.ErrNotExist
	}
	if m.Sent.Size > 0 {
		if err = t.keeper.Holds(ctx, k, m.Sent); errors.Is(err, remote.ErrNotExist) {
			_ = t.forget(ctx, m)
		}
	}
	return m, err
}

// expired reports whether an upload is too old to be continued.
func (t *Tree) expired(m *manifest) bool {
	age := t.config.PartMaxAge
	return age > 0 && !m.leased() && t.ages.Exceed(m.changed, age)
}

// partsOf yields the unfinished uploads of files in dir, as far as it is known that there are some.
// Which of them can be continued after all, Part says.
func (t *Tree) partsOf(ctx context.Context, dir Key) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		if !t.keepsParts() || dir.Bucket == "" {
			return
		}
		t.kept.refresh(ctx, dir.Bucket)
		for _, slot := range t.kept.below(t.partsIn(dir)) {
			m, err := t.manifestAt(ctx, slot)
			if errors.Is(err, remote.ErrNotExist) {
				t.kept.gone(slot)
				continue
			}
			if err != nil {
				yield(remote.Entry{}, err)
				return
			}
			k, _ := m.file()
			_, raw := above(k)
			name, shown := t.names.Name(raw)
			switch {
			case m.leased() || !shown:
			case t.expired(m):
				_ = t.forget(ctx, m)
			case !yield(m.entry(name), nil):
				return
			}
		}
	}
}

// dropPartsIn drops the unfinished uploads of files in dir, which is removed. What stays expires.
func (t *Tree) dropPartsIn(ctx context.Context, dir Key) {
	if !t.keepsParts() {
		return
	}
	t.kept.refresh(ctx, dir.Bucket)
	for _, slot := range t.kept.below(t.partsIn(dir)) {
		if m, err := t.manifestAt(ctx, slot); err == nil {
			_ = t.give(ctx, m)
		}
	}
}

// listSlots lists the manifests in a bucket, as a keptIndex does.
func (t *Tree) listSlots(ctx context.Context, bucket string) (slots []string, whole bool, err error) {
	for o, err := range t.store.All(ctx, t.partsRoot(bucket)) {
		switch {
		case err != nil:
			return nil, false, err
		case len(slots) == maxIndex:
			return slots, false, nil
		case strings.HasSuffix(o.Name, manifestSuffix):
			slots = append(slots, o.Name)
		}
	}
	return slots, true, nil
}

// SweepParts implements remote.PartSweeper, with one listing, and a request more for each
// unfinished upload that is old.
func (t *Tree) SweepParts(ctx context.Context) error {
	if t.keeper == nil || t.config.PartMaxAge <= 0 {
		return fail(ctx, "sweepparts", ".", remote.ErrUnsupported)
	}
	buckets, err := t.sweptBuckets(ctx)
	for _, bucket := range buckets {
		err = errors.Join(err, t.sweep(ctx, bucket))
	}
	return fail(ctx, "sweepparts", ".", err)
}

func (t *Tree) sweptBuckets(ctx context.Context) (buckets []string, err error) {
	if t.bucket != "" {
		return []string{t.bucket}, nil
	}
	for o, err := range t.children(ctx, Key{}, 0) {
		if err != nil {
			return buckets, err
		}
		buckets = append(buckets, o.Name)
	}
	return buckets, nil
}

// tailAge is how much older than an upload may become the end of one is before it is dropped
// though nothing says whose it is.
const tailAge = 24 * time.Hour

// sweep drops what is too old in a bucket.
func (t *Tree) sweep(ctx context.Context, bucket string) error {
	age := t.config.PartMaxAge
	tails := map[string]Key{} // that are old, by the beginning of their names
	for o, err := range t.store.All(ctx, t.partsRoot(bucket)) {
		if err != nil {
			return err
		}
		k := Key{bucket, o.Name}
		switch {
		case !t.ages.Exceed(o.ModTime, age):
		case strings.HasSuffix(o.Name, manifestSuffix):
			m, err := t.manifestAt(ctx, k)
			if err == nil && t.expired(m) {
				err = t.forget(ctx, m)
			}
			if err != nil && !errors.Is(err, remote.ErrNotExist) && !errors.Is(err, remote.ErrChanged) {
				return err
			}
		case strings.HasSuffix(o.Name, doneSuffix):
			if err := t.store.Delete(ctx, k, ""); err != nil && !errors.Is(err, remote.ErrNotExist) {
				return err
			}
		case strings.HasSuffix(o.Name, tailSuffix) && t.ages.Exceed(o.ModTime, age+tailAge):
			tails[o.Name] = k
		}
	}
	for _, k := range tails {
		if err := t.dropOrphan(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

// dropOrphan drops the end of an upload unless its manifest speaks of it.
func (t *Tree) dropOrphan(ctx context.Context, k Key) error {
	stem := strings.TrimSuffix(k.Name, tailSuffix)
	stem = stem[:max(strings.LastIndexByte(stem, '.'), 0)]
	m, err := t.manifestAt(ctx, Key{k.Bucket, stem + manifestSuffix})
	switch {
	case err == nil && m.Tail != nil && m.tailKey() == k:
		return nil
	case err != nil && !errors.Is(err, remote.ErrNotExist):
		return err
	}
	if err = t.store.Delete(ctx, k, ""); errors.Is(err, remote.ErrNotExist) {
		err = nil
	}
	return err
}

// A KeptUpload is an unfinished upload that is kept for its owner.
type KeptUpload struct {
	Key     Key // of the file
	Size    int64
	Changed time.Time
	Sent    Sent
	Slot    Key  // of its manifest
	Leased  bool // it is under way
}

// KeptUploads lists the unfinished uploads that are kept in a bucket.
func (t *Tree) KeptUploads(ctx context.Context, bucket string) iter.Seq2[KeptUpload, error] {
	return func(yield func(KeptUpload, error) bool) {
		slots, _, err := t.listSlots(ctx, bucket)
		for _, name := range slots {
			slot := Key{bucket, name}
			m, oneErr := t.manifestAt(ctx, slot)
			if errors.Is(oneErr, remote.ErrNotExist) {
				continue
			}
			if err = oneErr; err != nil {
				break
			}
			k, _ := m.file()
			if !yield(KeptUpload{Key: k, Size: m.Size, Changed: m.changed, Sent: m.Sent, Slot: slot, Leased: m.leased()}, nil) {
				return
			}
		}
		if err != nil {
			yield(KeptUpload{}, err)
		}
	}
}

// IsSlot reports whether k may be a KeptUpload's Slot.
func (t *Tree) IsSlot(k Key) bool {
	return strings.HasPrefix(k.Name, t.partsRoot(k.Bucket).Name) && strings.HasSuffix(k.Name, manifestSuffix) && (t.bucket == "" || k.Bucket == t.bucket)
}

// DropKept drops the unfinished upload of a slot. One that is not there any more is no error.
func (t *Tree) DropKept(ctx context.Context, slot Key) error {
	m, err := t.manifestAt(ctx, slot)
	if err == nil {
		err = t.give(ctx, m)
	}
	if errors.Is(err, remote.ErrNotExist) {
		err = nil
	}
	return err
}
