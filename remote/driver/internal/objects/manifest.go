package objects

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/url"
	"strings"
	"time"

	"ferry/remote"
)

// What was sent of an upload that was cut is described by a manifest, a small object:
//
//	.ferry-parts/HASH OF THE DIRECTORY/OWNER-HASH OF THE NAME.json
//	.ferry-parts/HASH OF THE DIRECTORY/OWNER-HASH OF THE NAME.RANDOM.tail
//	.ferry-parts/HASH OF THE DIRECTORY/ID.done
//
// The tail is what the service would not take as it is too short; finished.go says what the last
// one is. Who continues the upload, on whatever node, writes a lease into the manifest. Each
// manifest replaces the version that its writer has seen, so that of several who want to continue
// one upload one does.

const (
	manifestSuffix = ".json"
	tailSuffix     = ".tail"
	// manifestFormat is the number of the format. One with another number is left alone.
	manifestFormat = 1
	// maxManifest is more than one of 10,000 parts takes.
	maxManifest = 16 << 20
	// leaseTick is how often what was sent of an upload under way is written down, and its lease
	// renewed.
	leaseTick = 10 * time.Second
	// settleTime is how long requests may take that nobody waits for any more.
	settleTime = 25 * time.Second
)

// leaseTime is how long a lease is valid.
func (t *Tree) leaseTime() time.Duration { return 5 * t.tick / 2 }

// A manifest says what there is of an upload.
type manifest struct {
	Format    int       `json:"format"`
	ID        string    `json:"id"` // of the upload, whoever continues it
	Owner     string    `json:"owner"`
	Key       string    `json:"key"` // of the file, as in a URL
	Size      int64     `json:"size"`
	Sent      Sent      `json:"sent"`
	Tail      *tail     `json:"tail,omitempty"`      // what follows Sent
	Continues bool      `json:"continues,omitempty"` // it began with the file of that name, whose facts stay
	Updated   time.Time `json:"updated"`
	Lease     *lease    `json:"lease,omitempty"`
	Node      string    `json:"node,omitempty"`  // the process that wrote this
	Moved     bool      `json:"moved,omitempty"` // other processes have had the upload, too

	at      Key       // where it is
	version string    // of the object
	changed time.Time // when it was written, by the clock of the store where that tells
}

// A tail is an object with the end of an unfinished upload.
type tail struct {
	Name   string `json:"name"` // the last element of its key
	Size   int64  `json:"size"`
	CRC32C uint32 `json:"crc32c"`
}

// A lease says who continues an upload.
type lease struct {
	Node  string    `json:"node"`
	Until time.Time `json:"until"`
}

// leased reports whether somebody continues the upload.
func (m *manifest) leased() bool { return m.Lease != nil && time.Now().Before(m.Lease.Until) }

// file returns the key of the file.
func (m *manifest) file() (Key, bool) {
	name, err := url.PathUnescape(m.Key)
	return Key{m.at.Bucket, name}, err == nil && name != ""
}

func (m *manifest) tailKey() Key {
	dir, _ := above(m.at)
	return dir.below(m.Tail.Name)
}

// partsRoot is what all keys begin with that belong to unfinished uploads.
func (t *Tree) partsRoot(bucket string) Key { return Key{bucket, t.prefix + partsDir + "/"} }

// partsIn is what keys begin with that belong to unfinished uploads of files in dir.
func (t *Tree) partsIn(dir Key) Key {
	if t.isRoot(dir) {
		dir.Name = strings.TrimSuffix(dir.Name, "/")
	}
	k := t.partsRoot(dir.Bucket)
	k.Name += hashOf(dir.Name) + "/"
	return k
}

// slot is where the manifest of the upload of k is that owner left.
func (t *Tree) slot(k Key, owner string) Key {
	dir, base := above(k)
	slot := t.partsIn(dir)
	slot.Name += owner + "-" + hashOf(base) + manifestSuffix
	return slot
}

func hashOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:16])
}

func newID() string {
	id := make([]byte, 8)
	_, _ = rand.Read(id) // never fails
	return hex.EncodeToString(id)
}

// manifestAt reads the manifest in a slot. One that cannot be understood is not there.
func (t *Tree) manifestAt(ctx context.Context, slot Key) (*manifest, error) {
	c, err := t.store.Open(ctx, slot, 0, -1)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	text, err := io.ReadAll(io.LimitReader(c, maxManifest))
	if err != nil {
		return nil, err
	}
	m := &manifest{}
	err = json.Unmarshal(text, m)
	m.at, m.version, m.changed = slot, c.Object.Version, c.Object.ModTime
	if m.changed.IsZero() {
		m.changed = m.Updated
	}
	k, ok := m.file()
	if err != nil || !ok || m.Format != manifestFormat || t.slot(k, m.Owner) != slot || !m.adds() {
		remote.Warn(ctx, "what describes an unfinished upload cannot be read: it is left alone", "bucket", slot.Bucket, "key", slot.Name)
		return nil, remote.ErrNotExist
	}
	t.kept.note(slot)
	return m, nil
}

// adds reports whether the lengths in the manifest agree.
func (m *manifest) adds() bool {
	size := m.Sent.Size
	if m.Tail != nil {
		size += m.Tail.Size
	}
	return size == m.Size && m.Sent.Size >= 0 && (m.Tail == nil || m.Tail.Size > 0) && (m.Sent.Size == 0 || m.Sent.State != nil)
}

// write puts the manifest in the place of the version that it has; "" is none.
func (t *Tree) write(ctx context.Context, m *manifest) error {
	m.Format, m.Updated, m.Node = manifestFormat, time.Now().UTC(), t.node
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	version, err := t.keeper.PutPlain(ctx, m.at, text, m.version)
	if err != nil {
		return err
	}
	m.version, m.changed = version, m.Updated
	t.kept.note(m.at)
	return nil
}

// putTail stores the end of an upload.
func (t *Tree) putTail(ctx context.Context, slot Key, content []byte) (*tail, error) {
	dir, base := above(slot)
	end := &tail{
		Name: strings.TrimSuffix(base, manifestSuffix) + "." + newID() + tailSuffix,
		Size: int64(len(content)), CRC32C: crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli)),
	}
	_, err := t.keeper.PutPlain(ctx, dir.below(end.Name), content, "")
	return end, err
}

// copyTail writes the first n bytes of the end of an upload to w.
func (t *Tree) copyTail(ctx context.Context, m *manifest, n int64, w io.Writer) error {
	c, err := t.store.Open(ctx, m.tailKey(), 0, n)
	if err != nil {
		return err
	}
	defer c.Close()
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	got, err := io.Copy(io.MultiWriter(w, sum), io.LimitReader(c, n))
	switch {
	case err != nil:
		return err
	case got != n:
		return io.ErrUnexpectedEOF
	case n == m.Tail.Size && sum.Sum32() != m.Tail.CRC32C:
		return remote.Final(fmt.Errorf("the end of the unfinished upload is damaged: its CRC32C is another one"))
	}
	return nil
}

// forget drops the upload that m describes. With remote.ErrChanged somebody has changed that
// meanwhile.
func (t *Tree) forget(ctx context.Context, m *manifest) error {
	err := t.store.Delete(ctx, m.at, m.version)
	if err != nil {
		return err
	}
	t.kept.gone(m.at)
	return t.dropContent(ctx, m)
}

// dropContent drops the content of the upload that m describes. m itself does not count any more.
func (t *Tree) dropContent(ctx context.Context, m *manifest) error {
	err := t.dropTail(ctx, m)
	if k, ok := m.file(); ok && m.Sent.Size > 0 {
		err = errors.Join(err, t.keeper.Forget(ctx, k, m.Sent))
	}
	return err
}

func (t *Tree) dropTail(ctx context.Context, m *manifest) error {
	if m == nil || m.Tail == nil {
		return nil
	}
	err := t.store.Delete(ctx, m.tailKey(), "")
	if errors.Is(err, remote.ErrNotExist) {
		err = nil
	}
	return err
}

// escaped returns the name of a key as the manifest has it: it may be no UTF-8.
func escaped(k Key) string { return strings.ReplaceAll(url.PathEscape(k.Name), "%2F", "/") }
