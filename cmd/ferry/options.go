package main

import (
	"io/fs"
	"time"

	"ferry/config"
)

// options are the values of all flags. The table of flags (flagtable.go) says what each is.
type options struct {
	addrs             []string
	user              string
	pass              secret
	passive           config.Ports
	publicIP          string
	noActive          bool
	allowFXP          bool
	allowPeerMismatch bool
	acceptAbruptClose bool
	maxSessions       uint32
	maxSessionsPerIP  uint32
	idleTimeout       time.Duration
	loginTimeout      time.Duration
	dataTimeouts      dataTimeouts
	minRate           config.Size
	shutdownTimeout   time.Duration
	listTime          string
	ascii             string

	cert, key     string
	tls           string
	implicitAddrs []string
	requireTLS    bool
	minTLS        string
	dataResume    string

	chain   chainOptions
	network networkOptions
	rc      rcOptions

	readOnly               bool
	dryRun, interactive    bool // as readOnly
	dirPerms, filePerms    fs.FileMode
	umask                  fs.FileMode
	uid, gid               uint32
	noModTime              bool
	serverModTime          bool
	noSeek                 bool
	foldCase               bool
	filter                 filterOptions
	noChecksum             bool
	ignoreChecksum         bool // as noChecksum
	totalSpace             config.Size
	usedIsSize             bool
	copyLinks              bool
	requireMount           bool
	minFreeSpace           config.Size
	partialMaxAge          time.Duration
	dirCacheTime           time.Duration
	dirRefreshWait         time.Duration
	remoteWait             time.Duration
	warm                   bool
	checkers               uint32
	pollInterval           time.Duration
	bufferSize             config.Size
	maxBufferMemory        config.Size
	readChunk, readChunkTo config.Size
	readStreams            uint32

	cacheDir string
	places   places // by cacheDir
	cache    cacheOptions

	config  configOptions
	backend map[string]string // flags of types of remotes that were given, by name
	log     logOptions

	// given reports whether a flag was set on the command line or in the environment.
	given func(flag string) bool
}

type logOptions struct {
	verbose int
	quiet   bool
	level   string
	file    string
	opened  *logFile // by file; nil = the log goes to standard error
	format  string
	json    bool // as format json
	systemd bool

	stats      time.Duration
	statsLevel string
}
