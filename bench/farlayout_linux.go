package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// layoutFar starts the S3 server and fills its bucket, through ferry and without the way in
// between:
//
//	big      the large file
//	small/   a file for a session's first download
//	many/    the large directory
//	few/     a small one
//	up/      uploads, emptied after each measurement
//
// The server keeps all that below b.root.
func layoutFar(ctx context.Context, b *bench) error {
	if err := b.makeTop(); err != nil {
		return err
	}
	buckets := filepath.Join(b.top, "s3")
	b.root = filepath.Join(buckets, bucket)
	if err := os.MkdirAll(filepath.Join(b.root, "up"), 0o755); err != nil {
		return err
	}
	if err := writeBig(b.source(), b.scale.bigBytes); err != nil {
		return err
	}
	var err error
	if b.far, err = startStorage(ctx, b, buckets); err != nil {
		return err
	}
	bin, _, err := b.ferry(ctx)
	if err != nil {
		return err
	}
	p := program{user: benchUser, pass: benchPass, command: serveFTP(bin, farRemote, b.far.env(b.far.direct))}
	in, err := b.start(ctx, server{"filling", p}, launch{})
	if err != nil {
		return err
	}
	defer in.tree.stop()
	return fill(b, in)
}

// source is the file that large uploads are made of.
func (b *bench) source() string { return filepath.Join(b.top, "source") }

// fill uploads everything that is there from the beginning.
func fill(b *bench, in *instance) error {
	big, err := os.Open(b.source())
	if err != nil {
		return err
	}
	defer big.Close()
	return each(b.scale.sessions, func(k int) error {
		c, err := in.session()
		if err != nil {
			return err
		}
		defer c.conn.Close()
		if k == 0 {
			if err := c.storFile("big", big, b.scale.bigBytes); err != nil {
				return err
			}
			if err := c.stor(smallName(0), make([]byte, b.scale.smallBytes)); err != nil {
				return err
			}
		}
		for i := k; i < b.scale.listFiles; i += b.scale.sessions {
			if err := c.stor(manyName(i), []byte("1")); err != nil {
				return err
			}
		}
		for i := k; i < b.scale.headFiles; i += b.scale.sessions {
			if err := c.stor(fmt.Sprintf("few/file-%06d.dat", i), []byte("1")); err != nil {
				return err
			}
		}
		return nil
	})
}

func manyName(i int) string { return fmt.Sprintf("many/file-%06d.dat", i) }
