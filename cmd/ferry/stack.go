package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"ferry/cache"
	"ferry/cluster/elsewhere"
	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/places"
	"ferry/cmd/ferry/internal/rcbridge"
	"ferry/config"
	"ferry/readahead"
	"ferry/registry"
	"ferry/remote"
	"ferry/remote/driver/local"
	"ferry/remote/driver/memory"
	"ferry/remote/wrap/count"
	"ferry/remote/wrap/filter"
	"ferry/remote/wrap/limit"
	"ferry/remote/wrap/logged"
	"ferry/remote/wrap/retry"
	"ferry/vfs"
	"ferry/writeback"
)

// A stack is what is served, one layer on the other. From the bottom:
//
//	driver            openDriver  the type of remote that the command line names
//	limit             decorate    --bwlimit, --tpslimit, --max-connections
//	count             decorate    what the driver is asked to do, repetitions included
//	retry             decorate    --low-level-retries
//	logged            decorate    what came of it, and what drivers warn of
//	announce          decorate    --cluster: changes through this node, and through others
//	filter            hide        --include and the like, --vfs-block-norm-dupes
//	dircache          vfs.New     --dir-cache-time, --poll-interval
//	readahead         vfs.New     --buffer-size, --vfs-read-chunk-size; copies in mode full
//	writeback         vfs.New     --vfs-cache-mode, --vfs-write-back: what waits on disk
//	vfs               openTree    names, owners and unfinished uploads, as a login sees them
//
// serve opens all of it, and package serve gives each login its view. check and cleanup use the
// driver as it is, cache the disk cache alone. The remote control is about the whole stack.
type stack struct {
	what   string // is served, as on the command line
	driver remote.Remote
	remote remote.Remote // the driver with its decorators; it is closed with the stack
	counts *count.Remote // one of them
	root   *rootCheck
	kept   places.Cache    // its Store is nil without a cache mode
	tree   *vfs.FS         // nil before openTree
	others *elsewhere.Tree // what waits for the remote at other nodes; nil = there are none
	log    *slog.Logger
}

// openStack opens what the command line names up to the decorators, and begins to look whether it
// is a directory. It returns soon, whatever the remote does; a mistake that is found by then is
// its error. The caller calls close.
func (p process) openStack(ctx context.Context, o *options, what string, log *slog.Logger) (*stack, error) {
	s := &stack{what: what, log: log}
	var err error
	if s.driver, err = p.openDriver(ctx, o, what, log, openTime); err != nil {
		return nil, explainRoot(what, err)
	}
	s.remote, s.counts = o.decorate(s.driver, o.ofAll().dial, log)
	if o.user.create {
		if err := createRoot(ctx, s.remote); err != nil {
			s.remote.Close()
			return nil, err
		}
	}
	s.root = o.checkRoot(ctx, s.remote, what, log)
	if err := s.root.atOnce(ctx); err != nil {
		s.closeRemote()
		return nil, err
	}
	return s, nil
}

// createRoot makes the directory that is served, if it is not there.
func createRoot(ctx context.Context, r remote.Remote) error {
	ctx, cancel := context.WithTimeout(ctx, vfs.AnswerLimit)
	defer cancel()
	if _, err := r.Stat(ctx, "."); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := r.Mkdir(ctx, ".")
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// openTime is how long opening a remote may take. A driver that asks its server then goes on
// without the answer.
const openTime = 300 * time.Millisecond

// openDriver finds out what a remote string means and opens that, within a time; 0 = as long as it
// takes.
func (p process) openDriver(ctx context.Context, o *options, what string, log *slog.Logger, within time.Duration) (remote.Remote, error) {
	net, err := o.Network.Options()
	if err != nil {
		return nil, flags.Usagef("%w", err)
	}
	net.Attempts = int(max(o.Chain.Attempts, 1))
	net.Memory = o.ofAll().budget
	kept := places.Of(o.CacheDir, p.env)
	net.KnownHosts = kept.KnownHosts()
	sources := &lazySources{process: p, options: o, log: log}
	settings, err := sources.resolve(ctx, what)
	if err != nil {
		return nil, err
	}
	if o.user.create && settings.Type == config.LocalType {
		if err := os.MkdirAll(settings.Path, 0o777); err != nil {
			return nil, err
		}
	}
	opening, cancel := remote.WithLog(ctx, log), func() {}
	if within > 0 {
		opening, cancel = context.WithTimeout(opening, within)
	}
	defer cancel()
	env := registry.Environment{Network: net, Mounts: kept.Mounts(), Update: sources.update, Around: o.ofAll().feeds.around}
	return registry.Open(opening, settings, env, func(s string) (config.Settings, error) { return sources.resolve(ctx, s) })
}

// decorate puts the decorators around a driver. A remote of this machine is only limited, asked
// again or logged when a flag says so: its files are sent and received without a copy. One that is
// made of others is logged all the same, as it has warnings, and leaves out what it cannot show.
func (o *options) decorate(driver remote.Remote, dial *rcbridge.Bandwidth, log *slog.Logger) (remote.Remote, *count.Remote) {
	r, cheap := driver, driver.Info().Caps.CheapStat
	l := chainLimits(&o.Chain)
	if dial != nil && (!cheap || o.Given("bwlimit")) {
		l.Bandwidth = dial.Connect()
	}
	if l.Bandwidth != nil || l.Rate > 0 || l.Connections > 0 {
		r = limit.New(r, l)
	}
	counts := count.Observed(r, o.watched.Observer(driver.Info()))
	r = counts
	if !cheap || o.Given("low-level-retries") {
		r = retry.New(r, retry.Options{Attempts: int(max(o.Chain.Attempts, 1)), Repeated: o.watched.Repeated(driver.Info())})
	}
	if !cheap || !plain(driver) || log.Enabled(context.Background(), slog.LevelInfo) {
		r = logged.New(r, log)
	}
	return o.ofAll().peers.around(r), counts
}

// plain reports whether driver never warns, and leaves nothing out.
func plain(driver remote.Remote) bool {
	switch driver.(type) {
	case *local.Remote, *memory.Remote:
		return true
	}
	return false
}

// maxConnections bounds --max-connections: more is no limit to speak of, and takes memory.
const maxConnections = 1 << 20

func chainLimits(o *flags.ChainOptions) limit.Options {
	l := limit.Options{Rate: o.Rate, Burst: int(o.Burst), Connections: int(min(o.Connections, maxConnections))}
	if o.Bandwidth.String() != config.SizeOff.String() {
		l.Bandwidth = o.Bandwidth.At
	}
	return l
}

// hide leaves out what the flags say. mayMake tells which names can be made, nil where all can.
func (o *options) hide(r remote.Remote, rules *filter.Filter) (left remote.Remote, mayMake func(ctx context.Context, name string, dir bool) error) {
	if rules != nil {
		r = filter.New(r, rules)
	}
	if name := o.hides(r.Info()); name != "" {
		r = filter.New(r, hiding(name))
	}
	if o.Filter.BlockNormDupes {
		r = filter.NewDistinct(r)
	}
	if left, ok := r.(*filter.Remote); ok {
		mayMake = left.AllowCreate
	}
	return r, mayMake
}

// openTree opens the rest, without what rules leave out; they may be nil.
func (s *stack) openTree(o *options, rules *filter.Filter) error {
	opt := o.treeOptions(s.log)
	opt.Probe, opt.Away = s.probe, s.root.waiting()
	left, mayMake := o.hide(s.remote, rules)
	opt.AllowCreate = mayMake
	var err error
	if s.kept, err = o.openCache(s.remote.Info(), s.log); err != nil {
		return err
	}
	if s.kept.Store != nil {
		opt.Cache = treeCache(&o.Cache, s.kept.Store)
		opt.Cache.Gate, opt.Cache.Server = o.ofAll().gate, serverOf(s.remote.Info())
		opt.Cache.Node = o.Cluster.NodeName()
		if o.Cluster.KeepsConflicts() {
			opt.Cache.Conflict = writeback.KeepBoth
		}
	}
	if s.others = o.ofAll().peers.waiting(s.remote); s.others != nil {
		opt.Elsewhere = s.others
	}
	s.tree = vfs.New(left, opt)
	if s.others != nil {
		s.others.Serve(sourceOf(s.tree), s.tree.Appeared)
	}
	return nil
}

// sourceOf returns what waits in a tree, nil without a cache.
func sourceOf(tree *vfs.FS) elsewhere.Source {
	if over := tree.WriteBack(); over != nil {
		return over
	}
	return nil
}

// noteRemote notes in the cache which remote it is of, for whoever finds it without the command
// line.
func (s *stack) noteRemote() {
	if s.kept.Store == nil || config.RedactRemote(s.what) != s.what {
		return
	}
	if _, err := places.ReadNote(s.kept.Dir); err == nil {
		return // it says so already, or knows a user of it
	}
	if err := (places.Note{Dir: s.kept.Dir, Remote: s.what}).Write(); err != nil {
		s.log.Warn("the cache cannot note which remote it is of", "dir", s.kept.Dir, "error", err)
	}
}

// probe asks the driver itself for a sign of life.
func (s *stack) probe(ctx context.Context) error {
	_, err := s.driver.Stat(ctx, ".")
	return err
}

// treeOptions returns the options of the tree that the flags describe.
func (o *options) treeOptions(log *slog.Logger) vfs.Options {
	return vfs.Options{
		ReadOnly:  o.IsReadOnly(),
		NoModTime: o.NoModTime,
		NoSeek:    o.NoSeek,
		FoldCase:  o.FoldCase,
		Modes: vfs.Modes{
			File: o.FilePerms, FileGiven: o.Given("file-perms"),
			Dir: o.DirPerms, DirGiven: o.Given("dir-perms"),
			Umask: o.Umask, UmaskGiven: o.Given("umask"),
		},
		UID:        o.UID,
		GID:        o.GID,
		PartMaxAge: flags.Unlimited(o.PartialMaxAge),
		Space:      vfs.Space{Total: int64(o.TotalSpace), UsedIsSize: o.UsedIsSize},

		DirCacheTime:   o.DirCacheTime,
		DirRefreshWait: o.DirRefreshWait,
		RemoteWait:     cmp.Or(o.RemoteWait, vfs.AnswerLimit),
		PollInterval:   o.followInterval(),
		Reading:        o.reading(),
		Log:            log,
		Events:         o.ofAll().events,
	}
}

// reading returns how files are read.
func (o *options) reading() readahead.Options {
	return readahead.Options{
		Buffer: int64(o.BufferSize), Budget: o.ofAll().budget,
		Chunks: o.chunks(), Checksums: o.checksums(),
		DiskAhead: max(int64(o.Cache.ReadAhead), 0), FastFingerprint: o.Cache.FastFingerprint,
	}
}

// checksums says when checksums are compared: --no-checksum=false asks for those that are dear,
// too.
func (o *options) checksums() readahead.Checksums {
	switch {
	case o.NoChecksum, o.IgnoreChecksum:
		return readahead.ChecksumsOff
	case o.Given("no-checksum"):
		return readahead.ChecksumsAll
	}
	return readahead.ChecksumsCheap
}

// chunks says in which requests files are read, nil where no flag does.
func (o *options) chunks() *readahead.Chunks {
	if !o.Given("vfs-read-chunk-size") && !o.Given("vfs-read-chunk-size-limit") && !o.Given("vfs-read-chunk-streams") {
		if o.Chain.Connections > 0 {
			return &readahead.Chunks{} // a download has one connection, so that there are enough for others
		}
		return nil
	}
	return &readahead.Chunks{Size: int64(o.ReadChunk), Limit: int64(o.ReadChunkTo), Streams: int(min(o.ReadStreams, maxReadStreams))}
}

// maxReadStreams is how many requests for one file there are at most at a time: more would not end
// quicker.
const maxReadStreams = 256

// treeCache is what the tree does with the cache.
func treeCache(c *flags.CacheOptions, store *cache.Store) writeback.Options {
	modes := map[string]writeback.Mode{"minimal": writeback.Minimal, "writes": writeback.Writes, "full": writeback.Full}
	acks := map[string]writeback.Ack{"durable": writeback.AckDurable, "spooled": writeback.AckSpooled, "remote": writeback.AckRemote}
	return writeback.Options{
		Store: store, Mode: modes[c.Mode], Ack: acks[c.Ack], WriteBack: c.WriteBack,
	}
}

// close closes everything from above. Where something goes on that uses the tree, the disk of the
// cache stays open, and ends with the process.
func (s *stack) close(ctx context.Context, inUse bool) {
	if s.others != nil {
		s.others.Leave()
	}
	if s.tree != nil {
		s.tree.Close()
	}
	if s.kept.Store != nil {
		s.kept.CloseAfter(inUse)
	}
	logCounts(context.WithoutCancel(ctx), s.log, s.counts)
	s.closeRemote()
}

func (s *stack) closeRemote() {
	s.root.end()
	s.remote.Close()
}

// openCache opens the disk cache of the remote that info describes. Without a cache mode there is
// none.
func (o *options) openCache(info remote.Info, log *slog.Logger) (places.Cache, error) {
	if o.Cache.Mode == flags.CacheOff {
		for _, base := range o.places.All() {
			places.WarnOfWaiting(places.CacheDir(base, info), log)
		}
		return places.Cache{}, nil
	}
	dir, err := o.places.Store(info, o.IsReadOnly())
	if err == nil {
		err = o.places.Check(dir)
	}
	if err != nil {
		return places.Cache{}, fmt.Errorf("--vfs-cache-mode %v: %w", o.Cache.Mode, err)
	}
	o.places.Tell(log, dir)
	return places.OpenCache(dir, cache.Options{
		Share:        o.ofAll().space,
		MinFree:      int64(o.Cache.MinFree),
		MaxAge:       flags.Unlimited(o.Cache.MaxAge),
		PartMaxAge:   flags.Unlimited(o.PartialMaxAge),
		PollInterval: flags.Unlimited(o.Cache.Poll),
		StallTimeout: o.DataTimeouts.Stall,
	})
}
