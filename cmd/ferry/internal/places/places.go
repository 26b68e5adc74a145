// Package places knows where ferry keeps files on this machine: what waits to be sent and caches,
// which cache.go opens, and the key of a self-signed certificate.
package places

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"

	"ferry/cmd/ferry/internal/logging"
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

// Dirs are the directories that ferry keeps files in. What waits to be sent, and the key, are
// state: they are in a directory that nothing clears.
type Dirs struct {
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

// ErrNone says that there is no directory that outlives a restart.
var ErrNone = errors.New("there is no directory to keep it in: neither HOME nor STATE_DIRECTORY is set: " +
	"name one with --cache-dir, or set StateDirectory=ferry in the unit")

// Of returns the directories for a --cache-dir, which may be empty.
func Of(given string, environ []string) Dirs {
	env := config.ParseEnviron(environ)
	return of(given, env, host{
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

func of(given string, env config.Environ, h host) Dirs {
	if given != "" {
		return Dirs{given: true, state: given, cache: given}
	}
	var p Dirs
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

// All returns every directory that may hold a store, the one for new ones first. Of the old ones
// those of other users are left out: anybody can make a directory for temporary files.
func (p Dirs) All() []string {
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

// Store returns the directory of the disk cache of the remote that info describes: where there is
// one already, else in the state. A remote that is only read has nothing to send: what it keeps is
// a cache.
func (p Dirs) Store(info remote.Info, readOnly bool) (string, error) {
	look := append([]string{p.state}, p.old...)
	for _, base := range look {
		if base == "" {
			continue
		}
		dir := CacheDir(base, info)
		if _, err := os.Lstat(dir); err != nil {
			continue
		}
		if base != p.state && p.Check(dir) != nil {
			continue // somebody else's
		}
		return dir, nil
	}
	base := p.state
	if readOnly {
		base = p.cache
	}
	if base == "" {
		return "", ErrNone
	}
	return CacheDir(base, info), nil
}

// Key returns the directory of the self-signed certificate.
func (p Dirs) Key() (string, error) {
	if p.state == "" {
		return "", ErrNone
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

// ACME returns the directory of certificates that an authority has given, and of their keys.
func (p Dirs) ACME() (string, error) {
	if p.state == "" {
		return "", ErrNone
	}
	return filepath.Join(p.state, "acme"), nil
}

// KnownHosts is the file for the keys of SSH hosts that were believed when they were first seen.
func (p Dirs) KnownHosts() string { return p.trusted("known_hosts") }

// Mounts is the directory of the mount points that served local directories were on.
func (p Dirs) Mounts() string { return p.trusted("mounts") }

// Quota returns the directory in which it is kept what users have stored, "" if there is none.
func (p Dirs) Quota() string { return p.trusted("quota") }

// Checks returns the directory for uploads that are checked, "" if there is none.
func (p Dirs) Checks() string { return p.trusted("check") }

// Hooks returns the directory of the outbox of hooks, "" if there is none.
func (p Dirs) Hooks() string { return p.trusted("hooks") }

// Bans is the file of the addresses that are kept away.
func (p Dirs) Bans() string { return p.trusted("bans.json") }

// Traffic is the file of the throughput of the last day.
func (p Dirs) Traffic() string { return p.trusted("traffic.json") }

// trusted returns the path of something in the state, "" when there is no place for it that nobody
// else can write to.
func (p Dirs) trusted(name string) string {
	if p.state == "" || !p.given && checkPrivate(p.state) != nil {
		return ""
	}
	return filepath.Join(p.state, name)
}

// Check refuses a directory of this process, and the ones above it up to the base, that others own
// or may write to. What does not exist yet is made for its owner alone.
func (p Dirs) Check(dir string) error {
	for _, base := range p.All() {
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

// CheckKey refuses a file that others own, or may read or write.
func CheckKey(name string) error {
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

// checkPrivate refuses a directory that another user owns or that others may write to. One that is
// missing is fine.
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

// Tell logs where something durable is kept: at the default level, because whoever clears the
// directory loses it.
func (p Dirs) Tell(log *slog.Logger, dir string) {
	for _, base := range p.old {
		rel, err := filepath.Rel(base, dir)
		if base == p.state || err != nil || !filepath.IsLocal(rel) {
			continue
		}
		to := filepath.Join(p.state, rel)
		if p.state == "" {
			to = "a directory that nothing clears, for --cache-dir"
		}
		log.Warn("what waits to be sent is kept where an earlier ferry kept it; stop ferry and move the directory", "dir", dir, "to", to)
		return
	}
	log.Log(context.Background(), logging.Notice, "what waits to be sent is kept on this disk", "dir", dir)
}
