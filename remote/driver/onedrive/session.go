package onedrive

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"ferry/remote"
)

const (
	// settleTime is how long it may take to find out what became of the last fragment.
	settleTime = 5 * time.Second
	// cancelTime is how long the end of an upload that failed may take.
	cancelTime = 5 * time.Second
)

// errSessionGone says that the service does not know an upload session: it has expired.
var errSessionGone = errors.New("the upload session has ended before the upload")

// A session is an upload in fragments. Nothing of it is visible until the last one has come.
type session struct {
	remote *Remote
	url    *url.URL // a secret: who knows it may write
	size   int64
	off    int64  // of what the service does not have yet
	chunk  []byte // what comes at off
}

// newSession describes an upload to the service.
type newSession struct {
	Item sessionItem `json:"item"`
}

type sessionItem struct {
	Conflict string `json:"@microsoft.graph.conflictBehavior"`
	Times    *times `json:"fileSystemInfo,omitempty"`
	FileSize int64  `json:"fileSize,omitempty"` // for the quota; drives of persons only
}

// storeInFragments sends the content of u by a session. One that fails is canceled, so that it does
// not complete later.
func (r *Remote) storeInFragments(ctx context.Context, u *upload, at addr) (*item, error) {
	s, err := r.startSession(ctx, u, at)
	if err != nil {
		return nil, err
	}
	var doubt atomic.Bool
	sending := remote.WithUnanswered(ctx, func() { doubt.Store(true) })
	stored, err := s.sendAll(sending, u)
	if err == nil {
		return stored, nil
	}
	canceled, ended := s.cancel(ctx)
	if !doubt.Load() || canceled {
		return nil, err
	}
	stored = s.settle(ctx, u)
	if stored == nil || !ended { // the name may have had the same content before
		remote.Unanswered(ctx)
	}
	if stored != nil {
		return stored, nil
	}
	return nil, err
}

func (r *Remote) startSession(ctx context.Context, u *upload, at addr) (*session, error) {
	asked := newSession{sessionItem{Conflict: "replace", Times: timeOf(u.modTime, r.grain())}}
	if r.opt.DriveType == Personal {
		asked.Item.FileSize = u.size
	}
	var b begun
	err := r.api.do(quiet(ctx), call{method: http.MethodPost, to: at.of("createUploadSession"), sends: asked}, &b)
	if err != nil {
		return nil, err
	}
	to, err := r.api.foreign(b.UploadURL)
	if err != nil {
		return nil, err
	}
	return &session{remote: r, url: to, size: u.size}, nil
}

// sendAll sends one fragment after the other. The body must end where it was announced to before
// the last one goes out.
func (s *session) sendAll(ctx context.Context, u *upload) (*item, error) {
	if u.whole {
		return s.sendPiece(ctx, u, u.head)
	}
	body := u.rest
	if u.temp == nil {
		body = io.MultiReader(bytes.NewReader(u.head), u.rest)
	}
	memory := s.remote.opt.Network.Memory
	for sent := int64(0); ; {
		size := max(memory.Fair(s.remote.opt.ChunkSize)/ChunkUnit*ChunkUnit, ChunkUnit)
		if err := u.memory.Collect(ctx, size); err != nil {
			return nil, err
		}
		chunk := memory.Buffer(int(size))[:min(size, s.size-sent)]
		n, err := io.ReadFull(body, chunk)
		sent += int64(n)
		switch {
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			return nil, checkSize(sent, s.size)
		case err != nil:
			return nil, err
		case sent == s.size:
			if err := atEnd(body, sent, s.size); err != nil {
				return nil, err
			}
		}
		done := u.memory.Sent()
		stored, err := s.sendPiece(ctx, u, chunk)
		if err == nil {
			memory.Recycle(chunk) // after a failure the request may still read it
		}
		done()
		if err != nil || stored != nil {
			return stored, err
		}
	}
}

// sendPiece sends a piece of the content, in fragments where it is too long for one. It returns the
// file after the last one.
func (s *session) sendPiece(ctx context.Context, u *upload, piece []byte) (*item, error) {
	u.sum.Write(piece)
	for len(piece) > 0 {
		n := min(int64(len(piece)), s.remote.opt.ChunkSize)
		s.chunk, piece = piece[:n], piece[n:]
		stored, err := s.sendFragment(ctx)
		if err != nil || stored != nil {
			return stored, err
		}
	}
	if s.off == s.size {
		return nil, errors.New("the service has all of an upload, but does not make a file of it")
	}
	return nil, nil
}

// atEnd checks that nothing follows in body.
func atEnd(body io.Reader, sent, size int64) error {
	var one [1]byte
	for {
		n, err := body.Read(one[:])
		switch {
		case n > 0:
			return checkSize(sent+1, size)
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// cancel ends a session that failed. It reports whether that certainly did not complete and never
// will, and whether it had ended before, so that nothing of it comes later.
func (s *session) cancel(ctx context.Context) (canceled, ended bool) {
	ctx, stop := context.WithTimeout(quiet(context.WithoutCancel(ctx)), cancelTime)
	defer stop()
	answer, err := s.remote.api.send(ctx, call{method: http.MethodDelete, url: s.url, open: true})
	if err != nil {
		return false, false
	}
	answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusNoContent, http.StatusOK:
		return true, false
	case http.StatusNotFound, http.StatusGone:
		return false, true
	}
	return false, false
}

// settle looks whether a session whose answers were lost has made the file, and returns it.
func (s *session) settle(ctx context.Context, u *upload) *item {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer stop()
	f, err := s.remote.look(ctx, u.name)
	if err != nil || f.item.isDir() || f.item.Size == nil || *f.item.Size != s.size {
		return nil
	}
	if !bytes.Equal(f.item.quickXor(), u.sum.Sum(nil)) {
		return nil
	}
	return f.item
}
