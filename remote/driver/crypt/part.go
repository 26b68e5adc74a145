package crypt

import (
	"context"
	"io"

	"ferry/remote"
	"ferry/remote/driver/crypt/cipher"
)

// An unfinished upload is kept as a file whose last block is sealed. What a killed process leaves
// can end anywhere: then what is behind the last whole block does not count.

// Part implements remote.Stager.
func (r *stager) Part(ctx context.Context, name, owner string) (remote.Entry, error) {
	p, err := r.partPlace(name, owner)
	if err != nil {
		return remote.Entry{}, remote.Renamed("part", name, err)
	}
	below, _ := remote.AsStager(r.below)
	e, err := below.Part(ctx, p.file, owner)
	if err == nil {
		e, err = r.measured(ctx, p, e, remote.BaseOf(name))
	}
	if err != nil {
		return remote.Entry{}, remote.Renamed("part", name, err)
	}
	return e, nil
}

// partPlace returns where the file of an unfinished upload is, or would be.
func (r *stager) partPlace(name, owner string) (place, error) {
	p, err := r.find(name)
	switch {
	case err != nil:
		return p, err
	case !remote.ValidOwner(owner):
		return p, remote.ErrInvalid
	case !r.keeps:
		return p, remote.ErrNotExist
	}
	return p, nil
}

// DropPart implements remote.Stager.
func (r *stager) DropPart(ctx context.Context, name, owner string) error {
	p, err := r.partPlace(name, owner)
	if err == nil {
		below, _ := remote.AsStager(r.below)
		err = below.DropPart(ctx, p.file, owner)
	}
	return remote.Renamed("droppart", name, err)
}

// OpenPart implements remote.PartReader.
func (r *stager) OpenPart(ctx context.Context, name, owner string, off, n int64) (io.ReadCloser, error) {
	p, err := r.partPlace(name, owner)
	switch {
	case err != nil:
	case off < 0:
		err = remote.ErrInvalid
	case r.parts == nil:
		err = remote.ErrUnsupported
	}
	if err != nil {
		return nil, remote.Renamed("openpart", name, err)
	}
	if r.o.PlainData {
		f, err := r.parts.OpenPart(ctx, p.file, owner, off, n)
		return f, remote.Renamed("openpart", name, err)
	}
	f, err := r.openRange(ctx, r.partSource(p, owner, name), off, n)
	if err != nil {
		return nil, remote.Renamed("openpart", name, err)
	}
	return f, nil
}

func (r *Remote) partSource(p place, owner, name string) source {
	return source{
		name: name,
		open: func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
			return r.parts.OpenPart(ctx, p.file, owner, off, n)
		},
		size: func(context.Context) (int64, error) { return -1, nil },
	}
}

// openPart opens the beginning of an unfinished upload, which is discarded when it was copied: of
// several who continue one, only one does.
func (r *stager) openPart(ctx context.Context, p place, name string, o remote.StageOptions) (begin, error) {
	owner := o.PartOwner()
	e, err := r.Part(ctx, name, owner)
	if err != nil {
		return begin{}, err
	}
	off, err := o.PartOffset(e.Size)
	if err != nil {
		return begin{}, err
	}
	below, _ := remote.AsStager(r.below)
	b := begin{length: off, taken: func(ctx context.Context) error { return below.DropPart(ctx, p.file, owner) }}
	b.content, err = r.OpenPart(ctx, name, owner, 0, off)
	return b, err
}

// listedPart returns what a listing shows for an unfinished upload.
func (r *Remote) listedPart(ctx context.Context, in place, e remote.Entry, plain string) (remote.Entry, bool, error) {
	p := place{file: remote.Join(in.dir, e.Name)}
	e, err := r.measured(ctx, p, e, plain)
	if missing(err) {
		return e, false, nil // it ended meanwhile
	}
	return e, true, err
}

// measured returns what is seen of an unfinished upload: its whole blocks, and what follows if that
// is a block.
func (r *Remote) measured(ctx context.Context, p place, e remote.Entry, plain string) (remote.Entry, error) {
	whole := (e.Size - cipher.HeaderSize) / cipher.BlockSize
	tail := (e.Size - cipher.HeaderSize) % cipher.BlockSize
	size := e.Size
	switch {
	case r.o.PlainData:
	case e.Size < cipher.HeaderSize:
		return e, remote.ErrNotExist // there is nothing to continue
	case tail <= cipher.Overhead:
		size = whole * cipher.BlockData
	default:
		size = whole*cipher.BlockData + tail - cipher.Overhead
		ok, err := r.opens(ctx, p, e.Part, whole*cipher.BlockData)
		if err != nil {
			return e, err
		}
		if !ok {
			size = whole * cipher.BlockData
		}
	}
	e.Name, e.Size, e.Digest = plain, size, ""
	return e, nil
}

// opens reports whether the block of an unfinished upload that begins at off can be decrypted.
func (r *Remote) opens(ctx context.Context, p place, owner string, off int64) (bool, error) {
	f, err := r.openRange(ctx, r.partSource(p, owner, p.file), off, -1)
	if err != nil {
		return false, err
	}
	defer f.Close()
	_, err = io.Copy(io.Discard, f)
	if remote.IsFinal(err) {
		return false, nil
	}
	return err == nil, err
}
