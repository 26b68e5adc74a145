// Package crypt is a remote whose names and contents are encrypted in another one, in the format of
// rclone's crypt (package cipher).
//
// What the remote below can do, this one can, except that it has no checksums: those below are of
// what is encrypted. A file that is written, also one that is continued, gets a new nonce, so that
// none is ever used for two contents; that is why a continued file is encrypted anew from its
// beginning.
//
//	crypt.go            New; what a remote is
//	tree.go             Stat, List, Mkdir, Rmdir, Remove
//	move.go ability.go  what only some remotes can do; watch.go uploads.go part.go
//	stage.go            uploads in pieces
//	write.go            encrypting what is read, or written
//	read.go             ranges of files; reader.go: decrypting them; header.go: their nonces
//	name.go             names here and below
package crypt

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"

	"ferry/remote"
	"ferry/remote/driver/crypt/cipher"
)

// Options say how files are kept.
type Options struct {
	Keys  cipher.Keys
	Names cipher.Options // FoldCase is set here

	PlainData     bool // contents are as they are
	PassBadBlocks bool // a block that cannot be decrypted is read as zeros, with a warning
	StrictNames   bool // a name that cannot be decrypted is an error, and not left out
	ShowMapping   bool // listings log the encrypted name of each entry
}

// Remote is a tree of encrypted files.
type Remote struct {
	o      Options
	below  remote.Remote
	cipher *cipher.Cipher
	info   remote.Info
	keeps  bool              // unfinished uploads are kept
	parts  remote.PartReader // nil = those of below cannot be read

	buffers sync.Pool // of *buffer
	headers headers
	dirs    knownDirs
	asked   sync.Once // for the root
}

// New returns a remote whose files are encrypted in below, which it takes over. It is a
// remote.Stager if below is one, and keeps unfinished uploads if those of below can be read.
func New(below remote.Remote, o Options) (remote.Remote, error) {
	info := below.Info()
	o.Names.FoldCase = info.Caps.CaseInsensitive
	c, err := cipher.New(o.Keys, o.Names)
	if err != nil {
		return nil, err
	}
	_, stages := remote.AsStager(below)
	parts, readable := remote.AsPartReader(below)
	r := &Remote{o: o, below: below, cipher: c, info: remote.Info{
		Name: "crypt:" + info.Name, Place: "crypt:" + fingerprint(o) + ":" + info.Identity(), Caps: info.Caps,
	}}
	if readable {
		r.parts = parts
	}
	r.keeps = stages && !info.Caps.NoParts && (readable || o.PlainData)
	r.buffers.New = func() any { return new(buffer) }
	caps := &r.info.Caps
	caps.CaseInsensitive = caps.CaseInsensitive && c.Folds()
	caps.MaxName = c.MaxName(caps.MaxName)
	caps.NoParts = !r.keeps
	if stages {
		return &stager{r}, nil
	}
	return r, nil
}

// fingerprint tells apart what names and contents are under other keys and options, of which a
// cache may hold something. It does not tell the keys.
func fingerprint(o Options) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %v %q %v", o.Names.Names, o.Names.Encoding, o.Names.PlainDirs, o.Names.Suffix, o.PlainData)
	h.Write(slices.Concat(o.Keys.Data[:], o.Keys.Name[:], o.Keys.Tweak[:]))
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Path returns where the directory called path is in the remote below; "" is its root.
func Path(o Options, path string) (string, error) {
	c, err := cipher.New(o.Keys, o.Names)
	if err != nil || path == "" {
		return "", err
	}
	return (&Remote{cipher: c}).dirPath(path)
}

// Info implements remote.Remote.
func (r *Remote) Info() remote.Info { return r.info }

// Run implements remote.Runner.
func (r *Remote) Run(ctx context.Context) error { return remote.Run(ctx, r.below) }

// Close implements remote.Remote.
func (r *Remote) Close() error { return r.below.Close() }

var errNotListed = errors.New(omittedKey + ", and the option strict_names is set")
