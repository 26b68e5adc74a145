package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/count"
	"ferry/remote/local"
	"ferry/remote/memory"
)

const remoteRemedy = "give a directory (., /srv/ftp), :local:/path or :memory:"

// openRemote opens what the command line names, with its decorators, and makes sure that it is a directory.
func (o *options) openRemote(ctx context.Context, what string, log *slog.Logger) (remote.Remote, *count.Remote, error) {
	spec, err := config.ParseRemote(what)
	if err != nil {
		return nil, nil, usagef("remote %w", err)
	}
	if spec.Name != "" {
		return nil, nil, usagef("%q is the name of a remote in a configuration file, which ferry does not read yet: %s", spec.Name, remoteRemedy)
	}
	driver, err := o.newRemote(spec)
	if err != nil {
		return nil, nil, explainRoot(what, err)
	}
	r, counts := o.newChain(driver, log)
	root, err := r.Stat(ctx, ".")
	if err == nil && !root.Dir {
		err = remote.ErrNotDir
	}
	if err != nil {
		r.Close()
		return nil, nil, explainRoot(what, err)
	}
	return r, counts, nil
}

func (o *options) newRemote(spec config.Remote) (remote.Remote, error) {
	for key := range spec.Params {
		return nil, usagef("remotes have no options yet, so %q cannot be set: see the flags instead (--copy-links)", key)
	}
	switch {
	case spec.Type == config.LocalType:
		if info, err := os.Stat(spec.Path); err == nil && !info.IsDir() {
			return nil, remote.ErrNotDir
		}
		return local.New(spec.Path, local.Options{CopyLinks: o.copyLinks, PartMaxAge: unlimited(o.partialMaxAge)})
	case spec.Type == "memory" && spec.Path == "":
		return memory.New(), nil
	case spec.Type == "memory":
		return nil, usagef(":memory: is empty at first and has no path %q: leave it out", spec.Path)
	}
	return nil, usagef("there is no remote of type %q yet: %s", spec.Type, remoteRemedy)
}

// explainRoot says what is wrong with the directory to be served.
func explainRoot(what string, err error) error {
	switch {
	case errors.As(err, new(usageError)):
		return err
	case errors.Is(err, remote.ErrNotExist):
		return fmt.Errorf("%q: there is no such directory: create it, or correct the path", what)
	case errors.Is(err, remote.ErrNotDir):
		return fmt.Errorf("%q is not a directory: give the directory that holds it", what)
	case errors.Is(err, remote.ErrPermission):
		return fmt.Errorf("%q: permission denied: run ferry as a user who may read it, or give another directory", what)
	}
	return fmt.Errorf("%q: %w", what, err)
}
