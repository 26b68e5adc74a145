package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"ferry/cache"
	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/places"
	"ferry/config"
)

const cacheLong = `Look after what is in the disk caches.

With --vfs-cache-mode minimal, writes or full, ferry takes files in and writes them to the remote later. A file that the
remote refuses for good, because of its name or its length, is kept: "ferry cache ls" lists it with the reason.
ferry shows it to its clients, and tries it once more at each start. Mend the cause and "ferry cache retry" it, or
"ferry cache export" its content, or "ferry cache drop" it.

A cache that a running ferry uses is not touched: ask that ferry, with "ferry rc cache/ls" and the like.`

// cacheCommand looks after caches that no ferry uses at the moment.
func (p process) cacheCommand(o *options) *cobra.Command {
	root := &cobra.Command{
		Use:   "cache",
		Short: "List, retry, export and drop files that a remote refused; send what waits on the disk of a lost node",
		Long:  cacheLong,
		Args:  flags.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	dir := flags.Cache(&o.Options).Only("cache-dir")
	flags.Add(root.PersistentFlags(), dir)
	sub := func(use, short string, args cobra.PositionalArgs, run func(caches, []string) error) *cobra.Command {
		cmd := &cobra.Command{Use: use, Short: short, Args: args, RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.Resolve(cmd.Flags(), p.env, dir); err != nil {
				return err
			}
			return run(caches{places.Of(o.CacheDir, p.env).All(), p.stdout}, args)
		}}
		root.AddCommand(cmd)
		return cmd
	}
	sub("ls", "List what waits and what was refused", flags.NoArgs, func(c caches, _ []string) error { return c.list() })
	all := false
	retry := sub("retry ID...", "Have refused files written to the remote again", func(cmd *cobra.Command, ids []string) error {
		if all {
			return flags.NoArgs(cmd, ids)
		}
		return wantIDs(cmd, ids)
	}, func(c caches, ids []string) error {
		if all {
			return c.retryAll()
		}
		return c.each(ids, func(s places.Cache, r cache.LostRecord) error {
			_, err := s.Retry(r.ID)
			return err
		})
	})
	retry.Flags().BoolVar(&all, "all", false, "Retry whatever was refused and has not been superseded")
	sub("drop ID...", "Delete refused files", wantIDs, func(c caches, ids []string) error {
		return c.each(ids, func(s places.Cache, r cache.LostRecord) error { return s.DropLost(r.ID) })
	})
	sub("export ID FILE", "Write a refused file to a new FILE", wantIDAndFile, func(c caches, args []string) error {
		return c.each(args[:1], func(s places.Cache, r cache.LostRecord) error { return s.Export(r.ID, args[1]) })
	})
	root.AddCommand(p.cacheAdoptCommand(o))
	return root
}

func wantIDs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return flags.Usagef("which file? %s needs an ID out of \"ferry cache ls\"", cmd.CommandPath())
	}
	return nil
}

func wantIDAndFile(cmd *cobra.Command, args []string) error {
	if len(args) != 2 {
		return flags.Usagef("%s needs an ID out of \"ferry cache ls\" and the name of a new file", cmd.CommandPath())
	}
	return nil
}

// caches are the disk caches in some directories.
type caches struct {
	bases []string
	out   io.Writer
}

// open calls do with each cache, and with the error of one that is in use.
func (c caches) open(do func(dir string, s places.Cache, err error) error) error {
	if len(c.bases) == 0 {
		return places.ErrNone
	}
	for _, base := range c.bases {
		if err := places.EachCache(base, do); err != nil {
			return err
		}
	}
	return nil
}

func (c caches) list() error {
	return c.open(func(dir string, s places.Cache, err error) error {
		if err != nil {
			fmt.Fprintf(c.out, "%s: in use; ask the ferry that uses it: ferry rc cache/ls\n", dir)
			return nil
		}
		lost, err := s.Lost()
		if err != nil {
			return err
		}
		var bytes int64
		pending := s.Pending()
		for _, r := range pending {
			if r.Kind == cache.File {
				bytes += r.Size
			}
		}
		fmt.Fprintf(c.out, "%s: %d wait with %s, %d refused\n", dir, len(pending), config.Size(bytes), len(lost))
		for _, r := range pending {
			fmt.Fprintf(c.out, "  waits   %s %12d %s %s\n", r.ID, r.Size, r.Committed.UTC().Format(time.DateTime), pendingText(r))
		}
		for _, r := range lost {
			fmt.Fprintf(c.out, "  refused %s %12d %s %q: %s\n", r.ID, r.Size, r.Committed.UTC().Format(time.DateTime), r.Name, refusedText(r))
		}
		return nil
	})
}

// pendingText says what a record wants.
func pendingText(r cache.Record) string {
	switch r.Kind {
	case cache.Removed:
		return fmt.Sprintf("%q is to be deleted", r.Name)
	case cache.Dir:
		return fmt.Sprintf("the directory %q is to be made", r.Name)
	case cache.Moved:
		return fmt.Sprintf("%q is to be renamed to %q", r.Source, r.Name)
	case cache.RemovedDir:
		return fmt.Sprintf("the directory %q is to be removed", r.Name)
	}
	return fmt.Sprintf("%q", r.Name)
}

// refusedText says why a record was refused, and what keeps it from being tried again.
func refusedText(r cache.LostRecord) string {
	if r.Superseded {
		return r.Reason + " (something newer of that name was stored or deleted since)"
	}
	return r.Reason
}

// retryAll has everything wait again that was refused, and says what cannot.
func (c caches) retryAll() error {
	var failed error
	err := c.open(func(dir string, s places.Cache, err error) error {
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s is in use: ask the ferry that uses it: ferry rc cache/retry all=true", dir))
			return nil
		}
		lost, err := s.Lost()
		if err != nil {
			return err
		}
		for _, r := range slices.Backward(lost) { // of several of a name the newest
			_, err := s.Retry(r.ID)
			switch {
			case err == nil:
				fmt.Fprintf(c.out, "waits   %s %q\n", r.ID, r.Name)
			case r.Damaged, errors.Is(err, fs.ErrExist):
				fmt.Fprintf(c.out, "refused %s %q: %v\n", r.ID, r.Name, err)
			default:
				failed = errors.Join(failed, err)
			}
		}
		return nil
	})
	return errors.Join(failed, err)
}

// each calls do with each of the refused files, wherever they are, also when it fails with some.
func (c caches) each(ids []string, do func(places.Cache, cache.LostRecord) error) error {
	missing := slices.Clone(ids)
	inUse := false
	var failed error
	err := c.open(func(_ string, s places.Cache, err error) error {
		if err != nil {
			inUse = true
			return nil
		}
		lost, err := s.Lost()
		if err != nil {
			return err
		}
		for _, r := range lost {
			i := slices.Index(missing, r.ID)
			if i < 0 {
				continue
			}
			failed = errors.Join(failed, do(s, r))
			missing = slices.Delete(missing, i, i+1)
		}
		return nil
	})
	failed = errors.Join(failed, err)
	switch {
	case failed != nil || len(missing) == 0:
		return failed
	case inUse:
		return fmt.Errorf("no refused file has the id %s in the caches that are not in use: ask the running ferry with \"ferry rc cache/ls\"", missing[0])
	}
	return fmt.Errorf("no refused file has the id %s: see \"ferry cache ls\"", missing[0])
}
