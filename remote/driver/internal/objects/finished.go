package objects

import (
	"context"
	"encoding/json"
	"sync"
	"time"
)

// Who continues an upload that another process has had, and finishes it, leaves a mark: a small
// object called by the id of the upload. Without it that process, which remembers that the upload
// was cut, would not know whether what it sees under the name is the end of that upload or somebody
// else's file. That the upload is gone does not say so: it may have been swept, or dropped by the
// service. Marks are swept like uploads that are too old.

const doneSuffix = ".done"

// doneTime is how long leaving a mark may take: who has no mark refuses, and does no harm.
const doneTime = 5 * time.Second

// A doneMark says that an upload was finished by another process than it was begun by.
type doneMark struct {
	Format int       `json:"format"`
	ID     string    `json:"id"`
	Key    string    `json:"key"` // of the file, as in a URL
	Node   string    `json:"node"`
	At     time.Time `json:"at"`
}

// movedFrom reports whether another process than this one has had the upload.
func (m *manifest) movedFrom(t *Tree) bool { return m.Moved || m.Node != t.node }

// doneKey is where the mark of the upload with that id is whose manifest would be in slot.
func doneKey(slot Key, id string) Key {
	dir, _ := above(slot)
	return dir.below(id + doneSuffix)
}

// finish leaves the mark that the owner of the upload m has the file by now. Where such marks would
// never be swept there are none.
func (t *Tree) finish(ctx context.Context, m *manifest) {
	if t.config.PartMaxAge <= 0 || m.ID == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, doneTime)
	defer cancel()
	text, err := json.Marshal(doneMark{manifestFormat, m.ID, m.Key, t.node, time.Now().UTC()})
	if err == nil {
		_, _ = t.keeper.PutPlain(ctx, doneKey(m.at, m.ID), text, "")
	}
}

// finishedElsewhere reports whether the last upload of a slot that was kept here has a mark.
func (t *Tree) finishedElsewhere(ctx context.Context, slot Key) bool {
	id, ok := t.left.of(slot)
	if !ok {
		return false
	}
	_, err := t.store.Head(ctx, doneKey(slot, id))
	return err == nil
}

// leftHere knows the ids of uploads that this process has left for others, by slot: only of these
// it asks whether they were finished. Its methods may be called concurrently.
type leftHere struct {
	mu  sync.Mutex
	ids map[Key]string // guarded by mu
}

// maxLeft bounds memory.
const maxLeft = 10_000

func (l *leftHere) note(slot Key, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ids == nil {
		l.ids = map[Key]string{}
	}
	evict(l.ids, maxLeft)
	l.ids[slot] = id
}

func (l *leftHere) forget(slot Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.ids, slot)
}

func (l *leftHere) of(slot Key) (id string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id, ok = l.ids[slot]
	return id, ok
}
