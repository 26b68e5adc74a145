package chunker

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"ferry/remote"
)

// lookAhead is how much of a body is read before it is decided how it is stored: a file that is not
// longer is stored under its name at once.
const lookAhead = 64 << 10

// Put implements remote.Remote. The chunks are stored under names of their own; storing the record
// is what makes the file, or replaces it. Where the first chunk turns out to be all, renaming it
// does.
func (r *Remote) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	if err := r.checked(name); err != nil {
		return remote.Entry{}, remote.Renamed("put", name, err)
	}
	if r.o.NoRecords {
		return remote.Entry{}, remote.Renamed("put", name, errNoRecords)
	}
	most := min(r.chunk, lookAhead)
	head, err := io.ReadAll(io.LimitReader(body, most+1))
	if err != nil {
		return remote.Entry{}, remote.Renamed("put", name, err)
	}
	_, likeRecord := parseRecord(head)
	plain := !likeRecord && (!r.recordAll || len(head) == 0)
	if plain && int64(len(head)) <= most { // that is all of it
		if o.Size == 0 {
			o.Size = int64(len(head))
		}
		return r.putPlain(ctx, name, bytes.NewReader(head), o)
	}
	whole := io.MultiReader(bytes.NewReader(head), body)
	if plain && o.Size > 0 && o.Size <= r.chunk {
		return r.putPlain(ctx, name, whole, o)
	}
	e, err := r.putChunks(ctx, name, whole, o, plain && r.renames)
	return e, remote.Renamed("put", name, err)
}

var errNoRecords = fmt.Errorf("large files are stored with records only: take meta_format = none away, and copy what is there: %w", remote.ErrUnsupported)

// putPlain stores a file in one piece.
func (r *Remote) putPlain(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	release, err := r.paths.Change(ctx, name)
	if err != nil {
		return remote.Entry{}, remote.Renamed("put", name, err)
	}
	defer release()
	old := r.replaced(ctx, name)
	e, err := r.below.Put(uploads(ctx), name, body, o)
	if err != nil {
		return remote.Entry{}, remote.Renamed("put", name, err)
	}
	r.discard(ctx, old)
	return e, nil
}

// putChunks stores a file as chunks and a record, or with plain, if one chunk is all, as that
// alone.
func (r *Remote) putChunks(ctx context.Context, name string, body io.Reader, o remote.PutOptions, plain bool) (remote.Entry, error) {
	if e, err := r.below.Stat(ctx, name); err == nil && e.Dir {
		return remote.Entry{}, remote.ErrIsDir // before a chunk is sent
	}
	txn := newTxn()
	r.begin(txn)
	defer r.end(txn)
	f := file{name: name, rec: &record{Version: new(versionMarked), Size: new(int64), Chunks: new(int), Txn: txn}}
	doubted, inDoubt := doubt(ctx)
	e, err := r.store(ctx, doubted, &f, body, o, plain)
	if err != nil && !inDoubt.Load() {
		r.abandon(ctx, f)
	}
	return e, err
}

// abandon removes the chunks of an upload that failed, also of one whose context has ended.
func (r *Remote) abandon(ctx context.Context, f file) {
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), remote.AnswerTime)
	defer cancel()
	*f.rec.Chunks++ // the one that failed may be there
	for i := range *f.rec.Chunks {
		if err := r.below.Remove(clean, r.chunkName(f, i)); err != nil && !errors.Is(err, remote.ErrNotExist) {
			remote.Warn(ctx, "a chunk of an upload that failed could not be removed", "file", f.name, "error", err)
			return
		}
	}
}

// store sends the chunks of f, and makes a file of them, that under the context doubted.
func (r *Remote) store(ctx, doubted context.Context, f *file, body io.Reader, o remote.PutOptions, plain bool) (remote.Entry, error) {
	sum := r.newHash()
	if sum != nil {
		body = io.TeeReader(body, sum)
	}
	of := remote.PutOptions{Size: o.Size}
	if plain {
		of = o
	}
	var last remote.Entry
	for more := true; more; {
		next := io.LimitReader(body, r.chunk)
		var first [1]byte
		if n, err := io.ReadFull(next, first[:]); err == io.EOF {
			break
		} else if err != nil {
			return remote.Entry{}, err
		} else {
			next = io.MultiReader(bytes.NewReader(first[:n]), next)
		}
		e, size, err := r.putChunk(ctx, *f, next, of)
		if err != nil {
			return remote.Entry{}, err
		}
		*f.rec.Size += size
		*f.rec.Chunks++
		last, more, of = e, size == r.chunk, remote.PutOptions{Size: o.Size}
	}
	if err := remote.CheckSize(*f.rec.Size, o.Size); err != nil {
		return remote.Entry{}, err
	}
	if plain && *f.rec.Chunks == 1 {
		if e, err := r.rename(doubted, *f, last); !errors.Is(err, errNoRename) {
			return e, err
		}
	}
	return r.publish(doubted, f, sum, o)
}

// putChunk stores the next chunk of f and returns its length. The options are those of the file, of
// which its size may be unknown.
func (r *Remote) putChunk(ctx context.Context, f file, body io.Reader, o remote.PutOptions) (remote.Entry, int64, error) {
	counted := &counter{Reader: body}
	if o.Size > 0 {
		o.Size = max(1, min(r.chunk, o.Size-*f.rec.Size))
	}
	e, err := r.below.Put(uploads(ctx), r.chunkName(f, *f.rec.Chunks), counted, o)
	if err == nil && e.Size >= 0 && e.Size != counted.n {
		err = fmt.Errorf("a chunk of %d bytes is stored as one of %d: %w", counted.n, e.Size, remote.ErrSize)
	}
	return e, counted.n, err
}

// publish stores the record of f, and removes the chunks of the file that was there.
func (r *Remote) publish(ctx context.Context, f *file, sum hash.Hash, o remote.PutOptions) (remote.Entry, error) {
	if sum != nil {
		text := hex.EncodeToString(sum.Sum(nil))
		if r.digest == "md5" {
			f.rec.MD5 = text
		} else {
			f.rec.SHA1 = text
		}
	}
	release, err := r.paths.Change(ctx, f.name)
	if err != nil {
		return remote.Entry{}, err
	}
	defer release()
	old := r.replaced(ctx, f.name)
	content := f.rec.encode()
	o.Size = int64(len(content))
	e, err := r.below.Put(uploads(ctx), f.name, bytes.NewReader(content), o)
	if err != nil {
		return remote.Entry{}, err
	}
	r.discard(ctx, old)
	r.settle(ctx, *f)
	if now, err := r.find(ctx, f.name); err == nil && now.rec != nil {
		return now.entry, nil
	}
	e.Size, e.Digest = *f.rec.Size, remote.NewDigest(remote.MD5, f.rec.sum("md5"))
	return e, nil
}

func (r *Remote) newHash() hash.Hash {
	switch r.digest {
	case "md5":
		return md5.New()
	case "sha1":
		return sha1.New()
	}
	return nil
}

func (r *Remote) begin(txn string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writing[txn]++
}

func (r *Remote) end(txn string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.writing[txn]--; r.writing[txn] == 0 {
		delete(r.writing, txn)
	}
}

// Copy implements remote.Copier: the chunks are copied under a mark of their own, then the record.
func (r *Remote) Copy(ctx context.Context, from, to string) error {
	if err := r.checked(to); err != nil {
		return remote.Renamed("copy", to, err)
	}
	f, err := r.find(ctx, from)
	switch {
	case err != nil:
	case f.entry.Dir:
		err = remote.ErrIsDir
	case from == to:
	case f.rec == nil:
		err = r.copyPlain(ctx, from, to)
	case r.o.NoRecords:
		err = errNoRecords
	default:
		err = r.copyChunks(ctx, f, to)
	}
	return remote.Renamed("copy", from, err)
}

func (r *Remote) copyPlain(ctx context.Context, from, to string) error {
	release, err := r.paths.Change(ctx, to)
	if err != nil {
		return err
	}
	defer release()
	old := r.replaced(ctx, to)
	err = remote.Copy(uploads(ctx), r.below, from, to)
	if err == nil {
		r.discard(ctx, old)
	}
	return err
}

func (r *Remote) copyChunks(ctx context.Context, f file, to string) error {
	if e, err := r.below.Stat(ctx, to); err == nil && e.Dir {
		return remote.ErrIsDir
	}
	rec := *f.rec
	rec.Txn, rec.Version = newTxn(), new(versionMarked)
	count := *f.rec.Chunks
	rec.Chunks = new(int)
	r.begin(rec.Txn)
	defer r.end(rec.Txn)
	copied := file{name: to, rec: &rec}
	for i := range count {
		err := r.eitherName(f, i, func(name string) error {
			return remote.Copy(uploads(ctx), r.below, name, r.chunkName(copied, i))
		})
		if err != nil {
			r.abandon(ctx, copied)
			return missing(err)
		}
		*rec.Chunks++
	}
	var when time.Time
	if r.info.Caps.ModTime > 0 {
		when = f.entry.ModTime
	}
	doubted, inDoubt := doubt(ctx)
	_, err := r.publish(doubted, &copied, nil, remote.PutOptions{ModTime: when, FactsOf: f.name})
	if err != nil && !inDoubt.Load() {
		r.abandon(ctx, copied)
	}
	return err
}

// A counter counts what is read of a body.
type counter struct {
	io.Reader
	n int64
}

// Read implements io.Reader.
func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}
