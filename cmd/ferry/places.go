package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"

	"ferry/config"
	"ferry/remote"
)

// The directories of a system service that runs as root and is told no others.
const (
	systemState = "/var/lib/ferry"
	systemCache = "/var/cache/ferry"
)

// tlsName is the directory of the self-signed certificate.
const tlsName = "tls"

// places are the directories that ferry keeps files in. What waits to be sent, and the key, are state: they are in a
// directory that nothing clears.
type places struct {
	given bool     // the user has named the directory: it is both
	state string   // "" = there is none
	cache string   // for what can be fetched again; "" = there is none
	old   []string // where earlier versions kept what these would keep now; a store that is there is used on
}

// A host is what the places depend on beside the environment.
type host struct {
	root    bool   // the process may do anything
	windows bool   // or another system whose directories have no fixed names
	temp    string // for temporary files
	user    string // the user's cache directory, "" = there is none
}

// errNoPlace says that there is no directory that outlives a restart.
var errNoPlace = errors.New("there is no directory to keep it in: neither HOME nor STATE_DIRECTORY is set: " +
	"name one with --cache-dir, or set StateDirectory=ferry in the unit")

// places returns the directories for a --cache-dir, which may be empty.
func (p process) places(given string) places {
	env := config.ParseEnviron(p.env)
	return placesOf(given, env, host{
		root: os.Geteuid() == 0, windows: runtime.GOOS == "windows", temp: os.TempDir(), user: userCache(env),
	})
}

// userCache is where the user's caches are, "" without HOME.
func userCache(env config.Environ) string {
	switch {
	case runtime.GOOS == "windows":
		return env["LocalAppData"]
	case runtime.GOOS == "darwin" && env["HOME"] != "":
		return filepath.Join(env["HOME"], "Library", "Caches")
	case filepath.IsAbs(env["XDG_CACHE_HOME"]):
		return env["XDG_CACHE_HOME"]
	case env["HOME"] != "":
		return filepath.Join(env["HOME"], ".cache")
	}
	return ""
}

func placesOf(given string, env config.Environ, h host) places {
	if given != "" {
		return places{given: true, state: given, cache: given}
	}
	var p places
	if h.user != "" {
		p.state = filepath.Join(h.user, "ferry")
		p.cache = p.state
		p.old = append(p.old, p.state)
	} else if h.root && !h.windows {
		p.state, p.cache = systemState, systemCache
	}
	// A service manager that has made directories means them, whoever the user is.
	if list := filepath.SplitList(env["STATE_DIRECTORY"]); len(list) > 0 {
		p.state = list[0]
	}
	if list := filepath.SplitList(env["CACHE_DIRECTORY"]); len(list) > 0 {
		p.cache = list[0]
	}
	p.old = append(p.old, filepath.Join(h.temp, "ferry"))
	return p
}

// all returns every directory that may hold a store, the one for new ones first. Of the old ones those of other users are
// left out: anybody can make a directory for temporary files.
func (p places) all() []string {
	var all []string
	seen := map[string]bool{"": true}
	for i, dir := range append([]string{p.state, p.cache}, p.old...) {
		if !seen[dir] && (i < 2 || checkPrivate(dir) == nil) {
			seen[dir] = true
			all = append(all, dir)
		}
	}
	return all
}

// store returns the directory of the disk cache of the remote that info describes: where there is one already, else in
// the state. A remote that is only read has nothing to send: what it keeps is a cache.
func (p places) store(info remote.Info, readOnly bool) (string, error) {
	look := append([]string{p.state}, p.old...)
	for _, base := range look {
		if base == "" {
			continue
		}
		dir := cacheDirOf(base, info)
		if _, err := os.Lstat(dir); err != nil {
			continue
		}
		if base != p.state && p.check(dir) != nil {
			continue // somebody else's
		}
		return dir, nil
	}
	base := p.state
	if readOnly {
		base = p.cache
	}
	if base == "" {
		return "", errNoPlace
	}
	return cacheDirOf(base, info), nil
}

// key returns the directory of the self-signed certificate.
func (p places) key() (string, error) {
	if p.state == "" {
		return "", errNoPlace
	}
	dir := filepath.Join(p.state, tlsName)
	if _, err := os.Lstat(dir); err == nil || p.given || len(p.old) < 2 {
		return dir, nil
	}
	// Clients know the certificate that they have seen.
	if before := filepath.Join(p.old[0], tlsName); checkPrivate(before) == nil {
		if _, err := os.Lstat(before); err == nil {
			return before, nil
		}
	}
	return dir, nil
}

// knownHosts is the file for the keys of SSH hosts that were believed when they were first seen.
func (p places) knownHosts() string { return p.trusted("known_hosts") }

// mounts is the directory of the mount points that served local directories were on.
func (p places) mounts() string { return p.trusted("mounts") }

// trusted returns the path of something in the state, "" when there is no place for it that nobody
// else can write to.
func (p places) trusted(name string) string {
	if p.state == "" || !p.given && checkPrivate(p.state) != nil {
		return ""
	}
	return filepath.Join(p.state, name)
}

// check refuses a directory of this process, and the ones above it up to the base, that others own or may write to. What
// does not exist yet is made for its owner alone.
func (p places) check(dir string) error {
	for _, base := range p.all() {
		rel, err := filepath.Rel(base, dir)
		if err != nil || !filepath.IsLocal(rel) {
			continue
		}
		if !p.given {
			if err := checkPrivate(base); err != nil {
				return err
			}
		}
		for ; dir != base; dir = filepath.Dir(dir) {
			if err := checkPrivate(dir); err != nil {
				return err
			}
		}
		return nil
	}
	return checkPrivate(dir)
}

// checkKey refuses a file that others own, or may read or write.
func checkKey(name string) error {
	info, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := checkOwner(name, info); err != nil {
		return err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("others may read %s (mode %04o): remove it, and a new key is made", name, info.Mode().Perm())
	}
	return nil
}

// checkPrivate refuses a directory that another user owns or that others may write to. One that is missing is fine.
func checkPrivate(dir string) error {
	info, err := os.Lstat(dir)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		if err := checkOwner(dir, info); err != nil {
			return err
		}
		info, err = os.Stat(dir)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: choose another directory with --cache-dir", err)
	}
	if err := checkOwner(dir, info); err != nil {
		return err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("others may write to %s (mode %04o): see what they have put there, then chmod go-w it, "+
			"or choose another directory with --cache-dir", dir, info.Mode().Perm())
	}
	return nil
}

// tell logs where something durable is kept: at the default level, because whoever clears the directory loses it.
func (p places) tell(log *slog.Logger, dir string) {
	for _, base := range p.old {
		rel, err := filepath.Rel(base, dir)
		if base == p.state || err != nil || !filepath.IsLocal(rel) {
			continue
		}
		to := filepath.Join(p.state, rel)
		if p.state == "" {
			to = "a directory that nothing clears, for --cache-dir"
		}
		log.Warn("What waits to be sent is kept where an earlier ferry kept it; stop ferry and move the directory", "dir", dir, "to", to)
		return
	}
	log.Log(context.Background(), levelNotice, "What waits to be sent is kept on this disk", "dir", dir)
}
