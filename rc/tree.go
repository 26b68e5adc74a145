package rc

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Tree is a tree of files over a remote, with what it remembers of it. Paths obey
// io/fs.ValidPath; "." is the root. Its methods may be called concurrently. A tree that polls is a
// Poller besides, one with a disk cache a Queuer.
type Tree interface {
	// Name says what is served, as on the command line.
	Name() string
	// Forget has the next look at the directories that hold these files, and at these directories
	// and all below them, go to the remote.
	Forget(files, dirs []string)
	// ForgetAll is Forget for everything.
	ForgetAll()
	// Refresh lists dir on the remote, and with recursive all below it, so that the next look need
	// not.
	Refresh(ctx context.Context, dir string, recursive bool) error
	Stats() TreeStats
}

// TreeStats is a snapshot of what a tree remembers.
type TreeStats struct {
	Dirs, Files int            // known without asking the remote
	InUse       int            // users of the tree
	Options     map[string]any // that it was made with
	DiskCache   map[string]any // its state; nil = there is none
}

// A Poller is a Tree that asks its remote for changes from time to time.
type Poller interface {
	// PollInterval returns errors.ErrUnsupported where the remote cannot be asked.
	PollInterval() (time.Duration, error)
	// SetPollInterval changes that; 0 is never. It returns when the change holds, or with an error
	// when ctx ends first.
	SetPollInterval(ctx context.Context, d time.Duration) error
}

// A Queuer is a Tree that uploads what it has taken in later on.
type Queuer interface {
	Queue() []Queued
	// SetExpiry changes when an upload begins: that long from now, or with relative that long after
	// the time it had. It returns fs.ErrNotExist where no such upload waits.
	SetExpiry(id int64, expiry time.Duration, relative bool) error
}

// A Queued is a file that waits to be uploaded.
type Queued struct {
	Name      string
	ID        int64
	Size      int64
	Expiry    time.Time // when its upload begins
	Tries     int       // how often that has failed
	Delay     time.Duration
	Because   string // why that has failed, as others may have for the same cause; empty = it has not
	Uploading bool
}

// A treeCall is a call about the tree that the parameter fs names.
type treeCall func(ctx context.Context, t Tree, in Params) (Params, error)

// on makes it a call. Where there is one tree it need not be named.
func (f treeCall) on(trees []Tree) func(context.Context, Params) (Params, error) {
	return func(ctx context.Context, in Params) (Params, error) {
		t, err := pick(trees, in)
		if err != nil {
			return nil, err
		}
		delete(in, "fs")
		return f(ctx, t, in)
	}
}

// pick returns the tree that in names.
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
	for i, name := range treeNames(trees) {
		if name == want {
			return trees[i], nil
		}
	}
	return nil, fmt.Errorf("no VFS found with name %q", want)
}

// treeNames returns the names of trees; where one comes more than once it gets a number behind it.
func treeNames(trees []Tree) []string {
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
