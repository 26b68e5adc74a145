package serve

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"ferry/auth"
	"ferry/serve/users"
)

// FileSource is the Source of a users file, which can be replaced at any time.
type FileSource struct {
	verifier *auth.Verifier
	file     atomic.Pointer[users.File]
}

var _ Source = (*FileSource)(nil)

// NewFileSource returns the Source of f. Passwords are checked by v, which is for this file alone.
func NewFileSource(f *users.File, v *auth.Verifier) *FileSource {
	s := &FileSource{verifier: v}
	s.Replace(f)
	return s
}

// Replace makes f hold from the next login on.
func (s *FileSource) Replace(f *users.File) {
	var all [][]string
	now := time.Now()
	for _, name := range f.Names() {
		u, _ := f.User(name)
		if hashes := u.Hashes(now); len(hashes) > 0 {
			all = append(all, hashes)
		}
	}
	s.verifier.SetDecoys(all)
	s.file.Store(f)
}

// File returns the file that holds.
func (s *FileSource) File() *users.File { return s.file.Load() }

// Login takes as long for a user who is not in the file as for a wrong password. The password of a
// user with AuthRemote is not looked at.
func (s *FileSource) Login(ctx context.Context, l auth.Login) (users.User, error) {
	u, ok := s.File().User(l.User)
	switch {
	case ok && u.Auth == users.AuthNone:
		return u, nil
	case ok && u.Auth == users.AuthRemote && l.Password != "":
		return u, nil
	}
	var hashes []string
	if ok {
		hashes = u.Hashes(time.Now())
	}
	right, err := s.verifier.Verify(ctx, l.User, l.Password, hashes)
	switch {
	case err != nil:
		return users.User{}, err
	case !ok:
		return users.User{}, auth.ErrUnknownUser
	case !right && len(hashes) == 0:
		return users.User{}, fmt.Errorf("%w: the user has no password that counts", auth.ErrDenied)
	case !right:
		return users.User{}, fmt.Errorf("%w: the password is wrong", auth.ErrDenied)
	}
	return u, nil
}

// Current returns the user of that name in the file that holds.
func (s *FileSource) Current(name string) (users.User, bool) { return s.File().User(name) }

// ByCertificate returns a user of the file with certificates and no password.
func (s *FileSource) ByCertificate(name string) (users.User, bool) {
	u, ok := s.File().User(name)
	if !ok || len(u.ClientCerts) == 0 || len(u.Passwords) > 0 || u.Auth != users.AuthHash {
		return users.User{}, false
	}
	return u, true
}
