package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
	"ferry/config"
	"ferry/remote"
)

// A cleaner removes what interrupted uploads have left on a remote.
type cleaner struct {
	remote remote.Remote
	out    io.Writer
	maxAge time.Duration
	dryRun bool // only say what would be done

	found  int
	bytes  int64
	failed int
	lacks  string // what the last listing that was incomplete lacked
}

var errCleanupFailed = errors.New("not everything could be cleaned up; see above")

// run removes what is older than maxAge, one line each.
func (c *cleaner) run(ctx context.Context) error {
	if c.remote.Info().Caps.ReadOnly {
		return fmt.Errorf("%s is read-only: %w", c.remote.Info().Name, remote.ErrPermission)
	}
	_, lists := remote.AsUploadLister(c.remote)
	if err := c.uploads(ctx); err != nil {
		return err
	}
	// Listing a directory also removes hidden files that are older than a day. What is made of
	// other remotes can list uploads, and have such files all the same.
	caps := c.remote.Info().Caps
	if stager, ok := remote.AsStager(c.remote); !lists || !caps.ImplicitDirs || ok && !caps.NoParts && !caps.PartsApart {
		c.parts(ctx, stager, ".")
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	verb := "cleaned up"
	if c.dryRun {
		verb = "found"
	}
	fmt.Fprintf(c.out, "%d unfinished uploads %s, %v\n", c.found, verb, config.Size(c.bytes))
	if c.failed > 0 {
		return errCleanupFailed
	}
	return nil
}

// uploads aborts uploads in parts that the remote keeps by itself.
func (c *cleaner) uploads(ctx context.Context) error {
	l, ok := remote.AsUploadLister(c.remote)
	if !ok {
		return nil
	}
	for u, err := range l.UnfinishedUploads(ctx, ".") {
		if errors.Is(err, remote.ErrUnsupported) {
			return fmt.Errorf("%s cannot tell which uploads are unfinished: %w", c.remote.Info().Name, err)
		}
		if err != nil {
			return err
		}
		c.remove(u.Name, u.Size, u.Begun, func() error { return remote.AbortUpload(ctx, c.remote, u.Token) })
	}
	return nil
}

// parts removes the unfinished uploads that are kept for their owners in dir and below.
func (c *cleaner) parts(ctx context.Context, stager remote.Stager, dir string) {
	var below []string
	lacks, incomplete := "", false
	listing := remote.WithIncomplete(ctx, func() { incomplete = true })
	listing = remote.WithOmitted(listing, func(entry, reason string) { lacks = entry + ": " + reason })
	for e, err := range c.remote.List(listing, dir) {
		if err != nil {
			c.failed++
			fmt.Fprintf(c.out, "FAILED   %q  %s\n", dir, oneLine(err.Error()))
			break
		}
		name := remote.Join(dir, e.Name)
		switch {
		case e.Part != "" && stager != nil:
			c.remove(name, e.Size, e.ModTime, func() error { return stager.DropPart(ctx, name, e.Part) })
		case e.Dir:
			below = append(below, name)
		}
	}
	if incomplete {
		c.failed++
		if lacks != c.lacks { // it is the same in each directory
			c.lacks = lacks
			fmt.Fprintf(c.out, "FAILED   %q  %s\n", dir, oneLine(lacks))
		}
	}
	for _, dir := range below {
		if ctx.Err() == nil {
			c.parts(ctx, stager, dir)
		}
	}
}

// remove removes one that is old enough. Of one whose age is not known nobody knows whether it is
// under way.
func (c *cleaner) remove(name string, size int64, begun time.Time, call func() error) {
	age := time.Since(begun)
	if begun.IsZero() && c.maxAge > 0 || age < c.maxAge {
		return
	}
	verb := "removed "
	if c.dryRun {
		verb = "would go"
	} else if err := call(); err != nil && !errors.Is(err, remote.ErrNotExist) {
		c.failed++
		fmt.Fprintf(c.out, "FAILED   %q  %s\n", name, oneLine(err.Error()))
		return
	}
	c.found++
	c.bytes += max(size, 0)
	long := "size unknown"
	if size >= 0 {
		long = config.Size(size).String()
	}
	fmt.Fprintf(c.out, "%s %q  %s  %v old\n", verb, name, long, age.Truncate(time.Second))
}

const cleanupLong = `Remove what interrupted uploads have left on a remote.

S3 keeps the parts of an upload that was interrupted for ever, and they are billed: those of files below the path of the
remote are listed and aborted. On a local directory, SFTP, SMB, FTP and WebDAV it is the unfinished uploads that are kept
for those who sent them; they cannot be continued any more then. Of crypt, combine and others that are made of remotes it is
what is left on those; of chunker also chunks of files that were not completed. Each is one line, with its size and its age.
Google Drive, OneDrive, Dropbox, Google Cloud Storage and Azure remove what they keep by themselves.

What is younger than --max-age may be under way. Set it longer than the longest upload of any program that writes there.`

func (p process) cleanupCommand(o *options) *cobra.Command {
	c := &cleaner{out: p.stdout, maxAge: 24 * time.Hour}
	cmd := &cobra.Command{
		Use:     "cleanup remote:path",
		Short:   "Remove what interrupted uploads have left on a remote",
		Long:    cleanupLong,
		Example: "  ferry cleanup s3:bucket --dry-run\n  ferry cleanup s3:bucket/videos --max-age 7d",
		Args:    flags.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.onDriver(cmd, o, args[0], func(ctx context.Context, r remote.Remote) error {
				c.remote = r
				return c.run(ctx)
			})
		},
	}
	flags.Add(cmd.Flags(), flags.Network(&o.Options))
	cmd.Flags().Var(flags.Duration(&c.maxAge), "max-age", "Leave what is younger")
	cmd.Flags().BoolVarP(&c.dryRun, "dry-run", "n", false, "Change nothing, only say what would be done")
	flags.AddOfTypes(cmd.Flags(), &o.Options)
	return cmd
}
