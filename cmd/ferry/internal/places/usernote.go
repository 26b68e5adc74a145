package places

import (
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// userNote is the file in the directory of a disk cache that says who sees its remote. With it a
// start finds out what must be opened for what waits there. Its lines are the user, the remote if
// there is no secret in it, and the options of its tree, as key=value.
const userNote = "user"

// A Note says who sees the remote of a disk cache, and how.
type Note struct {
	Dir     string            // of the cache
	User    string            // "" = it is that of the command line
	Remote  string            // as it was opened; "" if it is not known
	Options map[string]string // of the tree
}

// Write makes n the note of its cache. It replaces that of another user, who may not be there any
// more.
func (n Note) Write() error {
	lines := []string{n.User, n.Remote}
	for _, key := range slices.Sorted(maps.Keys(n.Options)) {
		lines = append(lines, key+"="+n.Options[key])
	}
	text := strings.Join(lines, "\n") + "\n"
	name := filepath.Join(n.Dir, userNote)
	if before, err := os.ReadFile(name); err == nil && string(before) == text {
		return nil
	}
	next := name + ".new"
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(next, name)
}

// ReadNote reads the note of a cache.
func ReadNote(dir string) (Note, error) {
	text, err := os.ReadFile(filepath.Join(dir, userNote))
	if err != nil {
		return Note{}, err
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	n := Note{Dir: dir, User: strings.TrimSpace(lines[0])}
	if len(lines) > 1 {
		n.Remote = lines[1]
	}
	for _, line := range lines[min(2, len(lines)):] {
		if key, value, is := strings.Cut(line, "="); is {
			if n.Options == nil {
				n.Options = map[string]string{}
			}
			n.Options[key] = value
		}
	}
	return n, nil
}

// Waiting returns the notes of caches in which something waits for the remote, but not of those
// that are open.
func (p Dirs) Waiting(isOpen func(dir string) bool, log *slog.Logger) []Note {
	var all []Note
	for _, base := range p.All() {
		notes, err := filepath.Glob(filepath.Join(base, cachesName, "*", userNote))
		if err != nil {
			continue // never: the pattern is right
		}
		for _, note := range notes {
			dir := filepath.Dir(note)
			if isOpen(dir) || !hasEntries(filepath.Join(dir, "dirty")) {
				continue
			}
			n, err := ReadNote(dir)
			if err != nil {
				log.Warn("files wait in a disk cache, and it cannot be found out for which user", "dir", dir, "error", err)
				continue
			}
			if n.User != "" { // else it is for whoever serves that remote again
				all = append(all, n)
			}
		}
	}
	return all
}

// hasEntries reports whether there is something in a directory, which may have very much.
func hasEntries(dir string) bool {
	d, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer d.Close()
	names, err := d.Readdirnames(1)
	return err != io.EOF && len(names) > 0
}
