package chunker

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"ferry/remote"
)

// A file is what a name is.
type file struct {
	entry remote.Entry // as it is seen
	rec   *record      // nil: it is not in chunks
	name  string       // of the record
}

// find returns what name is. A name of a chunk is ErrNotExist, as nobody sees it.
func (r *Remote) find(ctx context.Context, name string) (file, error) {
	if r.hidden(name) {
		return file{}, remote.ErrNotExist
	}
	e, err := r.below.Stat(ctx, name)
	if errors.Is(err, remote.ErrNotExist) && r.o.NoRecords {
		return r.gather(ctx, name)
	}
	if err != nil || r.o.NoRecords || !maybeRecord(e) {
		return file{entry: e, name: name}, err
	}
	return r.look(ctx, name, e)
}

// replaced returns the file in whose place another one comes: its chunks are removed afterwards.
func (r *Remote) replaced(ctx context.Context, name string) file {
	f, err := r.find(ctx, name)
	if err != nil {
		return file{}
	}
	return f
}

// look reads what may be a record.
func (r *Remote) look(ctx context.Context, name string, e remote.Entry) (file, error) {
	f := file{entry: e, name: name}
	body, err := r.below.Open(ctx, name, 0, -1)
	if err != nil {
		return f, err
	}
	defer body.Close()
	rec, ok, err := readRecord(body)
	if err != nil || !ok {
		return f, err
	}
	if now, described := remote.Describe(body); described {
		now.Name, now.Digest = e.Name, ""
		f.entry = now
	}
	if *rec.Version > versionMarked {
		return f, fmt.Errorf("its record is of version %d, which a newer rclone has written: %w", *rec.Version, remote.ErrUnsupported)
	}
	f.rec = &rec
	f.entry.Size = *rec.Size
	f.entry.Digest = remote.NewDigest(remote.MD5, rec.sum("md5"))
	return f, nil
}

// entries lists dir in the remote below, without unfinished uploads: nobody can continue them here.
func (r *Remote) entries(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		for e, err := range r.below.List(ctx, dir) {
			if e.Part == "" && !yield(e, err) {
				return
			}
		}
	}
}

// gather makes a file of the chunks that are there of name, where they have no record.
func (r *Remote) gather(ctx context.Context, name string) (file, error) {
	dir, base := remote.Split(name)
	g := group{}
	for e, err := range r.entries(ctx, dir) {
		if err != nil {
			return file{}, err
		}
		if c, ok := r.names.parse(e.Name); ok && c.base == base {
			g.add(c, e)
		}
	}
	e, rec, ok := g.file(base)
	if !ok {
		return file{}, remote.ErrNotExist
	}
	return file{entry: e, rec: &rec, name: name}, nil
}

// A group is the chunks of a name that a listing has.
type group struct {
	sizes map[int]int64 // by number; those without a mark
	first remote.Entry
}

func (g *group) add(c chunkName, e remote.Entry) {
	if c.number < 0 || c.txn != "" || e.Dir {
		return
	}
	if g.sizes == nil {
		g.sizes = map[int]int64{}
	}
	g.sizes[c.number] = e.Size
	if c.number == 0 {
		g.first = e
	}
}

// file makes an entry and a record of the chunks, and reports whether all are there.
func (g *group) file(base string) (remote.Entry, record, bool) {
	total, count := int64(0), len(g.sizes)
	for i := range count {
		size, ok := g.sizes[i]
		if !ok {
			return remote.Entry{}, record{}, false
		}
		total += size
	}
	e := g.first
	e.Name, e.Size, e.Digest, e.Version = base, total, "", ""
	return e, record{Version: new(versionPlain), Size: &total, Chunks: &count}, count > 0
}

// hidden reports whether name, or a directory that it is in, has the name of a chunk.
func (r *Remote) hidden(name string) bool {
	for element := range strings.SplitSeq(name, "/") {
		if _, ok := r.names.parse(element); ok {
			return true
		}
	}
	return false
}

// CheckName implements remote.NameChecker: the chunks of a file of that name must have a name, too.
func (r *Remote) CheckName(name string) error {
	err := remote.ErrBadName
	if !r.hidden(name) {
		dir, base := remote.Split(name)
		if err = remote.CheckName(r.below, name); err == nil {
			err = remote.CheckName(r.below, remote.Join(dir, r.names.name(base, 0, longestTxn)))
		}
	}
	return remote.Renamed("checkname", name, err)
}

// checked returns the error of a name under which nothing can be made.
func (r *Remote) checked(name string) error {
	if !remote.ValidPath(name) {
		return remote.ErrInvalid
	}
	return r.CheckName(name)
}

// chunkName is where a chunk of f is.
func (r *Remote) chunkName(f file, number int) string {
	dir, base := remote.Split(f.name)
	return remote.Join(dir, r.names.name(base, number, f.rec.Txn))
}

// eitherName calls do for a chunk of f, and where that is not there, for what it is called once its
// mark is gone.
func (r *Remote) eitherName(f file, number int, do func(name string) error) error {
	err := do(r.chunkName(f, number))
	if f.rec.Txn == "" || !errors.Is(err, remote.ErrNotExist) {
		return err
	}
	return do(r.chunkName(f.unmarked(), number))
}

// unmarked is f as it is once its mark is gone.
func (f file) unmarked() file {
	rec := *f.rec
	rec.Txn, rec.Version = "", new(versionPlain)
	return file{entry: f.entry, rec: &rec, name: f.name}
}
