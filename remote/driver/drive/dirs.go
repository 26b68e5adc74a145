package drive

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/google"
)

const (
	// dirAge is how long it is believed which folder a path is. A change made through this remote
	// shows at once.
	dirAge = 20 * time.Second
	// mostDirs is how many paths are remembered.
	mostDirs = 50_000
)

// dirs remember which folder a path is. Methods may be called concurrently.
type dirs struct {
	alias string // of the root in requests

	mu    sync.Mutex
	root  *node  // guarded by mu, as all nodes; nil until it is known
	epoch uint64 // guarded by mu; grows when something is forgotten
	count int    // guarded by mu; nodes below the root
}

// A node is a folder.
type node struct {
	id    string
	asked time.Time
	below map[string]*node // by their names in paths
}

func newDirs(alias string) *dirs { return &dirs{alias: alias} }

// forget makes all paths be looked up again.
func (d *dirs) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.epoch++
	d.count = 0
	if d.root != nil {
		d.root.below = nil
	}
}

// forgetPath makes a path and all below it be looked up again; it begins at the root.
func (d *dirs) forgetPath(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.epoch++
	n := d.root
	for elems := strings.Split(path, "/"); n != nil; elems = elems[1:] {
		if len(elems) == 1 {
			delete(n.below, elems[0])
			return
		}
		n = n.below[elems[0]]
	}
}

// walk returns the folder that is known on the way along elems, how many of them it is, and the
// epoch of that.
func (d *dirs) walk(elems []string) (id string, known int, epoch uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.root
	for _, elem := range elems {
		next := n.below[elem]
		if next == nil || time.Since(next.asked) > dirAge {
			break
		}
		n = next
		known++
	}
	return n.id, known, d.epoch
}

// learn notes that elems lead to the folder id, as it was in an epoch.
func (d *dirs) learn(elems []string, id string, epoch uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.epoch != epoch {
		return
	}
	if d.count >= mostDirs {
		d.count, d.root.below = 0, nil
	}
	n := d.root
	last := len(elems) - 1
	for _, elem := range elems[:last] {
		if n = n.below[elem]; n == nil {
			return
		}
	}
	if n.below == nil {
		n.below = map[string]*node{}
	}
	old := n.below[elems[last]]
	switch {
	case old != nil && old.id == id:
		old.asked = time.Now()
		return
	case old == nil:
		d.count++
	}
	n.below[elems[last]] = &node{id: id, asked: time.Now()}
}

// rootID returns the id of the root folder. What else is needed for changes is fetched with it.
func (r *Remote) rootID(ctx context.Context) (string, error) {
	r.dirs.mu.Lock()
	root := r.dirs.root
	r.dirs.mu.Unlock()
	if root != nil {
		return root.id, nil
	}
	id := sharedRoot
	if !r.options.SharedWithMe {
		f, err := r.service.get(ctx, r.dirs.alias, "id")
		if err != nil {
			return "", r.noRoot(err)
		}
		id = f.ID
	}
	if !r.readOnly() {
		if err := r.ids.fill(ctx, r.service); err != nil {
			return "", err
		}
	}
	r.dirs.mu.Lock()
	defer r.dirs.mu.Unlock()
	if r.dirs.root == nil {
		r.dirs.root = &node{id: id}
	}
	return r.dirs.root.id, nil
}

// noRoot returns the error of a root that could not be looked at, which names the option that says
// where it is.
func (r *Remote) noRoot(err error) error {
	option := ""
	switch {
	case !google.HasCode(err, http.StatusNotFound):
		return err
	case r.options.RootFolderID != "":
		option = "root_folder_id"
	case r.options.TeamDrive != "":
		option = "team_drive"
	default:
		return remote.ErrNotExist
	}
	return fmt.Errorf("%w: check the option %s: nothing that this login sees has that id", remote.ErrNotExist, option)
}

// full returns the path of a name from the root.
func (r *Remote) full(name string) string {
	switch {
	case name == ".":
		return r.base
	case r.base == ".":
		return name
	}
	return r.base + "/" + name
}

// dir returns the id of the folder called name.
func (r *Remote) dir(ctx context.Context, name string) (string, error) {
	id, err := r.rootID(ctx)
	if err != nil {
		return "", err
	}
	path := r.full(name)
	if path == "." {
		return id, nil
	}
	elems := strings.Split(path, "/")
	for {
		id, known, epoch := r.dirs.walk(elems)
		if known == len(elems) {
			return id, nil
		}
		found, err := r.find(ctx, id, elems[known])
		switch {
		case errors.Is(err, remote.ErrNotExist):
			r.dirs.forgetPath(strings.Join(elems[:known+1], "/"))
			return "", err
		case google.HasCode(err, http.StatusNotFound) && known > 0: // the folder has gone
			r.dirs.forgetPath(strings.Join(elems[:known], "/"))
			continue
		case err != nil:
			return "", err
		case !found.isFolder():
			return "", remote.ErrNotDir
		}
		r.dirs.learn(elems[:known+1], found.folderID(), epoch)
		if known+1 == len(elems) {
			return found.folderID(), nil
		}
	}
}

// again calls call, and once more with what is known of paths forgotten if an id turned out to be
// wrong.
func (r *Remote) again(call func() error) error {
	err := call()
	if google.HasCode(err, http.StatusNotFound) {
		r.dirs.forget()
		err = call()
	}
	return err
}
