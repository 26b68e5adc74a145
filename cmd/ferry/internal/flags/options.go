package flags

import (
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"time"

	"ferry/config"
	"ferry/remote/network"
)

// Options are the values of all flags. The table says what each is.
type Options struct {
	Addrs             []string
	User              string
	Pass              Secret
	Users             string // file; "" = none
	ServerConfig      string // file; "" = none
	UsersThere        bool   // it has users
	AuthCache         time.Duration
	Auth              AuthOptions
	Passive           config.Ports
	PublicIP          []PublicIP
	NoActive          bool
	AllowFXP          bool
	AllowPeerMismatch bool
	AcceptAbruptClose bool
	MaxSessions       uint32
	MaxSessionsPerIP  uint32
	IdleTimeout       time.Duration
	LoginTimeout      time.Duration
	DataTimeouts      Timeouts
	MinRate           config.Size
	DrainDelay        time.Duration
	ShutdownTimeout   time.Duration
	Defence           DefenceOptions
	ListTime          string
	ASCII             string

	Cert, Key     []string // of one length
	ClientCA      string
	ClientCert    string // off, optional or required
	TLS           string
	ImplicitAddrs []string
	RequireTLS    bool
	MinTLS        string
	DataResume    string
	ACME          ACMEOptions

	Chain   ChainOptions
	Network NetworkOptions
	RC      RCOptions
	Metrics MetricsOptions

	ReadOnly               bool
	DryRun, Interactive    bool // as ReadOnly
	DirPerms, FilePerms    fs.FileMode
	Umask                  fs.FileMode
	UID, GID               uint32
	NoModTime              bool
	ServerModTime          bool
	OddNames               string
	NoSeek                 bool
	FoldCase               bool
	Filter                 FilterOptions
	NoChecksum             bool
	IgnoreChecksum         bool // as NoChecksum
	TotalSpace             config.Size
	UsedIsSize             bool
	CopyLinks              bool
	RequireMount           bool
	MinFreeSpace           config.Size
	PartialMaxAge          time.Duration
	DirCacheTime           time.Duration
	DirRefreshWait         time.Duration
	RemoteWait             time.Duration
	Warm                   bool
	Checkers               uint32
	PollInterval           time.Duration
	BufferSize             config.Size
	MaxBufferMemory        config.Size
	ReadChunk, ReadChunkTo config.Size
	ReadStreams            uint32

	CacheDir string
	Cache    CacheOptions

	Config  ConfigOptions
	Backend map[string]string // flags of types of remotes that were given, by name
	Log     LogOptions
	Records RecordOptions
	Hooks   HookOptions
	Cluster ClusterOptions

	// Given reports whether a flag was set on the command line or in the environment.
	Given func(flag string) bool
}

// LogOptions say what is logged, and where to.
type LogOptions struct {
	Verbose int
	Quiet   bool
	Level   string
	File    string
	Format  string
	JSON    bool // as format json
	Systemd bool

	Stats      time.Duration
	StatsLevel string
}

// HasTLS reports whether there is to be a certificate.
func (o *Options) HasTLS() bool {
	return len(o.Cert) > 0 || o.TLS == "self-signed" || len(o.ACME.Names) > 0
}

// MinTLSVersion is the oldest version that is accepted.
func (o *Options) MinTLSVersion() uint16 { return tlsVersions[o.MinTLS] }

// IsReadOnly reports whether no change is let through: asking about each, and only trying, are no
// use to a client.
func (o *Options) IsReadOnly() bool { return o.ReadOnly || o.DryRun || o.Interactive }

// checkPolling refuses an interval within which directories would have expired anyway.
func (o *Options) checkPolling() error {
	if d := Unlimited(o.PollInterval); o.Given("poll-interval") && d > 0 && d >= o.DirCacheTime {
		return Usagef("--poll-interval %s must be smaller than --dir-cache-time %s: lower the one, or raise the other",
			config.FormatDuration(d), config.FormatDuration(o.DirCacheTime))
	}
	return nil
}

// UsedPollInterval is the interval that the flags ask for; nobody has to lower the default when
// directories expire sooner.
func (o *Options) UsedPollInterval() time.Duration {
	if o.Given("poll-interval") {
		return Unlimited(o.PollInterval)
	}
	return min(o.PollInterval, o.DirCacheTime/2)
}

// Check refuses flags that contradict each other.
func (o *Options) Check() error {
	switch {
	case o.checkUsers() != nil:
		return o.checkUsers()
	case len(o.Cert) > 0 && len(o.Key) == 0:
		return Usagef("--cert needs --key, the file with its private key (it may be the same file)")
	case len(o.Key) > 0 && len(o.Cert) == 0:
		return Usagef("--key needs --cert, the file with its certificate")
	case len(o.Cert) != len(o.Key):
		return Usagef("--cert names %d files and --key %d: give each certificate its key, in the same order (one file may be both)",
			len(o.Cert), len(o.Key))
	case o.ClientCA != "" && !o.HasTLS():
		return Usagef("--tls-client-ca needs a certificate of the server: give --acme, or --cert and --key, or --tls self-signed")
	case o.ClientCA == "" && o.ClientCert == "required":
		return Usagef("--tls-client-cert required needs --tls-client-ca, the certificates of who signs those of clients")
	case len(o.Cert) > 0 && o.TLS != "off":
		return Usagef("--tls self-signed and --cert exclude each other: give one of them")
	case len(o.ACME.Names) > 0 && o.TLS != "off":
		return Usagef("--tls self-signed and --acme exclude each other: give one of them")
	case o.ACME.Check(o.Given) != nil:
		return o.ACME.Check(o.Given)
	case o.RequireTLS && !o.HasTLS():
		return Usagef("--require-tls needs a certificate: give --acme, or --cert and --key, or --tls self-signed")
	case len(o.ImplicitAddrs) > 0 && !o.HasTLS():
		return Usagef("--implicit-tls-addr needs a certificate: give --acme, or --cert and --key, or --tls self-signed")
	case o.checkPolling() != nil:
		return o.checkPolling()
	case o.RC.Check() != nil:
		return o.RC.Check()
	case o.Cluster.checkFeeds(&o.RC) != nil:
		return o.Cluster.checkFeeds(&o.RC)
	case o.Records.check() != nil:
		return o.Records.check()
	case o.Hooks.check() != nil:
		return o.Hooks.check()
	case o.Cluster.check(o.Given) != nil:
		return o.Cluster.check(o.Given)
	case o.Log.Quiet && o.Log.Verbose > 0:
		return Usagef("-q and -v exclude each other: give one of them")
	case o.Given("log-level") && (o.Log.Quiet || o.Log.Verbose > 0):
		return Usagef("--log-level excludes -q and -v: give one of them")
	}
	return nil
}

// AuthOptions are the values of the flags about users whom others know.
type AuthOptions struct {
	Htpasswd, Passwd string // files
	Proxy            string // a program with arguments
	URL              string
	Protocol         string // of URL: rclone, sftpgo or aws
	AWSRemote        string // of which buckets are directories
	Stale            time.Duration
}

// HasUsers reports whether there are users besides the one of --user.
func (o *Options) HasUsers() bool { return len(o.UserSources()) > 0 }

// UserSources returns the flags that say who the users are.
func (o *Options) UserSources() []string {
	var given []string
	for name, value := range map[string]string{
		"users": o.Users, "htpasswd": o.Auth.Htpasswd, "passwd": o.Auth.Passwd, "auth-proxy": o.Auth.Proxy, "auth-url": o.Auth.URL,
	} {
		if value != "" {
			given = append(given, "--"+name)
		}
	}
	slices.Sort(given)
	if o.UsersThere {
		given = append(given, "the users of "+o.ServerConfig)
	}
	return given
}

func (o *Options) checkUsers() error {
	given := o.UserSources()
	switch {
	case len(given) > 1:
		return Usagef("%s exclude each other: give one of them", strings.Join(given, " and "))
	case len(given) == 1 && (o.Given("user") || o.Given("pass")):
		return Usagef("%s and --user or --pass exclude each other: leave out the one user of the command line", given[0])
	case o.Auth.URL != "" && o.Auth.Protocol == "aws" && o.Auth.AWSRemote == "":
		return Usagef("--auth-protocol aws needs --auth-aws-remote, the remote of which buckets are directories, such as s3:")
	}
	return nil
}

// Unlimited turns "off" into the 0 that means no limit below this package.
func Unlimited(d time.Duration) time.Duration {
	if d == config.DurationOff {
		return 0
	}
	return d
}

// CacheOptions are the values of the flags about the disk cache.
type CacheOptions struct {
	Mode            string // one of CacheModes
	Ack             string // remote, durable or spooled
	WriteBack       time.Duration
	Transfers       uint32 // 0 = auto
	MaxAge          time.Duration
	MaxSize         config.Size
	MinFree         config.Size
	Poll            time.Duration
	ReadAhead       config.Size
	FastFingerprint bool
	Flush           time.Duration // when ferry stops
}

// ChainOptions are the values of the flags that say how a remote is used.
type ChainOptions struct {
	Attempts    uint32
	Bandwidth   config.Bandwidth
	Rate        float64 // calls per second; 0 = no limit
	Burst       uint32
	Connections uint32 // calls under way at once; 0 = no limit
}

// NetworkOptions are the values of the flags that say how the servers of remotes are reached.
type NetworkOptions struct {
	Connect, Idle         time.Duration // 0 = for ever
	CACerts               []string
	ClientCert, ClientKey string
	TrustAll              bool
	Bind                  netip.Addr
	HTTP                  network.HTTP
}

// RCOptions are the values of the flags of the remote control.
type RCOptions struct {
	Enabled     bool
	Addrs       []string // host:port, or unix:///path
	User        string
	Pass        Secret
	Htpasswd    string
	ReadUser    string // may read
	ReadPass    Secret
	NoAuth      bool
	UI          bool // its page is wanted, so that it is there
	Cert, Key   string
	AllowOrigin string
	BaseURL     string
}

// DefenceOptions are the values of the flags that say who is kept away.
type DefenceOptions struct {
	Allow, Deny, Trusted []netip.Prefix
	Bans                 string         // on or off
	AuthLog              string         // file; "" = none
	Proxies              []netip.Prefix // that send a PROXY header
}

// ConfigOptions say where the configuration is and how it is opened.
type ConfigOptions struct {
	Path            ConfigPath
	PasswordCommand []string
	AskPassword     bool
}

// A ConfigPath is given when it was set, be it to nothing: then the configuration is in memory.
type ConfigPath struct {
	Path  string
	Given bool
}

// FilterOptions are the values of the flags that say which files and directories are served.
type FilterOptions struct {
	Include, IncludeFrom []string
	Exclude, ExcludeFrom []string
	Rules, RulesFrom     []string
	ExcludeIfPresent     []string
	FilesFrom            []string
	FilesFromRaw         []string
	FilesFrom0           []string
	MaxDepth             int
	HashPart             string
	MinSize, MaxSize     config.Size
	MinAge, MaxAge       time.Duration
	IgnoreCase           bool
	BlockNormDupes       bool
}
