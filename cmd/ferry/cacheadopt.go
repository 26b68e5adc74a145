package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ferry/cache"
	"ferry/cmd/ferry/internal/configcmd"
	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/logging"
	"ferry/cmd/ferry/internal/places"
	"ferry/config"
	"ferry/handover"
	"ferry/serve"
	"ferry/writeback"
)

const cacheAdoptLong = `Send what waits in the cache directory of a ferry that is gone.

DIR is what was its --cache-dir, or one of the directories in its vfs/, mounted on this machine. What waits in each cache there
is sent to its remote, which the cache has noted; where it has not, because there is a secret in its options, name it. It needs to
be the same place of files that was served. The command ends when nothing waits there any more.

A file that others have stored meanwhile under the name of one that waits is kept beside it, unless --conflict overwrite says
otherwise. Other ferries are told of what is sent if --cluster names their servers of NATS.

With --handover what waits is left there instead, for the ferries that have the same --handover to take.

A cache that a ferry uses is refused. On NFS that is only known where locks are shared, which they are by NFS 4, and by NFS 3 unless
it is mounted with nolock: be sure that the other ferry has ended.

Files that a remote refused, and unfinished uploads, stay, and are counted.`

// cacheAdoptCommand sends what waits in caches of others.
func (p process) cacheAdoptCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "adopt DIR [remote:path]", Short: "Send what waits in the cache directory of a ferry that is gone", Long: cacheAdoptLong,
		Example: "  ferry cache adopt /mnt/lost/ferry s3:bucket\n  ferry cache adopt /mnt/lost/ferry --handover s3:bucket/.ferry-handover",
		Args:    flags.Args(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := configcmd.CheckPath(cmd.Flags()); err != nil {
				return err
			}
			return p.adoptCaches(cmd, o, args)
		},
	}
	flags.Add(cmd.Flags(), adoptFlags(o)...)
	flags.AddOfTypes(cmd.Flags(), &o.Options)
	return cmd
}

func adoptFlags(o *options) []flags.Group {
	return []flags.Group{flags.Network(&o.Options), flags.Cluster(&o.Options).Only("cluster", "cluster-name", "cluster-creds", "cluster-ca", "handover", "node", "conflict")}
}

// adoptCaches runs the command.
func (p process) adoptCaches(cmd *cobra.Command, o *options, args []string) error {
	if err := flags.Resolve(cmd.Flags(), p.env, append(adoptFlags(o), flags.Config(&o.Options), flags.Logging(&o.Options))...); err != nil {
		return err
	}
	serving := &options{} // what a server has, with the values of the command
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.Add(fs, flags.Serve(&serving.Options)...)
	if err := flags.Resolve(fs, nil, flags.Serve(&serving.Options)...); err != nil {
		return err
	}
	serving.Network, serving.Config, serving.Log, serving.Backend = o.Network, o.Config, o.Log, o.Backend
	serving.Cluster = o.Cluster
	if serving.Cluster.Conflict != "overwrite" { // others have gone on since
		serving.Cluster.Conflict = "keep"
	}
	serving.Given = cmd.Flags().Changed
	serving.Cache.Mode, serving.Cache.WriteBack = "writes", 0
	log, logFile, err := logging.Open(&o.Log, p.stderr)
	if err != nil {
		return err
	}
	defer logFile.Close()
	ctx, release := p.interruptible(cmd.Context())
	defer release()
	a := adopter{process: p, options: serving, log: log, out: p.stdout}
	if len(args) > 1 {
		a.remote = args[1]
	}
	dirs, err := cachesIn(args[0])
	if err != nil {
		return err
	}
	leave, err := a.join(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if a.handing, err = p.openHandover(ctx, serving, log); err != nil {
		return err
	}
	defer a.handing.close()
	for _, dir := range dirs {
		if err := a.adopt(ctx, dir); err != nil {
			a.failed = true
			fmt.Fprintf(a.out, "%s: %s\n", filepath.Base(dir), oneLine(err.Error()))
		}
	}
	if a.failed {
		return errors.New("something still waits there; see above")
	}
	return nil
}

// join has other nodes told of what is sent, until leave is called. Without the engine it is sent
// all the same.
func (a *adopter) join(ctx context.Context) (leave func(), err error) {
	a.options.shared = newShared(a.options)
	peers, err := a.options.openPeers(a.log)
	if peers == nil || err != nil {
		return func() {}, err
	}
	a.options.shared.peers = peers
	disconnect, err := peers.reach(ctx)
	if err != nil {
		a.log.Warn("other nodes are not told of what is sent: they show it after --dir-cache-time", "error", err)
		return func() {}, nil
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() { _ = peers.exchange.Run(running) }) // it returns when all is told
	return func() {
		cancel()
		wg.Wait()
		disconnect()
	}, nil
}

// cachesIn returns the caches in a directory: those of a cache directory, or one of them.
func cachesIn(dir string) ([]string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	for _, pattern := range []string{"lock", "*/lock", "vfs/*/lock"} {
		locks, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(locks) == 0 {
			continue
		}
		var all []string
		for _, lock := range locks {
			all = append(all, filepath.Dir(lock))
		}
		if parent := filepath.Dir(all[0]); filepath.Base(parent) == "vfs" {
			return all, nil
		}
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%s is no cache directory of a ferry: that has a directory vfs in it", dir)
}

// An adopter sends what waits in caches of others.
type adopter struct {
	process process
	options *options
	handing *handing // nil = what waits is sent
	remote  string   // of caches that have not noted theirs; "" = none was named
	log     *slog.Logger
	out     io.Writer
	failed  bool
}

// adopt sends what waits in one cache, or hands it over.
func (a *adopter) adopt(ctx context.Context, dir string) error {
	kept, err := places.OpenCache(dir, cache.Options{})
	if err != nil {
		return err
	}
	note, noteErr := places.ReadNote(dir)
	if noteErr != nil { // it has none
		note = places.Note{Dir: dir}
	}
	waits, open := len(kept.Pending()), len(kept.Claimed())
	switch {
	case a.handing != nil:
		err = a.give(ctx, kept, note)
	case open > 0:
		err = fmt.Errorf("it is open whether %d changes were handed over to another ferry: give --handover as that ferry had it", open)
	}
	left := len(kept.Pending())
	if err = errors.Join(err, kept.Close()); err != nil {
		return err
	}
	if a.handing == nil && waits > 0 {
		if left, err = a.send(ctx, dir, note); err != nil {
			return err
		}
	}
	return a.report(dir, waits-left, left)
}

// report says what was done, and what is left.
func (a *adopter) report(dir string, done, left int) error {
	kept, err := places.OpenCache(dir, cache.Options{})
	if err != nil {
		return err
	}
	stats := kept.Stats()
	verb := "sent"
	if a.handing != nil {
		verb = "handed over"
	}
	fmt.Fprintf(a.out, "%s: %s %s, %d left", filepath.Base(dir), plural(done, "change"), verb, left)
	if stats.Lost.Files > 0 {
		fmt.Fprintf(a.out, "; %s that the remote refused, see ferry cache ls", plural(stats.Lost.Files, "file"))
	}
	if n := stats.Parts.Files + stats.Drafts.Files; n > 0 {
		fmt.Fprintf(a.out, "; %s, %s", plural(n, "unfinished upload"), config.Size(stats.Parts.Bytes+stats.Drafts.Bytes))
	}
	fmt.Fprintln(a.out)
	a.failed = a.failed || left > 0
	return kept.Close()
}

// give hands over what waits, and finds out what was.
func (a *adopter) give(ctx context.Context, kept places.Cache, note places.Note) error {
	if err := a.handing.place.Settle(ctx, bareStore{kept.Store}); err != nil {
		return err
	}
	if len(kept.Pending()) == 0 {
		return nil
	}
	about := handover.About{User: note.User, Remote: note.Remote, Options: note.Options}
	_, err := a.handing.give(ctx, kept, about, func(ctx context.Context, heir writeback.Heir) (int, error) {
		return writeback.HandOverStore(ctx, kept.Store, heir)
	})
	return err
}

// bareStore is a store that no tree has: what is taken back waits in it.
type bareStore struct{ store *cache.Store }

// Store implements handover.Tree.
func (b bareStore) Store() *cache.Store { return b.store }

// TakeIn implements handover.Tree.
func (b bareStore) TakeIn(context.Context, writeback.Taking) (bool, error) {
	return false, errors.ErrUnsupported
}

// TakeBack implements handover.Tree.
func (b bareStore) TakeBack(context.Context, cache.Record) error { return nil }

// send sends what waits in a cache to its remote, and returns how many changes are left.
func (a *adopter) send(ctx context.Context, dir string, note places.Note) (left int, err error) {
	what := note.Remote
	if what == "" {
		what = a.remote
	}
	if what == "" {
		return 0, errors.New("it has not noted its remote: name that behind the directory")
	}
	o, err := a.options.forUser(serve.Wanted{Remote: what, User: note.User, Options: note.Options})
	if err != nil {
		return 0, err
	}
	o.places, o.Cache.Mode = places.Of(filepath.Dir(filepath.Dir(dir)), a.process.env), "writes"
	st, err := a.process.openStack(ctx, o, what, a.log)
	if err != nil {
		return 0, err
	}
	defer func() { st.close(ctx, false) }()
	if name := filepath.Base(places.CacheDir("", st.remote.Info())); name != filepath.Base(dir) {
		return 0, fmt.Errorf("it is the cache of another remote than %s: name the one that was served", config.RedactRemote(what))
	}
	if err := st.openTree(o, nil); err != nil {
		return 0, err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- st.tree.Run(running) }()
	err = writeback.Drain(ctx, st.tree, drainReport, func(w writeback.Waiting) {
		if w.Changes > 0 {
			a.log.Log(ctx, logging.Notice, "sending what waits for the remote", waitingAttrs(w)...)
		}
	})
	for err == nil && st.tree.Waiting().Changes > 0 { // what is in doubt is looked after for a while
		select {
		case <-ctx.Done():
			err = context.Cause(ctx)
		case <-time.After(time.Second):
		}
	}
	cancel()
	return st.tree.Waiting().Changes, errors.Join(err, <-ended)
}
