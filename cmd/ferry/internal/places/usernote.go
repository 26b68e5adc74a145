package places

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
)

// userNote is the file in the directory of a disk cache that names a user who sees its remote. With
// it a start finds out whose tree must be opened for what waits there.
const userNote = "user"

// NoteUser notes in the directory of a disk cache that user sees its remote. It replaces the note
// of another user, who may not be there any more.
func NoteUser(dir, user string) error {
	name := filepath.Join(dir, userNote)
	if before, err := os.ReadFile(name); err == nil && string(before) == user+"\n" {
		return nil
	}
	next := name + ".new"
	if err := os.WriteFile(next, []byte(user+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(next, name)
}

// UsersWaiting returns the users who are noted in caches in which something waits for the remote.
func (p Dirs) UsersWaiting(log *slog.Logger) []string {
	var users []string
	for _, base := range p.All() {
		notes, err := filepath.Glob(filepath.Join(base, cachesName, "*", userNote))
		if err != nil {
			continue // never: the pattern is right
		}
		for _, note := range notes {
			dir := filepath.Dir(note)
			waiting, err := os.ReadDir(filepath.Join(dir, "dirty"))
			if err != nil || len(waiting) == 0 {
				continue
			}
			user, err := os.ReadFile(note)
			if err != nil {
				log.Warn("files wait in a disk cache, and it cannot be found out for which user", "dir", dir, "error", err)
				continue
			}
			users = append(users, string(bytes.TrimSpace(user)))
		}
	}
	return users
}
