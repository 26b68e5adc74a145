package writeback

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync/atomic"

	"ferry/cache"
	"ferry/events"
	"ferry/remote"
)

// A spool is an upload that is written to the local disk. Commit makes it a record, whose change is
// pending.
type spool struct {
	tree   *Tree
	name   string
	owner  string
	fresh  bool // StageOptions.New
	draft  *cache.Draft
	cancel context.CancelFunc // ends waits of the draft for space
	base   spoolBase
	known  baseState
	origin *events.Origin          // nil: unknown
	send   func() *streamingUpload // starts sending content that is too large for the cache
	out    *streamingUpload        // nil until then

	ended     atomic.Bool
	published remote.Entry // once ended by Commit
}

// A spoolBase is the file that an upload continues.
type spoolBase struct {
	file   bool
	asOf   uint64       // Tree.recent.n before it was queried
	change *change      // if it was pending
	entry  remote.Entry // if it was on the remote
}

// Stage implements remote.Stager.
func (v *Tree) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	if err := v.checkNew(ctx, "stage", name); err != nil {
		return nil, err
	}
	if !o.Valid() {
		return nil, &fs.PathError{Op: "stage", Path: name, Err: remote.ErrInvalid}
	}
	s, err := v.stage(ctx, name, o)
	if err != nil {
		return nil, pathError("stage", name, err)
	}
	return s, nil
}

func (v *Tree) stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	if v.mode == Minimal && (o.Base == remote.BaseEmpty || o.Base == remote.BasePart && !v.keepsPart(name, o.PartOwner())) {
		return v.stageRemote(ctx, name, o)
	}
	return v.newSpool(ctx, name, o)
}

// newSpool starts an upload to the local disk.
func (v *Tree) newSpool(ctx context.Context, name string, o remote.StageOptions) (*spool, error) {
	if name == "." {
		return nil, remote.ErrIsDir
	}
	known, err := v.checkTarget(ctx, name)
	if err != nil {
		return nil, err
	}
	origin := v.tell.origin(ctx, nil, name)
	ctx, cancel := context.WithCancel(ctx)
	s := &spool{tree: v, name: name, owner: o.Owner, fresh: o.New, cancel: cancel, known: known, origin: origin}
	s.send = func() *streamingUpload {
		return startStreaming(ctx, v.remote, name, v.doubts.request(0, name), s.draft, s.factsNow(), cancel)
	}
	if err := s.begin(ctx, o); err != nil {
		cancel()
		return nil, err
	}
	return s, nil
}

// begin creates the draft.
func (s *spool) begin(ctx context.Context, o remote.StageOptions) (err error) {
	begin := cache.CreateOptions{Name: s.name, Owner: o.Owner, Continues: o.Base == remote.BaseFile}
	switch o.Base {
	case remote.BasePart:
		begin.Part, begin.Off, begin.From = true, o.Off, o.From
		if o.Off == remote.AtEnd {
			p, err := s.tree.store.Part(s.name, o.Owner)
			if err != nil {
				return err
			}
			begin.Off = p.Size
		}
	case remote.BaseFile:
		return s.continueFile(ctx, begin, o.Off)
	}
	s.draft, err = s.tree.store.Create(ctx, begin)
	return err
}

// continueFile creates the draft with the head of the existing file.
func (s *spool) continueFile(ctx context.Context, begin cache.CreateOptions, off int64) error {
	for {
		v := s.tree
		v.mu.Lock()
		st, c := v.pending.look(s.name)
		asOf := v.recent.n
		v.mu.Unlock()
		switch st {
		case isFile:
			if c.refused {
				if err := s.tree.reviveLocked(ctx, c); err != nil {
					return err
				}
				continue
			}
			begin.Record, begin.Off = c.rec.ID, off
			if off == remote.AtEnd {
				begin.Off = c.rec.Size
			}
			if begin.Off > c.rec.Size {
				return remote.ErrInvalid
			}
			draft, err := s.tree.store.Create(ctx, begin)
			if errors.Is(err, fs.ErrNotExist) && s.tree.gone(ctx, c) {
				begin.Record = ""
				continue
			}
			s.draft, s.base = draft, spoolBase{file: true, asOf: asOf, change: c}
			return err
		case isDeleted, underFile:
			return remote.ErrNotExist
		case isDir:
			return remote.ErrIsDir
		case isMoved:
			if err := s.tree.flushFirst(ctx, s.name); err != nil {
				return err
			}
			continue
		}
		begin.Off = 0
		s.base.asOf = asOf
		return s.fetchHead(ctx, begin, off)
	}
}

// fetchHead creates the draft with the head of the remote's file, all of it if off is AtEnd.
func (s *spool) fetchHead(ctx context.Context, begin cache.CreateOptions, off int64) (err error) {
	e, err := s.tree.remote.Stat(ctx, s.name)
	switch {
	case err != nil:
		return err
	case e.Dir:
		return remote.ErrIsDir
	case off > e.Size && e.Size >= 0:
		return remote.ErrInvalid
	case off == remote.AtEnd:
		off = e.Size
	}
	s.base = spoolBase{file: true, asOf: s.base.asOf, entry: e}
	if s.draft, err = s.tree.store.Create(ctx, begin); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = s.draft.Abort() // the first error is returned
		}
	}()
	if off == 0 {
		return nil
	}
	r, err := s.tree.remote.Open(ctx, s.name, 0, off)
	if err != nil {
		return err
	}
	defer r.Close()
	if now, known := remote.Describe(r); known && !remote.SameContent(now, e) {
		return remote.ErrChanged
	}
	n, err := io.Copy(s.draft, remote.ContextReader(ctx, r))
	if err == nil && off >= 0 && n != off {
		err = remote.ErrChanged
	}
	return err
}

// Write implements io.Writer. It writes in steps: a streamingUpload must be notified of written
// data before the rest waits for space.
func (s *spool) Write(p []byte) (int, error) {
	if s.ended.Load() {
		return 0, &fs.PathError{Op: "write", Path: s.name, Err: fs.ErrClosed}
	}
	total := 0
	for {
		step := p[total:min(len(p), total+spoolStep)]
		if err := s.streamIfTooLarge(int64(len(step))); err != nil {
			return total, err
		}
		n, err := s.draft.Write(step)
		total += n
		if err = s.notifyStream(err); err != nil || total == len(p) {
			return total, err
		}
	}
}

var _ io.ReaderFrom = (*spool)(nil)

// ReadFrom implements io.ReaderFrom: on a real disk the kernel splices r into the file.
func (s *spool) ReadFrom(r io.Reader) (int64, error) {
	if s.ended.Load() {
		return 0, &fs.PathError{Op: "write", Path: s.name, Err: fs.ErrClosed}
	}
	if s.tree.largest <= 0 {
		return s.draft.ReadFrom(r)
	}
	var total int64
	for {
		if err := s.streamIfTooLarge(spoolStep); err != nil {
			return total, err
		}
		n, err := s.draft.ReadFrom(&io.LimitedReader{R: r, N: spoolStep})
		total += n
		if err = s.notifyStream(err); err != nil || n < spoolStep {
			return total, err
		}
	}
}

// spoolStep is how many bytes are read from a connection between checks of the cache size.
const spoolStep = 1 << 20

// streamIfTooLarge starts sending the content if n more bytes would make it, or all uploads
// together, larger than the whole cache: then none of them could ever be held completely.
func (s *spool) streamIfTooLarge(n int64) error {
	largest := s.tree.largest
	if s.out != nil || largest <= 0 || s.draft.Size()+n <= largest && !s.overCommitted(n) {
		return nil
	}
	if err := s.draft.Stream(); err != nil {
		return err
	}
	s.out = s.send()
	return nil
}

// overCommitted reports whether the uploads in progress exceed the cache, and this is not a small
// one.
func (s *spool) overCommitted(n int64) bool {
	all := s.tree.store.Stats().Drafts
	return all.Bytes+n > s.tree.largest && 2*s.draft.Size()*int64(all.Files) >= all.Bytes
}

// notifyStream notifies the streamingUpload of more data. If a Write failed because sending did, it
// returns the error of sending.
func (s *spool) notifyStream(err error) error {
	if s.out == nil {
		return err
	}
	s.out.grew()
	if sendErr := s.out.failure(); sendErr != nil {
		return sendErr
	}
	return err
}

// Keep implements remote.Stage.
func (s *spool) Keep() error {
	if s.ended.Swap(true) {
		return nil
	}
	if s.tree.info.Caps.NoParts || s.owner == "" || s.out != nil {
		return pathError("keep", s.name, s.discard())
	}
	defer s.cancel()
	err := s.draft.Keep()
	if err == nil {
		s.tree.dropRemotePart(s.name, s.owner)
	}
	return pathError("keep", s.name, err)
}

// Abort implements remote.Stage.
func (s *spool) Abort() error {
	if s.ended.Swap(true) {
		return nil
	}
	return pathError("discard", s.name, s.discard())
}

func (s *spool) discard() error {
	defer s.cancel()
	if s.out != nil {
		s.out.abort()
	}
	return s.draft.Abort()
}

// Put implements remote.Remote.
func (v *Tree) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	if err := v.checkNew(ctx, "put", name); err != nil {
		return remote.Entry{}, err
	}
	e, err := v.put(ctx, name, body, o)
	return e, pathError("put", name, err)
}

func (v *Tree) put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	if v.mode == Minimal {
		return v.putRemote(ctx, name, body, o)
	}
	s, err := v.newSpool(ctx, name, remote.StageOptions{})
	if err != nil {
		return remote.Entry{}, err
	}
	n, err := io.Copy(s, remote.ContextReader(ctx, body))
	if err == nil {
		err = remote.CheckSize(n, o.Size)
	}
	if err != nil {
		return remote.Entry{}, errors.Join(err, s.Abort())
	}
	e, err := s.Commit(ctx, o.ModTime)
	if err != nil {
		return remote.Entry{}, errors.Join(err, s.Abort())
	}
	return e, nil
}
