package rcbridge

import (
	"context"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"ferry/cmd/ferry/internal/flags"
	"ferry/config"
	"ferry/ftp"
	"ferry/rc"
	"ferry/remote/wrap/count"
	"ferry/vfs"
)

// What package rc asks for, made of what there is.
var (
	_ rc.Sessions = clients{}
	_ rc.Counters = clients{}
	_ rc.Tree     = tree{}
	_ rc.Poller   = tree{}
)

// calls returns all calls but those that every remote control has.
func calls(o *flags.Options, about Subject, quit func(status int)) []rc.Call {
	trees := treesOf(o, about)
	served := clients{about.Server, about.Tree, about.Counts, time.Now()}
	return slices.Concat(
		rc.CoreCalls(rc.Core{Version: about.Version, Obscure: config.Obscure, Quit: quit, Drain: about.Drain}),
		rc.StatsCalls(served),
		rc.BandwidthCalls(about.Bandwidth),
		rc.OptionsCalls(func() map[string]map[string]any { return flags.Shown(flags.All(o)) }),
		rc.VFSCalls(trees),
		rc.RefusedCalls(trees),
		rc.FTPCalls(served),
		rc.BanCalls(bans{about.Guard, about.Server}),
		rc.ElsewhereCalls(about.Elsewhere),
		hookCalls(about.Hooks),
		rc.ClusterCalls(about.Cluster),
	)
}

// Opened returns the trees that are open, that of the command line first.
func (about Subject) Opened(o *flags.Options) []Opened {
	all := []Opened{{about.What, about.Tree, about.Cache, about.Counts, o}}
	if about.Trees != nil {
		all = append(all, about.Trees()...)
	}
	return all
}

// Names returns how calls name the trees of Opened for fs; "" = there is only one, and no need to.
func Names(opened []Opened) []string {
	if len(opened) == 1 {
		return []string{""}
	}
	var all []rc.Tree
	for _, o := range opened {
		all = append(all, treeOf(o))
	}
	return rc.TreeNames(all)
}

// treesOf returns what rc knows the trees by.
func treesOf(o *flags.Options, about Subject) rc.Trees {
	return func() []rc.Tree {
		var all []rc.Tree
		for _, opened := range about.Opened(o) {
			all = append(all, treeOf(opened))
		}
		return all
	}
}

// clients tells of an FTP server.
type clients struct {
	server *ftp.Server
	tree   *vfs.FS
	counts *count.Remote // of its remote
	since  time.Time
}

func (f clients) Kick(id uint64) bool { return f.server.Kick(id) }

func (f clients) Sessions() []rc.Session {
	var all []rc.Session
	for _, s := range f.server.Sessions() {
		all = append(all, rc.Session{
			ID: s.ID, Remote: s.Remote.String(), TLS: s.TLS, User: s.User, Client: s.Client, Since: s.Since,
			Command: s.Command, Path: s.Path, Began: s.Began, Bytes: s.Bytes,
		})
	}
	return all
}

// Stats counts transfers of files; bytes are those of listings too.
func (f clients) Stats() rc.Stats {
	s := f.server.Stats()
	methods := f.counts.Stats().Methods
	out := rc.Stats{
		Since:        f.since,
		Bytes:        s.BytesReceived + s.BytesSent,
		Transfers:    int64(s.Uploads + s.Downloads - s.Listings),
		Errors:       int64(s.Failed),
		TransferTime: s.TransferTime,
		Deletes:      succeeded(methods["remove"]),
		DeletedDirs:  succeeded(methods["rmdir"]),
		Renames:      succeeded(methods["move"]),
	}
	for _, t := range f.server.Transfers() {
		if t.Err != nil {
			out.LastError = t.Path + ": " + t.Err.Error()
		}
	}
	for _, c := range f.tree.Waiting().Causes {
		out.Causes = append(out.Causes, rc.Cause{Text: c.Text, Since: c.Since, Uploads: c.Changes})
	}
	for _, s := range f.server.Sessions() {
		if movesFile(s.Command) {
			out.Running = append(out.Running, rc.Transfer{
				Name: relative(s.Path), Size: f.size(s), Bytes: s.Bytes, What: transferring, Began: s.Began,
			})
		}
	}
	return out
}

// size returns how much a transfer will move at most, below 0 where that is not known: an upload
// has no size, and of a download it is that of the file.
func (f clients) size(s ftp.SessionInfo) int64 {
	if s.Command != "RETR" {
		return -1
	}
	return f.tree.KnownSize(context.Background(), relative(s.Path))
}

// transferring is rclone's word for what is done to a file.
const transferring = "transferring"

func succeeded(m count.Method) int64 { return m.Calls - m.Running - m.Missing - m.Errors }

func movesFile(command string) bool {
	switch command {
	case "RETR", "STOR", "APPE", "STOU":
		return true
	}
	return false
}

// relative is a path as rclone writes it: relative to what is served.
func relative(path string) string {
	if path != "" && path[0] == '/' {
		return path[1:]
	}
	return path
}

func (f clients) Transferred() []rc.Transfer {
	var all []rc.Transfer
	for _, t := range f.server.Transfers() {
		if !movesFile(t.Command) {
			continue
		}
		size := int64(-1)
		if t.Err == nil {
			size = t.Bytes
		}
		all = append(all, rc.Transfer{Name: relative(t.Path), Size: size, Bytes: t.Bytes, What: transferring, Began: t.Began, Ended: t.Ended, Err: t.Err})
	}
	return all
}

// treeOf returns what tells of the tree.
func treeOf(o Opened) rc.Tree {
	t := tree{o.Tree, TreeName(o.What), treeOptions(o.Options)}
	if o.Cache.Store == nil {
		return t
	}
	return cachedTree{t, o.Cache}
}

// tree tells of a tree.
type tree struct {
	*vfs.FS
	name    string
	options map[string]any
}

func (t tree) Name() string { return t.name }

func (t tree) ForgetAll() { t.FS.Forget() }

func (t tree) Forget(files, dirs []string) {
	for _, names := range [][]string{files, dirs} {
		if len(names) > 0 {
			t.FS.Forget(names...)
		}
	}
}

// Refresh tells besides whether dir is a directory, which a tree without a cache does not look at.
func (t tree) Refresh(ctx context.Context, dir string, recursive bool) error {
	err := t.FS.Refresh(ctx, dir, recursive)
	info, statErr := t.View("").Stat(ctx, dir)
	switch {
	case statErr == nil && !info.IsDir():
		return fs.ErrInvalid
	case err == nil:
		return statErr
	}
	return err
}

func (t tree) Stats() rc.TreeStats {
	s := t.FS.Stats()
	return rc.TreeStats{Dirs: s.Dirs, Files: s.Files, InUse: 1, Options: t.options}
}

// SetPollInterval implements rc.Poller. The change holds at once.
func (t tree) SetPollInterval(_ context.Context, d time.Duration) error {
	return t.FS.SetPollInterval(d)
}

// TreeName is how rclone names what is served: a local directory by its absolute path. Parameters
// are not shown.
func TreeName(what string) string {
	spec, err := config.ParseRemote(what)
	if err == nil && spec.Type == config.LocalType {
		if path, err := filepath.Abs(spec.Path); err == nil {
			return path
		}
	}
	return config.RedactRemote(what)
}

// treeOptions are the options of a tree by the names that rclone has for them, or would have.
func treeOptions(o *flags.Options) map[string]any {
	return map[string]any{
		"NoSeek": o.NoSeek, "NoChecksum": o.NoChecksum, "ReadOnly": o.ReadOnly, "NoModTime": o.NoModTime,
		"DirCacheTime": o.DirCacheTime, "Refresh": o.Warm, "PollInterval": o.PollInterval,
		"CaseInsensitive": o.FoldCase, "BlockNormDupes": o.Filter.BlockNormDupes, "OddNames": o.OddNames,
		"Umask": o.Umask, "UID": o.UID, "GID": o.GID, "DirPerms": fs.ModeDir | o.DirPerms, "FilePerms": o.FilePerms,
		"ChunkSize": o.ReadChunk, "ChunkSizeLimit": o.ReadChunkTo, "ChunkStreams": o.ReadStreams,
		"CacheMode": slices.Index(flags.CacheModes(), o.Cache.Mode), "CacheMaxAge": o.Cache.MaxAge, "CacheMaxSize": o.Cache.MaxSize, "CachePollInterval": o.Cache.Poll,
	}
}
