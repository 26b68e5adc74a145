package chunker

import (
	"context"
	"errors"

	"ferry/remote"
)

// errNoRename means that the remote below did not rename a chunk, and will not: the file can have a
// record.
var errNoRename = errors.New("the remote below does not rename a file over this name")

// rename makes the only chunk of f, which was stored as chunk, the file itself, and removes the
// chunks of the file that was there.
func (r *Remote) rename(ctx context.Context, f file, chunk remote.Entry) (remote.Entry, error) {
	mover, ok := remote.AsMover(r.below)
	if !ok { // not remote.Move, which copies: what fails halfway there has replaced the file
		return remote.Entry{}, errNoRename
	}
	release, err := r.paths.Change(ctx, f.name)
	if err != nil {
		return remote.Entry{}, err
	}
	defer release()
	old := r.replaced(ctx, f.name)
	from := r.chunkName(f, 0)
	if err := r.keepMode(ctx, from, chunk, old.entry); err != nil {
		return remote.Entry{}, err
	}
	committed, end := remote.Committed(ctx)
	defer end()
	doubted, inDoubt := doubt(ctx)
	err = mover.Move(doubted, from, f.name)
	switch {
	case err == nil:
	case !inDoubt.Load() && errors.Is(err, remote.ErrUnsupported):
		return remote.Entry{}, errNoRename
	case !r.renamed(ctx, f, old.entry) || !inDoubt.Load():
		return remote.Entry{}, err
	}
	r.discard(committed, old)
	if now, err := r.below.Stat(committed, f.name); err == nil && now.Size == chunk.Size {
		return now, nil
	}
	_, chunk.Name = remote.Split(f.name)
	chunk.Version = "" // a rename may change it
	return chunk, nil
}

// keepMode gives what will replace the file old its permission bits, as a Put keeps them.
func (r *Remote) keepMode(ctx context.Context, name string, chunk, old remote.Entry) error {
	if !r.info.Caps.Modes || old.Mode == 0 || old.Mode == chunk.Mode || old.Dir || old.ReadOnly {
		return nil
	}
	err := remote.SetMode(ctx, r.below, name, old.Mode)
	if errors.Is(err, remote.ErrUnsupported) {
		return nil
	}
	return err
}

// renamed finds out what became of a rename of the only chunk of f that failed or was not answered,
// where old was before. Where it was not made it cannot come late either, as the chunk is removed:
// nobody else knows its name. But where the old file is gone, the chunk stays, as it is all that is
// left.
func (r *Remote) renamed(ctx context.Context, f file, old remote.Entry) bool {
	look, cancel := context.WithTimeout(context.WithoutCancel(ctx), remote.AnswerTime)
	defer cancel()
	from := r.chunkName(f, 0)
	if _, err := r.below.Stat(look, f.name); old.Name != "" && err != nil {
		remote.Unanswered(ctx) // so that nobody removes it
		remote.Warn(ctx, "the content of a file is left where it was sent to, as the rename that replaces it failed", "file", f.name, "content", from, "error", err)
		return false
	}
	if err := r.below.Remove(look, from); !errors.Is(err, remote.ErrNotExist) {
		if err != nil {
			remote.Warn(ctx, "a chunk of an upload that failed could not be removed", "file", f.name, "error", err)
		}
		return false
	}
	now, err := r.below.Stat(look, f.name)
	same := now.Version == old.Version && now.ModTime.Equal(old.ModTime) && now.ID == old.ID
	return err == nil && !now.Dir && now.Size == *f.rec.Size && !same
}
