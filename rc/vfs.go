package rc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
)

const fsHelp = "\n- fs - the name of the VFS (see vfs/list), where there is more than one"

// VFSCalls are the calls about trees of files.
func VFSCalls(trees Trees) []Call {
	return []Call{
		{Path: "vfs/list", Title: "List the VFSes.", Access: Open,
			Run:  func(context.Context, Params) (Params, error) { return Params{"vfses": TreeNames(trees())}, nil },
			Help: "Returns:\n\n- vfses - their names, which the other calls take as fs"},
		{Path: "vfs/stats", Title: "Show what a VFS remembers.", Access: Open, Run: treeCall(treeStats).on(trees),
			Help: "Parameters:\n" + fsHelp + "\n\nReturns:\n\n- fs, inUse\n- metadataCache - the number of dirs and files that are known\n" +
				"- diskCache - only with a disk cache\n- opt - the options"},
		{Path: "vfs/forget", Title: "Forget files or directories in the directory cache.", Access: LocalOnly, Run: treeCall(forget).on(trees),
			Help: "Without parameters everything is forgotten.\n\nParameters:\n" + fsHelp +
				"\n- file, file2, fileX - a file: the directory that holds it is looked at again\n" +
				"- dir, dir2, dirX - a directory: it and all below it are looked at again\n\nReturns:\n\n- forgotten - the paths"},
		{Path: "vfs/refresh", Title: "Fill the directory cache.", Access: LocalOnly, Run: treeCall(refresh).on(trees),
			Help: "Parameters:\n" + fsHelp + "\n- dir, dir2, dirX - directories to list; without them the root\n" +
				"- recursive=true - also all below them\n\nReturns:\n\n- result - OK or an error for each path"},
		{Path: "vfs/poll-interval", Title: "Show or set how often the remote is asked for changes.", Access: LocalOnly, Run: treeCall(pollInterval).on(trees),
			Help: "Parameters:\n" + fsHelp + "\n- interval - the new interval; 0 is never\n- timeout - how long to wait until it holds (10s); 0 is for ever\n\nReturns:\n\n" +
				"- enabled, supported\n- interval - raw (nanoseconds), seconds, string\n- timeout - the change does not hold yet"},
		{Path: "vfs/queue", Title: "Show what waits to be uploaded.", Access: Open, Run: treeCall(queue).on(trees),
			Help: "Parameters:\n" + fsHelp + "\n\nReturns:\n\n- queue - each with name, id, size, expiry (seconds until it is uploaded), tries, delay (seconds), uploading, " +
				"and while it waits for trouble to pass waitingBecause\n\n" +
				"Without a disk cache it returns nothing."},
		{Path: "vfs/flush", Title: "Upload what waits, and wait for it.", Access: LocalOnly, Run: treeCall(flush).on(trees),
			Help: "Parameters:\n" + fsHelp + "\n- path - a file, or a directory with all below it; without it everything"},
		{Path: "vfs/queue-set-expiry", Title: "Set when an upload begins.", Access: LocalOnly, Run: treeCall(setExpiry).on(trees),
			Help: "Parameters:\n" + fsHelp + "\n- id - of an upload in vfs/queue\n- expiry - seconds from now\n- relative=true - seconds after the time it had"},
		{Path: "vfs/queue-set-aside", Title: "Give up the upload of a file.", Run: treeCall(setAside).on(trees),
			Help: "Its content is kept: it is listed by cache/ls, from where it can be tried again, written to a file, or dropped.\n\n" +
				"Parameters:\n" + fsHelp + "\n- id - of an upload in vfs/queue"},
	}
}

func treeStats(_ context.Context, t Tree, in Params) (Params, error) {
	s := t.Stats()
	out := Params{
		"fs": t.Name(), "inUse": s.InUse, "metadataCache": Params{"dirs": s.Dirs, "files": s.Files}, "opt": s.Options,
	}
	if s.DiskCache != nil {
		out["diskCache"] = s.DiskCache
	}
	return out, nil
}

// forget returns the paths as they were given, cached or not.
func forget(_ context.Context, t Tree, in Params) (Params, error) {
	var files, dirs []string
	forgotten := []string{}
	for _, key := range slices.Sorted(maps.Keys(in)) {
		text, err := pathParam(in, key)
		if err != nil {
			return nil, err
		}
		switch {
		case strings.HasPrefix(key, "file"):
			files = append(files, text)
		case strings.HasPrefix(key, "dir"):
			dirs = append(dirs, text)
		default:
			return nil, fmt.Errorf("unknown key %q", key)
		}
		forgotten = append(forgotten, text)
	}
	if len(forgotten) == 0 {
		t.ForgetAll()
	} else {
		t.Forget(validPaths(files), validPaths(dirs))
	}
	return Params{"forgotten": forgotten}, nil
}

// refresh returns the result for each directory: a failure does not prevent the others from being
// read.
func refresh(ctx context.Context, t Tree, in Params) (Params, error) {
	recursive, dirs := false, []string{}
	for _, key := range slices.Sorted(maps.Keys(in)) {
		text, err := pathParam(in, key)
		switch {
		case err != nil:
			return nil, err
		case strings.HasPrefix(key, "dir"):
			dirs = append(dirs, text)
		case key != "recursive":
			return nil, fmt.Errorf("unknown key %q", key)
		default:
			if recursive, err = strconv.ParseBool(text); err != nil {
				return nil, fmt.Errorf("invalid value %q=%s", key, text)
			}
		}
	}
	if len(dirs) == 0 {
		dirs = []string{""}
	}
	result := Params{}
	for _, dir := range dirs {
		result[dir] = refreshOne(ctx, t, dir, recursive)
	}
	return Params{"result": result}, nil
}

func refreshOne(ctx context.Context, t Tree, dir string, recursive bool) string {
	name, ok := validPath(dir)
	if !ok {
		return fs.ErrInvalid.Error()
	}
	err := t.Refresh(ctx, name, recursive)
	for _, known := range []error{fs.ErrNotExist, fs.ErrInvalid, fs.ErrPermission} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	if err != nil {
		return err.Error()
	}
	return "OK"
}
