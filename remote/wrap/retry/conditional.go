package retry

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"

	"ferry/remote"
)

// PutIf implements remote.ConditionalPutter. It is repeated as Put is. When a call that was sent
// and not answered has stored the file, the next one finds it changed: so the file is compared with
// body before that is believed.
func (r *Remote) PutIf(
	ctx context.Context, name string, body io.Reader, version string, o remote.PutOptions,
) (remote.Entry, error) {
	ctx, doubt := doubting(ctx)
	var lost error // of a call that was not answered
	return r.put(ctx, name, body, func(body io.Reader) (remote.Entry, error) {
		before := lost
		e, err := r.Forward.PutIf(ctx, name, body, version, o)
		if err != nil && doubt.Load() {
			lost = err
		}
		if before == nil || !errors.Is(err, remote.ErrChanged) {
			return e, err
		}
		return r.stored(ctx, name, body, err, before)
	})
}

// stored returns the file called name if its content is what is left of body or was read of it
// already, because the call that failed with lost has stored it; else changed.
func (r *Remote) stored(ctx context.Context, name string, body io.Reader, changed, lost error) (remote.Entry, error) {
	e, err := r.Stat(ctx, name)
	switch {
	case errors.Is(err, remote.ErrNotExist), err == nil && e.Dir:
		return remote.Entry{}, changed
	case err != nil:
		return remote.Entry{}, unsure("put", name, lost, err)
	}
	again, ok := body.(*attempt)
	if !ok || !again.s.restart() {
		return remote.Entry{}, unsure("put", name, lost, nil)
	}
	there, err := r.Open(ctx, name, 0, -1)
	if err != nil {
		return remote.Entry{}, unsure("put", name, lost, err)
	}
	defer there.Close()
	theirs, err := sum(there)
	if err != nil {
		return remote.Entry{}, unsure("put", name, lost, err)
	}
	ours, err := sum(again)
	switch {
	case err != nil:
		return remote.Entry{}, unsure("put", name, lost, err)
	case ours != theirs:
		return remote.Entry{}, changed
	}
	return e, nil
}

func sum(r io.Reader) (sum [sha256.Size]byte, err error) {
	h := sha256.New()
	_, err = io.Copy(h, r)
	return [sha256.Size]byte(h.Sum(nil)), err
}

// restart puts the body of an attempt under way back to where it began, and reports whether it is
// there.
func (s *source) restart() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.busy, s.failed, s.moved && s.seeker == nil:
		return false
	case !s.moved:
		return true
	}
	_, err := s.seeker.Seek(s.start, io.SeekStart)
	return err == nil
}
