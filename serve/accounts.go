package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"ferry/auth"
	"ferry/ftp"
	"ferry/serve/access"
	"ferry/serve/prehooks"
	"ferry/serve/quota"
	"ferry/serve/users"
	"ferry/vfs"
)

// Accounts is the Backend of many users, each of whom sees a tree of their own. Source and Open are
// required; the fields are not changed after the first login.
type Accounts struct {
	Source Source
	// Open returns a tree, which its caller releases. auth.ErrDenied, possibly wrapped, means that
	// the remote refuses the Password.
	Open func(ctx context.Context, w Wanted) (tree *vfs.FS, release func(), err error)
	// Remote is that of users who have none of their own; "" = they cannot log in.
	Remote string
	// Quota keeps what users have who may have a limited amount; nil = nobody is limited.
	Quota *quota.Store
	Hooks *prehooks.Hooks // that are asked; nil = none
	// Elsewhere has sessions that a user's MaxSessions counts too; nil = nowhere.
	Elsewhere Elsewhere
	Log       *slog.Logger

	mu   sync.Mutex
	open map[string]*account // guarded by mu; of the users with sessions, by name
}

// Elsewhere knows the sessions of users at other nodes of the service. Its methods may be called
// concurrently, and do not wait for anything.
type Elsewhere interface {
	// Others returns how many sessions a user has at the other nodes.
	Others(user string) int
	// Count tells how many a user has here, if their number is limited, else 0.
	Count(user string, sessions int)
}

// A Source decides who a client is.
type Source interface {
	// Login returns the user whom the credentials are of. auth.ErrDenied, possibly wrapped, means
	// that they are wrong; any other error that it could not be found out.
	// A Source whose users can change meanwhile has a method Current(name string) (users.User,
	// bool) besides, which tells what holds for a name now.
	Login(ctx context.Context, l auth.Login) (users.User, error)
	// ByCertificate returns a user who needs no password but one of the certificates.
	ByCertificate(name string) (users.User, bool)
}

// Wanted says which tree is to be opened.
type Wanted struct {
	Remote   string            // as on a command line; {password} may be left in it
	User     string            // who logs in
	Password string            // of the client, if the user's Auth is AuthRemote; else ""
	Options  map[string]string // of users.OptionKeys
	Create   bool              // make the root of the remote if it is not there
}

var _ ftp.Backend = (*Accounts)(nil)

// Login finds out who the client is, whether it may log in now and from there, and opens what it
// may see.
func (a *Accounts) Login(ctx context.Context, c ftp.Client, name, password string) (ftp.FS, error) {
	u, err := a.Source.Login(ctx, auth.Login{User: name, Password: password, IP: c.Remote.Addr(), Local: c.Local.Addr(), TLS: c.TLS})
	if err != nil {
		return nil, loginError(err)
	}
	return a.enter(ctx, c, u, password)
}

var _ ftp.CertBackend = (*Accounts)(nil)

// LoginByCertificate logs in a user who has certificates and no password.
func (a *Accounts) LoginByCertificate(ctx context.Context, c ftp.Client, name string) (ftp.FS, error) {
	u, ok := a.Source.ByCertificate(name)
	if !ok || !hasCertificate(u, c.Certificates) {
		return nil, ftp.ErrDenied
	}
	return a.enter(ctx, c, u, "")
}

// loginError returns the error of a Backend for one of a Source.
func loginError(err error) error {
	switch {
	case errors.Is(err, auth.ErrUnknownUser):
		return fmt.Errorf("%w: %w", ftp.ErrUnknownUser, err)
	case errors.Is(err, auth.ErrRefused):
		return fmt.Errorf("%w: %w", ftp.ErrRefused, err)
	case errors.Is(err, auth.ErrDenied):
		return fmt.Errorf("%w: %w", ftp.ErrDenied, err)
	}
	return err
}

// enter makes the client a session of u's account, if that may log in, and opens the trees of it.
func (a *Accounts) enter(ctx context.Context, c ftp.Client, u users.User, password string) (ftp.FS, error) {
	if err := admit(u, c, time.Now()); err != nil {
		return nil, loginError(err)
	}
	s, err := a.begin(c, u)
	if err != nil {
		return nil, err
	}
	s.releases = append(s.releases, func() { a.end(s) })
	tree, err := a.tree(ctx, c, s, password)
	if err != nil {
		s.release()
		return nil, loginError(fmt.Errorf("user %q: %w", u.Name, err))
	}
	if err := a.Hooks.Login(ctx, c, u.Name); err != nil { // the remote may have looked at the password
		err = errors.Join(err, tree.Close())
		s.release()
		return nil, err
	}
	// What is checked counts as it arrives; what is asked about has the name that the answer gives.
	if tree, err = a.limit(u, a.Hooks.Check(tree, c, u.Name)); err != nil {
		s.release()
		return nil, err
	}
	tree = a.Hooks.Ask(tree, c, u.Name)
	return &view{ftp.Forward{FS: access.New(tree, u.Policy)}, s}, nil
}

// limit holds tree, or closes it with an error, to what u may store.
func (a *Accounts) limit(u users.User, tree ftp.FS) (ftp.FS, error) {
	limits := quota.Limits{Bytes: u.QuotaBytes, Files: u.QuotaFiles}
	if a.Quota == nil || limits == (quota.Limits{}) {
		return tree, nil
	}
	account, err := a.Quota.Account(u.Name, limits)
	if err != nil {
		return nil, errors.Join(err, tree.Close())
	}
	return quota.New(tree, account, a.Log), nil
}

// Tree returns what u sees, without limits and without anybody who logs in. The caller closes it.
func (a *Accounts) Tree(ctx context.Context, u users.User) (ftp.FS, error) {
	s := &session{user: &u}
	tree, err := a.tree(ctx, ftp.Client{}, s, "")
	if err != nil {
		s.release()
		return nil, err
	}
	return &view{ftp.Forward{FS: tree}, s}, nil
}

// tree opens the remote and the mounts of a user.
func (a *Accounts) tree(ctx context.Context, c ftp.Client, s *session, password string) (_ ftp.FS, err error) {
	u, base := *s.user, a.base(*s.user)
	if err := checksPassword(u, base); err != nil {
		return nil, err
	}
	var opened []ftp.FS
	defer func() {
		if err != nil {
			for _, f := range opened {
				f.Close()
			}
		}
	}()
	open := func(w Wanted) (ftp.FS, error) {
		if users.HasPassword(w.Remote) {
			w.Password = password
		}
		f, err := a.openView(ctx, c, s, w)
		if err == nil {
			opened = append(opened, f)
		}
		return f, err
	}
	if base == "" && len(u.Mounts) == 0 {
		return nil, errors.New(`no remote: set remote or mounts in the users file, or name one on the command line`)
	}
	// The root comes last: a home is not made before the mounts have looked at the password.
	var mounts []access.Mount
	for _, m := range u.Mounts {
		f, err := open(Wanted{Remote: m.Remote, Options: m.Options})
		if err != nil {
			return nil, fmt.Errorf("mount %s: %w", m.Path, err)
		}
		mounts = append(mounts, access.Mount{Path: m.Path, FS: f, ReadOnly: m.ReadOnly})
	}
	var root ftp.FS
	if base != "" {
		if root, err = open(Wanted{Remote: base, Create: u.CreateHome}); err != nil {
			return nil, err
		}
	}
	if len(u.Mounts) == 0 {
		return root, nil
	}
	return access.Join(root, mounts), nil
}

// checksPassword returns an error if nothing that u sees would look at the password that is left to
// the remote: any would be right.
func checksPassword(u users.User, base string) error {
	remotes := base
	for _, m := range u.Mounts {
		remotes += "\n" + m.Remote
	}
	if u.Auth == users.AuthRemote && !users.HasPassword(remotes) {
		return errors.New(`auth = "remote" and no remote that asks for {password}, so that every password would be right: put {user} and {password} into the options of the remote`)
	}
	return nil
}

// base returns the remote of the root of u, "" if there are only mounts.
func (a *Accounts) base(u users.User) string {
	if u.Remote == "" && len(u.Mounts) == 0 {
		return a.Remote
	}
	return u.Remote
}

// openView opens one remote of a user, which is released with the session.
func (a *Accounts) openView(ctx context.Context, c ftp.Client, s *session, w Wanted) (ftp.FS, error) {
	u := *s.user
	if !u.Literal || u.Remote == "" && len(u.Mounts) == 0 {
		var err error
		if w.Remote, err = u.Expand(w.Remote); err != nil {
			return nil, err
		}
	}
	w.User, w.Options = u.Name, merged(u.Options, w.Options)
	if u.Auth != users.AuthRemote {
		w.Password = ""
	}
	tree, release, err := a.Open(ctx, w)
	if err != nil {
		return nil, err
	}
	s.releases = append(s.releases, release)
	s.sees(tree)
	owner := u.Name
	if u.Auth == users.AuthNone {
		owner += ":" + c.Remote.Addr().Unmap().String() // strangers do not see each other's unfinished uploads
	}
	return tree.ViewFrom(owner, c.Addr().String()), nil
}

// merged returns the options of a user, with those of a mount in their place.
func merged(ofUser, ofMount map[string]string) map[string]string {
	if len(ofMount) == 0 {
		return ofUser
	}
	all := map[string]string{}
	maps.Copy(all, ofUser)
	maps.Copy(all, ofMount)
	return all
}

// Sessions returns those that see a tree.
func (a *Accounts) Sessions(tree *vfs.FS) (ids []uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, acc := range a.open {
		ids = append(ids, acc.seeing(tree)...)
	}
	return ids
}

// Reload makes f hold for the users who are logged in, and returns the sessions of those who are
// not the same in f any more: they have to end. Rates change for running transfers too.
func (a *Accounts) Reload(f *users.File) (ended []uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for name, acc := range a.open {
		u, ok := f.User(name)
		if !ok {
			u = users.User{Name: name, Disabled: true}
		}
		ended = append(ended, acc.reload(u)...)
		a.recount(acc)
	}
	return ended
}
