package onedrive

import (
	"context"
	"errors"
	"net/http"

	"ferry/remote"
)

// maxDepth is how deep a path is followed up; the service has no deeper ones.
const maxDepth = 200

// errOutside says that something is not below the root of the remote.
var errOutside = errors.New("it is not part of the remote")

// changes returns what the items of a feed mean, which names ids alone: what was known of them is
// the old name, and the folders above are looked up for the new one.
func (f *feed) changes(ctx context.Context, items []*item) (all []remote.Change, err error) {
	known := f.remote.known
	olds := map[string][]string{}
	for _, i := range items {
		if i == nil || i.ID == "" || i.ID == f.root || i.Root != nil {
			continue
		}
		olds[i.ID] = known.all(i.ID)
		if i.isDir() || i.Deleted != nil {
			known.forget(i.ID) // and those below it, which may be somewhere else now
		}
	}
	for _, i := range items {
		if i == nil || i.ID == "" || i.ID == f.root || i.Root != nil {
			continue
		}
		if i.Deleted != nil {
			all, err = f.removed(ctx, i, olds[i.ID], all)
		} else {
			all, err = f.changed(ctx, i, olds[i.ID], all)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// removed adds the change of an item that is gone. Of some the service tells the folder alone.
func (f *feed) removed(ctx context.Context, i *item, olds []string, all []remote.Change) ([]remote.Change, error) {
	dirs := i.File == nil // of what is gone it does not always say what it was
	for _, old := range olds {
		all = append(all, remote.Change{Name: old, Dir: dirs, Below: dirs})
	}
	if len(olds) > 0 {
		return all, nil
	}
	dir, err := f.path(ctx, i.Parent.ID, 0)
	switch {
	case errors.Is(err, errOutside), errors.Is(err, remote.ErrNotExist): // which goes with its folder
		return all, nil
	case err != nil:
		return nil, err
	case i.Name == "":
		return append(all, remote.Change{Name: dir, Dir: true, Below: true}), nil
	}
	base := f.remote.opt.Encoding.Decode(i.Name)
	if replaced, ok := asideFrom(base); ok {
		base = replaced
	}
	return append(all, remote.Change{Name: remote.Join(dir, base), Dir: dirs, Below: dirs}), nil
}

// changed adds the changes of an item that is there: under the old name, if it has moved, and under
// its own.
func (f *feed) changed(ctx context.Context, i *item, olds []string, all []remote.Change) ([]remote.Change, error) {
	dir, err := f.path(ctx, i.Parent.ID, 0)
	outside := errors.Is(err, errOutside) || errors.Is(err, remote.ErrNotExist)
	if err != nil && !outside {
		return nil, err
	}
	base := f.remote.opt.Encoding.Decode(i.Name)
	replaced, aside := asideFrom(base)
	if aside {
		base = replaced // which may be missing
	}
	name := remote.Join(dir, base)
	for _, old := range olds {
		if outside || name != old {
			all = append(all, remote.Change{Name: old, Dir: i.isDir(), Below: i.isDir()})
		}
	}
	if outside || !remote.ValidName(base) {
		return all, nil
	}
	c := remote.Change{Name: name, Dir: i.isDir()}
	if c.Dir {
		c.Below = len(olds) != 1 || name != olds[0]
		f.remote.mounts.forget(name)
	} else if !aside {
		c.Version = i.content().CTag
	}
	f.remote.known.saw(i.ID, name)
	return append(all, c), nil
}

// path returns the path of a folder by its id.
func (f *feed) path(ctx context.Context, id string, depth int) (string, error) {
	if id == f.root {
		return ".", nil
	}
	if name, ok := f.remote.known.name(id); ok {
		return name, nil
	}
	if id == "" || depth > maxDepth {
		return "", errOutside
	}
	var i item
	at := ref{f.remote.drive, id}
	err := f.remote.api.do(ctx, call{method: http.MethodGet, to: at.address(), query: "%24select=id,name,root,parentReference"}, &i)
	if err != nil {
		return "", err
	}
	if i.Root != nil || i.Parent.ID == "" {
		return "", errOutside
	}
	dir, err := f.path(ctx, i.Parent.ID, depth+1)
	if err != nil {
		return "", err
	}
	name := remote.Join(dir, f.remote.opt.Encoding.Decode(i.Name))
	f.remote.known.saw(id, name)
	return name, nil
}
