package prehooks

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"syscall"

	"ferry/events"
	"ferry/ftp"
)

// An upload is checked before it is published.
type upload struct {
	ftp.Upload
	from    io.ReaderFrom // Upload, if it is one
	tree    *checking
	name    string
	head    head
	content *content
	sent    int64 // bytes of content that the upload below has
	ended   bool
}

// Unwrap implements ftp.Wrapping.
func (u *upload) Unwrap() ftp.Upload { return u.Upload }

// Write implements ftp.Upload.
func (u *upload) Write(p []byte) (int, error) {
	n, err := u.content.w.Write(p)
	u.content.size += int64(n)
	if err != nil {
		return n, err
	}
	return n, u.pass(int64(n))
}

// ReadFrom implements io.ReaderFrom. r is passed on as it is, so that the system can recognise a
// connection.
func (u *upload) ReadFrom(r io.Reader) (int64, error) {
	n, err := u.content.w.ReadFrom(r)
	u.content.size += n
	if failed := u.pass(n); failed != nil {
		return n, failed
	}
	return n, err
}

// pass gives n bytes more of the content to the upload below.
func (u *upload) pass(n int64) error {
	if n == 0 {
		return nil
	}
	rest := &io.LimitedReader{R: u.content.r, N: n}
	var err error
	if u.from != nil {
		_, err = u.from.ReadFrom(rest)
	} else {
		_, err = io.Copy(u.Upload, rest)
	}
	u.sent += n - rest.N
	if err == nil && rest.N > 0 {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// Commit implements ftp.Upload: it publishes what the hooks allow.
func (u *upload) Commit(ctx context.Context) error {
	err := u.check(ctx)
	refused := (*refusal)(nil)
	switch {
	case errors.As(err, &refused):
		refused.concealed = u.quarantine(ctx, refused) && refused.code == 226
		u.drop(ctx)
		return err
	case err != nil:
		return err
	}
	if err := u.unchanged(ctx); err != nil {
		return err
	}
	if err := u.Upload.Commit(ctx); err != nil {
		return err
	}
	u.end()
	return nil
}

// check asks the hooks.
func (u *upload) check(ctx context.Context) error {
	e := u.tree.event(events.UploadReceived)
	e.Path = "/" + u.name
	e.Size, e.Bytes, e.Offset = u.content.size, u.content.size-u.head.size, u.head.size
	return u.tree.ask(ctx, question{name: check, event: e, file: u.content.name()})
}

// unchanged returns an error if the file that the upload continues is another one by now.
func (u *upload) unchanged(ctx context.Context) error {
	if u.head.of == nil {
		return nil
	}
	now, err := u.tree.FS.Stat(ctx, u.name)
	if err == nil && (now.Size() != u.head.of.Size() || !now.ModTime().Equal(u.head.of.ModTime())) {
		err = syscall.ESTALE
	}
	return err
}

// Abort implements ftp.Upload. What came is kept if the tree below keeps it, too.
func (u *upload) Abort() {
	if u.ended {
		return
	}
	u.Upload.Abort()
	if u.content.size == 0 || !u.tree.continues(u.name) {
		u.end()
		return
	}
	u.ended = true
	u.content.keep(u.part())
}

// part is where what was cut off is kept.
func (u *upload) part() string { return u.tree.spool.part(u.tree.user, u.name) }

// drop ends the upload so that nobody gets what came.
func (u *upload) drop(ctx context.Context) {
	if d, able := u.Upload.(ftp.Dropper); able {
		d.Drop(ctx)
	} else {
		u.Upload.Abort()
	}
	u.end()
}

// end leaves nothing to be continued.
func (u *upload) end() {
	u.ended = true
	u.content.remove()
	_ = os.Remove(u.part()) // mostly there is none
}

// quarantine keeps what was refused where the hook says, and reports whether it did.
func (u *upload) quarantine(ctx context.Context, r *refusal) bool {
	dir := r.hook.Quarantine
	if dir == "" || r.Action == "drop" {
		return false
	}
	log := u.tree.log
	name, err := u.tree.keepIn(ctx, dir, u.name, u.content.name())
	attrs := []slog.Attr{
		slog.Uint64("session", u.tree.client.Session), slog.String("hook", r.hook.Name), slog.String("path", "/"+u.name),
	}
	if err != nil {
		log.LogAttrs(ctx, slog.LevelError, "what was refused cannot be kept in quarantine, and is dropped", append(attrs, slog.Any("error", err))...)
		return false
	}
	log.LogAttrs(ctx, slog.LevelWarn, "what was refused is in quarantine", append(attrs, slog.String("quarantine", "/"+name))...)
	return true
}
