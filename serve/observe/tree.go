package observe

import (
	"context"
	"io"
	"io/fs"
	"net/netip"
	"sync"
	"time"

	"ferry/auth"
	"ferry/events"
	"ferry/ftp"
)

// Backend returns under with trees whose changes carry their events.Origin, and whose renames are
// prepared in stream. If under knows clients by their certificates, so does what is returned.
func Backend(under ftp.Backend, stream *events.Stream) ftp.Backend {
	b := backend{under, stream}
	if c, able := under.(ftp.CertBackend); able {
		return certBackend{b, c}
	}
	return b
}

type backend struct {
	under  ftp.Backend
	stream *events.Stream
}

// Login implements ftp.Backend.
func (b backend) Login(ctx context.Context, c ftp.Client, user, password string) (ftp.FS, error) {
	ctx, remembered := auth.WithRecall(ctx)
	f, err := b.under.Login(ctx, c, user, password)
	return b.observed(f, remembered(), err)
}

type certBackend struct {
	backend
	certs ftp.CertBackend
}

// LoginByCertificate implements ftp.CertBackend.
func (b certBackend) LoginByCertificate(ctx context.Context, c ftp.Client, user string) (ftp.FS, error) {
	f, err := b.certs.LoginByCertificate(ctx, c, user)
	return b.observed(f, false, err)
}

func (b backend) observed(f ftp.FS, remembered bool, err error) (ftp.FS, error) {
	if err != nil {
		return nil, err
	}
	return &tree{Forward: ftp.Forward{FS: f}, stream: b.stream, remembered: remembered}, nil
}

// A tree is what a client sees, with its name in what it changes.
type tree struct {
	ftp.Forward
	stream     *events.Stream
	remembered bool // the password was right a short time ago

	mu      sync.Mutex
	from    who    // guarded by mu
	renamed string // guarded by mu; ID of the rename that was prepared and has been made
}

// who is a client. There is one for each session, idle or not, so it is small.
type who struct {
	session      uint64
	user, client string
	address      netip.AddrPort
	tls          uint16
}

// A Sourced tree says what knew the user whom it is for.
type Sourced interface{ Source() string }

// source returns what knew the user, or otherwise.
func (t *tree) source(otherwise string) string {
	if s, says := t.FS.(Sourced); says && s.Source() != "" {
		return s.Source()
	}
	return otherwise
}

// began notes who the client is.
func (t *tree) began(w ftp.Who) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.from = who{session: w.Session, user: w.User, client: w.Client, address: w.Remote, tls: w.TLS}
}

// origin returns that of a change of name.
func (t *tree) origin(name string) events.Origin {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	return events.Origin{
		ID: events.NewID(now), Session: t.from.session, User: t.from.user, Address: t.from.address,
		TLS: ftp.TLSVersion(t.from.tls), Client: t.from.client, Path: absolute(name), Time: now,
	}
}

// in returns the context of a change of name.
func (t *tree) in(ctx context.Context, name string) context.Context {
	return events.WithOrigin(ctx, t.origin(name))
}

func absolute(name string) string {
	if name == "." {
		return "/"
	}
	return "/" + name
}

// Create implements ftp.FS.
func (t *tree) Create(ctx context.Context, name string, off int64) (ftp.Upload, error) {
	o := t.origin(name)
	up, err := t.FS.Create(events.WithOrigin(ctx, o), name, off)
	if err != nil {
		return nil, err
	}
	return observedUpload(up, o), nil
}

// CreateNew implements ftp.Keeper.
func (t *tree) CreateNew(ctx context.Context, name string, off int64, alone bool) (ftp.Upload, error) {
	o := t.origin(name)
	up, err := t.Forward.CreateNew(events.WithOrigin(ctx, o), name, off, alone)
	if err != nil {
		return nil, err
	}
	return observedUpload(up, o), nil
}

// Remove implements ftp.FS.
func (t *tree) Remove(ctx context.Context, name string) error {
	return t.FS.Remove(t.in(ctx, name), name)
}

// Rename implements ftp.FS.
func (t *tree) Rename(ctx context.Context, from, to string) error {
	return t.renaming(ctx, from, to, func(ctx context.Context) error { return t.FS.Rename(ctx, from, to) })
}

// RenameNew implements ftp.Keeper.
func (t *tree) RenameNew(ctx context.Context, from, to string, alone bool) error {
	return t.renaming(ctx, from, to, func(ctx context.Context) error { return t.Forward.RenameNew(ctx, from, to, alone) })
}

// RenameBeside implements ftp.Placer.
func (t *tree) RenameBeside(ctx context.Context, from, to string) (name string, err error) {
	err = t.renaming(ctx, from, to, func(ctx context.Context) (err error) {
		name, err = t.Forward.RenameBeside(ctx, from, to)
		return err
	})
	return name, err
}

// renaming prepares a rename, so that whoever follows names knows of it even if the process is
// killed before it is recorded, and makes it.
func (t *tree) renaming(ctx context.Context, from, to string, do func(context.Context) error) error {
	o := t.origin(to)
	e := &events.Event{
		Kind: events.Rename, ID: o.ID, Time: o.Time, Session: o.Session, User: o.User, Address: o.Address, TLS: o.TLS,
		Client: o.Client, Path: absolute(from), To: absolute(to),
	}
	if err := t.stream.Prepare(ctx, e); err != nil {
		return err
	}
	err := do(events.WithOrigin(ctx, o))
	if err != nil {
		t.stream.Withdraw(context.WithoutCancel(ctx), e)
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.renamed = e.ID
	return nil
}

// takeRenamed returns the ID of the rename that was just made; "" if it was not prepared.
func (t *tree) takeRenamed() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	id := t.renamed
	t.renamed = ""
	return id
}

// Mkdir implements ftp.FS.
func (t *tree) Mkdir(ctx context.Context, dir string) error { return t.FS.Mkdir(t.in(ctx, dir), dir) }

// Rmdir implements ftp.FS.
func (t *tree) Rmdir(ctx context.Context, dir string) error { return t.FS.Rmdir(t.in(ctx, dir), dir) }

// SetModTime implements ftp.ModTimer.
func (t *tree) SetModTime(ctx context.Context, name string, when time.Time) error {
	return t.Forward.SetModTime(t.in(ctx, name), name, when)
}

// SetMode implements ftp.Moder.
func (t *tree) SetMode(ctx context.Context, name string, perm fs.FileMode) error {
	return t.Forward.SetMode(t.in(ctx, name), name, perm)
}

// An upload is one whose Commit carries its Origin.
type upload struct {
	ftp.Upload
	origin events.Origin
}

// uploadFrom is an upload that is an io.ReaderFrom.
type uploadFrom struct {
	*upload
	io.ReaderFrom
}

func observedUpload(up ftp.Upload, o events.Origin) ftp.Upload {
	u := &upload{up, o}
	if from, able := up.(io.ReaderFrom); able {
		return &uploadFrom{u, from}
	}
	return u
}

// uploadOf returns the upload that observedUpload has made, or nil.
func uploadOf(up ftp.Upload) *upload {
	switch u := up.(type) {
	case *upload:
		return u
	case *uploadFrom:
		return u.upload
	}
	return nil
}

// Unwrap implements ftp.Wrapping.
func (u *upload) Unwrap() ftp.Upload { return u.Upload }

// Name implements ftp.Placed.
func (u *upload) Name() string {
	if p, may := u.Upload.(ftp.Placed); may {
		return p.Name()
	}
	return ""
}

// Commit implements ftp.Upload.
func (u *upload) Commit(ctx context.Context) error {
	if name := u.Name(); name != "" {
		u.origin.Path = absolute(name)
	}
	u.origin.Time = time.Now()
	return u.Upload.Commit(events.WithOrigin(ctx, u.origin))
}
