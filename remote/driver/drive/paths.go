package drive

import (
	"context"

	"ferry/remote"
)

// mostLevels bounds how deep a path is followed: shortcuts may lead in a circle.
const mostLevels = 40

// pathsOf returns the paths of a folder below root. Folders that are not known are asked for.
func (r *Remote) pathsOf(ctx context.Context, id, root string, levels int) ([]string, error) {
	if id == root {
		return []string{"."}, nil
	}
	if levels >= mostLevels {
		return nil, nil
	}
	p, known, shortcuts := r.seen.at(id)
	if !known {
		var err error
		if p, err = r.locate(ctx, id); err != nil {
			return nil, err
		}
	}
	paths, err := r.pathsAt(ctx, p, root, levels+1)
	for _, s := range shortcuts {
		if err != nil || len(paths) > mostLevels {
			break
		}
		p, known, _ := r.seen.at(s)
		if !known {
			continue
		}
		var more []string
		more, err = r.pathsAt(ctx, p, root, levels+1)
		paths = append(paths, more...)
	}
	return paths, err
}

// pathsAt returns the paths of what is at a place.
func (r *Remote) pathsAt(ctx context.Context, p place, root string, levels int) ([]string, error) {
	if p.folder == "" {
		return nil, nil
	}
	dirs, err := r.pathsOf(ctx, p.folder, root, levels)
	for i := range dirs {
		dirs[i] = remote.Join(dirs[i], p.name)
	}
	return dirs, err
}

// locate asks where a folder is, and remembers it.
func (r *Remote) locate(ctx context.Context, id string) (place, error) {
	f, err := r.service.get(ctx, id, "id,name,mimeType,parents,shortcutDetails(targetId,targetMimeType)")
	var p place
	switch {
	case isGone(err):
		f = &file{ID: id}
	case err != nil:
		return p, err
	default:
		p = r.placeOf(f)
	}
	r.seen.located(f, p)
	return p, nil
}

// placeOf returns the place that a file describes.
func (r *Remote) placeOf(f *file) place {
	name, omitted := r.shown(f)
	switch {
	case omitted != "":
	case len(f.Parents) > 0:
		return place{f.Parents[0], name, f.isFolder()}
	case r.options.SharedWithMe:
		return place{sharedRoot, name, f.isFolder()}
	}
	return place{}
}
