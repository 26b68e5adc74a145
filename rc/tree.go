package rc

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Tree is a tree of files over a remote, with caches. Paths obey io/fs.ValidPath; "." is the
// root. Its methods may be called concurrently. A tree that polls is also a Poller, one with a disk
// cache a Queuer.
type Tree interface {
	// Name returns the served remote, as on the command line.
	Name() string
	// Forget invalidates the directories of these files, and these directories and all below them:
	// the next access queries the remote.
	Forget(files, dirs []string)
	// ForgetAll is Forget for everything.
	ForgetAll()
	// Refresh reads dir from the remote, and with recursive everything below it, into the cache.
	Refresh(ctx context.Context, dir string, recursive bool) error
	Stats() TreeStats
}

// TreeStats is a snapshot of the caches of a tree.
type TreeStats struct {
	Dirs, Files int            // cached
	InUse       int            // users of the tree
	Options     map[string]any // of its creation
	DiskCache   map[string]any // its state; nil = none
}

// A Poller is a Tree that polls its remote for changes.
type Poller interface {
	// PollInterval returns errors.ErrUnsupported if the remote cannot be polled.
	PollInterval() (time.Duration, error)
	// SetPollInterval sets the interval; 0 is never. It returns when the change is effective, or
	// with an error if ctx ends first.
	SetPollInterval(ctx context.Context, d time.Duration) error
}

// A Queuer is a Tree that uploads accepted files later.
type Queuer interface {
	Queue() []Queued
	// SetExpiry sets when an upload begins: that long from now, or with relative that long after
	// its current time. It returns fs.ErrNotExist if there is no such pending upload.
	SetExpiry(id int64, expiry time.Duration, relative bool) error
	// SetAside gives up a pending upload of a file: its content is kept as that of a refused one.
	SetAside(id int64) error
}

// A Queued is a pending upload.
type Queued struct {
	Name      string
	ID        int64
	Size      int64
	Expiry    time.Time // when the upload begins
	Tries     int       // failed attempts
	Delay     time.Duration
	Because   string // cause of the last failure, for grouping; empty = none
	Uploading bool
}

// A treeCall is a call about the tree in the parameter fs.
type treeCall func(ctx context.Context, t Tree, in Params) (Params, error)

// Trees returns the trees that there are now.
type Trees func() []Tree

// These returns trees that are always the same.
func These(trees ...Tree) Trees { return func() []Tree { return trees } }

// on converts it to a Call. With a single tree the parameter is optional.
func (f treeCall) on(trees Trees) func(context.Context, Params) (Params, error) {
	return func(ctx context.Context, in Params) (Params, error) {
		t, err := pick(trees(), in)
		if err != nil {
			return nil, err
		}
		delete(in, "fs")
		return f(ctx, t, in)
	}
}

// pick returns the tree selected by in.
func pick(trees []Tree, in Params) (Tree, error) {
	if !in.Has("fs") {
		if len(trees) != 1 {
			return nil, fmt.Errorf("%d VFS active - need the \"fs\" parameter to choose one", len(trees))
		}
		return trees[0], nil
	}
	want, err := in.String("fs")
	if err != nil {
		return nil, err
	}
	for i, name := range TreeNames(trees) {
		if name == want {
			return trees[i], nil
		}
	}
	return nil, fmt.Errorf("no VFS found with name %q", want)
}

// TreeNames returns the names of trees as calls take them for fs, with a number appended to
// duplicates.
func TreeNames(trees []Tree) []string {
	count := map[string]int{}
	for _, t := range trees {
		count[t.Name()]++
	}
	names, seen := []string{}, map[string]int{}
	for _, t := range trees {
		name := t.Name()
		if count[name] > 1 {
			name = fmt.Sprintf("%s[%d]", name, seen[name])
			seen[t.Name()]++
		}
		names = append(names, name)
	}
	return names
}

var (
	errNoPolling = errors.New("poll-interval is not supported by this remote")
	errNoCache   = errors.New("can't call this unless using the VFS cache")
)
