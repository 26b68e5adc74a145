package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"ferry/remote"
)

// digests are the algorithms that clients ask for, by XMD5 and the like or by HASH.
var digests = [...]string{"md5", "sha1", "sha256", "sha512", "crc32"}

// hashes asks for every checksum of the file called name.
func (c *checker) hashes(ctx context.Context, name string) (string, error) {
	var known []string
	for _, algorithm := range digests {
		switch _, err := remote.Hash(ctx, c.remote, name, algorithm); {
		case err == nil:
			known = append(known, algorithm)
		case !errors.Is(err, remote.ErrUnsupported):
			return "", fmt.Errorf("%s: %w", algorithm, err)
		}
	}
	if len(known) == 0 {
		return "", remote.ErrUnsupported
	}
	return strings.Join(known, ", "), nil
}

// watchTime is how long a remote may take until it has begun to report changes.
const watchTime = 20 * time.Second

// watch waits until the remote reports changes.
func (c *checker) watch(ctx context.Context) (string, error) {
	w, ok := remote.AsWatcher(c.remote)
	if !ok {
		return "", remote.ErrUnsupported
	}
	ctx, cancel := context.WithTimeout(ctx, watchTime)
	defer cancel()
	for _, err := range w.Watch(ctx, time.Minute) {
		return "what others change is noticed", err
	}
	return "", remote.ErrUnsupported
}

// discardTime is how long the end of a check that failed, or was interrupted, may take.
const discardTime = 20 * time.Second

// discard removes what a check has written, whichever name it has by now.
func (c *checker) discard(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardTime)
	defer cancel()
	for _, name := range []string{name, name + movedSuffix} {
		if err := c.remote.Remove(ctx, name); err != nil && !errors.Is(err, remote.ErrNotExist) {
			c.leftBehind(name, err)
		}
	}
}

// leftBehind tells of a file that could not be removed.
func (c *checker) leftBehind(name string, err error) {
	if c.told != nil {
		c.told(checked{what: "clean up", err: fmt.Errorf("%q may be left there: remove it (%w)", name, err)})
		return
	}
	c.print("  %q may be left there: remove it\n", name)
}

// same reads n bytes from off on and compares them.
func (c *checker) same(ctx context.Context, name string, want []byte, off, n int64) error {
	r, err := c.remote.Open(ctx, name, off, n)
	if err != nil {
		return err
	}
	defer r.Close()
	got, err := io.ReadAll(io.LimitReader(r, probeSize+1))
	if err == nil && !bytes.Equal(got, want) {
		err = errNotTheSame
	}
	return err
}

func (c *checker) modTime(ctx context.Context, name string) (string, error) {
	want := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := remote.SetModTime(ctx, c.remote, name, want); err != nil {
		return "", err
	}
	e, err := c.remote.Stat(ctx, name)
	if err == nil && !e.ModTime.Equal(want) {
		err = fmt.Errorf("it was set to %s and is %s", want.Format(time.RFC3339), e.ModTime.UTC().Format(time.RFC3339))
	}
	return "kept to " + c.remote.Info().Caps.ModTime.String(), err
}

// append continues the file, as APPE and REST with STOR do.
func (c *checker) append(ctx context.Context, name string, content []byte) (string, error) {
	stager, ok := remote.AsStager(c.remote)
	if !ok {
		return "", remote.ErrUnsupported
	}
	s, err := stager.Stage(ctx, name, remote.StageOptions{Owner: "check", Base: remote.BaseFile, Off: remote.AtEnd})
	if err != nil {
		return "", err
	}
	defer s.Abort()
	if _, err := s.Write(content[:1]); err != nil {
		return "", err
	}
	if _, err := s.Commit(ctx, time.Time{}); err != nil {
		return "", err
	}
	detail := "APPE and REST with STOR need no cache"
	if !c.remote.Info().Caps.NoParts {
		detail += ", an upload that is cut is kept"
	}
	return detail, c.same(ctx, name, append(content[1:len(content):len(content)], content[0]), 0, -1)
}

func (c *checker) usage(ctx context.Context) (string, error) {
	u, err := remote.GetUsage(ctx, c.remote)
	if err == nil && u.Free < 0 {
		err = remote.ErrUnsupported
	}
	return fmt.Sprintf("%d MiB", u.Free>>20), err
}

// print writes to the output. When that takes nothing more, the check ends.
func (c *checker) print(format string, args ...any) {
	if _, err := fmt.Fprintf(c.out, format, args...); err != nil {
		c.broken = true
	}
}

const (
	dirSuffix  = "-dir"
	fileInside = "/file"
)

// moveDir renames a directory called name with a file in it, and removes both.
func (c *checker) moveDir(ctx context.Context, name string) (err error) {
	from, to := name+dirSuffix, name+dirSuffix+movedSuffix
	defer func() {
		if err != nil {
			c.discardDirs(ctx, name)
		}
	}()
	if err := c.remote.Mkdir(ctx, from); err != nil {
		return err
	}
	if _, err := c.remote.Put(ctx, from+fileInside, strings.NewReader("x"), remote.PutOptions{Size: 1}); err != nil {
		return err
	}
	if err := remote.Move(ctx, c.remote, from, to); err != nil {
		return err
	}
	if err := c.remote.Remove(ctx, to+fileInside); err != nil {
		return err
	}
	return c.remote.Rmdir(ctx, to)
}

// discardDirs removes what moveDir has made, whichever name it has by now.
func (c *checker) discardDirs(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardTime)
	defer cancel()
	for _, dir := range []string{name + dirSuffix, name + dirSuffix + movedSuffix} {
		err := c.remote.Remove(ctx, dir+fileInside)
		if err == nil || errors.Is(err, remote.ErrNotExist) {
			err = c.remote.Rmdir(ctx, dir)
		}
		if err != nil && !errors.Is(err, remote.ErrNotExist) {
			c.leftBehind(dir, err)
		}
	}
}
