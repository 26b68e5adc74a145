package flags

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"ferry/config"
)

// parse resolves flags as ferry serve ftp does.
func parse(t *testing.T, env []string, args ...string) (*Options, error) {
	t.Helper()
	o := &Options{}
	groups := All(o)
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	Add(fs, groups...)
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	o.Given = fs.Changed
	return o, Resolve(fs, env, groups...)
}

func TestRows(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range All(&Options{}) {
		for _, row := range g.Flags {
			name, letter := row.name()
			if seen[name] || letter != "" && seen["/"+letter] {
				t.Errorf("--%s is there twice", row.Name)
			}
			seen[name], seen["/"+letter] = true, true
			if g.Title == "" || row.Usage == "" || strings.HasSuffix(row.Usage, ".") {
				t.Errorf("--%s: group %q, usage %q", name, g.Title, row.Usage)
			}
			if row.Default != "" && row.Value.Set(row.Default) != nil {
				t.Errorf("--%s: the default %q is no value", name, row.Default)
			}
		}
	}
}

func TestNoLoginIsRememberedWithoutTime(t *testing.T) {
	for _, value := range []string{"0", "0s", "off"} {
		o, err := parse(t, nil, "--auth-cache", value)
		if err != nil || Unlimited(o.AuthCache) != 0 {
			t.Errorf("--auth-cache %s: %v, %v", value, o.AuthCache, err)
		}
	}
}

func TestDefaults(t *testing.T) {
	o, err := parse(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	checks := map[string]bool{
		"addr":                      slices.Equal(o.Addrs, []string{"localhost:2121"}),
		"user":                      o.User == "anonymous",
		"pass":                      o.Pass == "",
		"passive-port":              o.Passive == config.Ports{First: 30000, Last: 32000},
		"public-ip":                 len(o.PublicIP) == 0,
		"dir-cache-time":            o.DirCacheTime == 5*time.Minute,
		"poll-interval":             o.PollInterval == time.Minute,
		"dir-perms":                 o.DirPerms == 0o777,
		"file-perms":                o.FilePerms == 0o666,
		"umask":                     o.Umask == 0o002,
		"uid":                       int(o.UID) == max(os.Getuid(), 0),
		"gid":                       int(o.GID) == max(os.Getgid(), 0),
		"no-checksum":               !o.NoChecksum && !o.IgnoreChecksum && !o.NoModTime && !o.NoSeek && !o.ReadOnly,
		"low-level-retries":         o.Chain.Attempts == 10,
		"bwlimit":                   o.Chain.Bandwidth.String() == config.SizeOff.String(),
		"tpslimit":                  o.Chain.Rate == 0 && o.Chain.Burst == 1,
		"buffer-size":               o.BufferSize == 16<<20,
		"vfs-cache-max-age":         o.Cache.MaxAge == time.Hour,
		"vfs-cache-max-size":        o.Cache.MaxSize == config.SizeOff,
		"vfs-cache-mode":            o.Cache.Mode == CacheOff,
		"vfs-cache-poll-interval":   o.Cache.Poll == time.Minute,
		"vfs-write-ack":             o.Cache.Ack == "durable",
		"vfs-write-back":            o.Cache.WriteBack == 5*time.Second,
		"transfers":                 o.Cache.Transfers == 0,
		"vfs-cache-min-free-space":  o.Cache.MinFree == config.SizeOff,
		"shutdown-flush":            o.Cache.Flush == 0 && o.Cache.ReadAhead == 0 && !o.Cache.FastFingerprint,
		"vfs-read-chunk-size":       o.ReadChunk == 128<<20,
		"vfs-read-chunk-streams":    o.ReadStreams == 0,
		"vfs-read-chunk-size-limit": o.ReadChunkTo == config.SizeOff,
		"max-connections":           o.Chain.Connections == 0,
		"max-sessions":              o.MaxSessions == 0,
		"max-sessions-per-ip":       o.MaxSessionsPerIP == 0,
		"idle-timeout":              o.IdleTimeout == 5*time.Minute,
		"login-timeout":             o.LoginTimeout == time.Minute,
		"data-timeout":              o.DataTimeouts == Timeouts{30 * time.Second, 2 * time.Minute},
		"min-free-space":            o.MinFreeSpace == config.SizeOff,
		"min-rate":                  o.MinRate == config.SizeOff,
		"shutdown-timeout":          o.ShutdownTimeout == 30*time.Second,
		"partial-max-age":           o.PartialMaxAge == 24*time.Hour,
		"min-tls-version":           o.MinTLS == "1.2",
		"tls-data-resume":           o.DataResume == "offer",
		"min-size":                  !o.Filter.Given() && !o.Filter.IgnoreCase && !o.Filter.BlockNormDupes,
		"vfs-refresh":               !o.Warm && o.Checkers == 8,
		"vfs-case-insensitive":      !o.FoldCase,
		"rc":                        !o.RC.Enabled && !o.RC.NoAuth,
		"rc-addr":                   slices.Equal(o.RC.Addrs, []string{"localhost:5572"}),
		"list-time":                 o.ListTime == "utc",
		"ascii":                     o.ASCII == "binary",
		"cache-dir":                 o.CacheDir == "",
	}
	for name, ok := range checks {
		if !ok {
			t.Errorf("--%s has another default", name)
		}
	}
	if o.Given("user") {
		t.Error("a default counts as given")
	}
}

func TestEnvironment(t *testing.T) {
	tests := []struct {
		name string
		env  []string
		args []string
		want string // of --user
	}{
		{"nothing", nil, nil, "anonymous"},
		{"RCLONE_ before the default", []string{"RCLONE_USER=rc"}, nil, "rc"},
		{"FERRY_ before RCLONE_", []string{"FERRY_USER=fe", "RCLONE_USER=rc"}, nil, "fe"},
		{"the command line before both", []string{"FERRY_USER=fe", "RCLONE_USER=rc"}, []string{"--user", "cl"}, "cl"},
		{"an empty variable is not set", []string{"FERRY_USER=", "RCLONE_USER=rc"}, nil, "rc"},
		{"what is no flag is ignored", []string{"RCLONE_CONFIG=/x", "RCLONE_NO_SUCH=1", "nonsense"}, nil, "anonymous"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o, err := parse(t, tt.env, tt.args...)
			if err != nil || o.User != tt.want {
				t.Errorf("got %q, %v; want %q", o.User, err, tt.want)
			}
			if o.Given("user") != (tt.want != "anonymous") {
				t.Errorf("given is %v", o.Given("user"))
			}
		})
	}
	o, err := parse(t, []string{`RCLONE_EXCLUDE=*.tmp,"*.{a,b}"`}, "--include", "a,b", "--include", "c")
	if err != nil || !slices.Equal(o.Filter.Exclude, []string{"*.tmp", "*.{a,b}"}) || !slices.Equal(o.Filter.Include, []string{"a,b", "c"}) {
		t.Errorf("got %q, %q, %v", o.Filter.Exclude, o.Filter.Include, err)
	}
	o, err = parse(t, []string{"FERRY_ADDR=:1, :2", "FERRY_VERBOSE=2", "FERRY_READ_ONLY=true", "RCLONE_VFS_CACHE_MODE=full", "FERRY_DATA_TIMEOUT=1m"})
	if err != nil || !slices.Equal(o.Addrs, []string{":1", ":2"}) || o.Log.Verbose != 2 || !o.ReadOnly || o.Cache.Mode != "full" || o.DataTimeouts.Stall != time.Minute {
		t.Errorf("got %+v, %v", o, err)
	}
}
