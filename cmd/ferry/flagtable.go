package main

import (
	"math"
	"os"
	"strconv"

	"github.com/spf13/pflag"
)

// A flag is one row of the table: everything there is to know of a flag.
type flag struct {
	name  string
	short string // one letter, "" = none
	def   string
	group string
	usage string
	bare  string // the value of the flag when it stands alone; "" = it needs one
	value func(*options) pflag.Value
}

// The groups of --help, in its order.
const (
	groupServer  = "Server"
	groupTLS     = "TLS"
	groupRemote  = "Remote"
	groupVFS     = "VFS"
	groupCache   = "Cache"
	groupLogging = "Logging"
)

var groups = []string{groupServer, groupTLS, groupRemote, groupVFS, groupFilter, groupCache, groupRC, groupConfig, groupLogging}

// flagTable returns every flag of ferry serve ftp.
func flagTable() []flag {
	var all []flag
	add := func(group string, rows []flag) {
		for _, f := range rows {
			f.group = group
			all = append(all, f)
		}
	}
	add(groupServer, serverFlags())
	add(groupTLS, tlsFlags())
	add(groupRemote, remoteFlags())
	add(groupRemote, networkFlags())
	add(groupVFS, vfsFlags())
	add(groupFilter, filterFlags())
	add(groupCache, cacheFlags())
	add(groupRC, rcFlags())
	add(groupConfig, configFlags())
	add(groupLogging, loggingFlags())
	add(groupAccepted, acceptedFlags())
	add(groupRefused, refusedFlags())
	return all
}

const on = "true" // what a flag without a value means

func serverFlags() []flag {
	return []flag{
		{name: "addr", def: "localhost:2121", usage: "Address to listen on; :PORT is every address, port 0 lets the system choose. May be repeated",
			value: func(o *options) pflag.Value { return addrsValue(&o.addrs) }},
		{name: "user", def: "anonymous", usage: "User name for authentication",
			value: func(o *options) pflag.Value { return onceValue(userValue(&o.user)) }},
		{name: "pass", usage: "Password for authentication (empty value allows every password)",
			value: func(o *options) pflag.Value { return onceValue(secretValue(&o.pass)) }},
		{name: "passive-port", def: "30000-32000", usage: "Passive port range, or one port, or 0 for any",
			value: func(o *options) pflag.Value { return portsValue(&o.passive) }},
		{name: "public-ip", usage: "Public IPv4 address or host name to advertise for passive connections",
			value: func(o *options) pflag.Value { return publicIPValue(&o.publicIP) }},
		{name: "no-active", def: "false", bare: on, usage: "Refuse active data connections (PORT, EPRT)",
			value: func(o *options) pflag.Value { return boolValue(&o.noActive) }},
		{name: "allow-fxp", def: "false", bare: on, usage: "Allow data connections to and from other hosts than the client (site-to-site transfers)",
			value: func(o *options) pflag.Value { return boolValue(&o.allowFXP) }},
		{name: "allow-peer-mismatch", def: "false", bare: on, usage: "Accept data connections from another address than the control connection (load balancers)",
			value: func(o *options) pflag.Value { return boolValue(&o.allowPeerMismatch) }},
		{name: "accept-abrupt-close", def: "false", bare: on, usage: "Believe an upload whose control connection ends together with its data",
			value: func(o *options) pflag.Value { return boolValue(&o.acceptAbruptClose) }},
		{name: "max-sessions", def: "0", usage: "Sessions at once; more are sent away with 421; 0 is no limit; without this flag as many as descriptors and memory of the process allow",
			value: func(o *options) pflag.Value { return uintValue(&o.maxSessions) }},
		{name: "max-sessions-per-ip", def: "0", usage: "Sessions at once from one address, or from one IPv6 network of 64 bits; 0 is no limit",
			value: func(o *options) pflag.Value { return uintValue(&o.maxSessionsPerIP) }},
		{name: "idle-timeout", def: "5m", usage: "Time without a command or transfer after which a session ends",
			value: func(o *options) pflag.Value { return limitValue(&o.idleTimeout) }},
		{name: "login-timeout", def: "1m", usage: "Time to log in",
			value: func(o *options) pflag.Value { return limitValue(&o.loginTimeout) }},
		{name: "data-timeout", def: "30s,2m", usage: "Time for a data connection to come about, and time without a byte after which a transfer ends; one value sets both",
			value: func(o *options) pflag.Value { return dataTimeoutsValue(&o.dataTimeouts) }},
		{name: "min-rate", def: "off", usage: "Bytes a second; a transfer that its client makes slower than that for a minute ends",
			value: func(o *options) pflag.Value { return sizeValue(&o.minRate) }},
		{name: "shutdown-timeout", def: "30s", usage: "Time that running transfers have to finish when the server is stopped",
			value: func(o *options) pflag.Value { return durationValue(&o.shutdownTimeout) }},
		{name: "list-time", def: "utc", usage: "Time zone of LIST; MLSD and MDTM are always UTC",
			value: func(o *options) pflag.Value { return choiceValue(&o.listTime, "utc", "local") }},
		{name: "ascii", def: "binary", usage: "TYPE A leaves bytes as they are (binary) or converts line ends (convert)",
			value: func(o *options) pflag.Value { return choiceValue(&o.ascii, "binary", "convert") }},
	}
}

func tlsFlags() []flag {
	return []flag{
		{name: "cert", usage: "TLS certificate file (PEM, with its chain); read again when it changes",
			value: func(o *options) pflag.Value { return textValue(&o.cert) }},
		{name: "key", usage: "TLS private key file (PEM)",
			value: func(o *options) pflag.Value { return textValue(&o.key) }},
		{name: "tls", def: "off", usage: "Make a certificate and keep it in the cache directory (self-signed); --cert and --key need no --tls",
			value: func(o *options) pflag.Value { return choiceValue(&o.tls, "off", "self-signed") }},
		{name: "implicit-tls-addr", usage: "Address to listen on for implicit TLS, such as :990. May be repeated",
			value: func(o *options) pflag.Value { return addrsValue(&o.implicitAddrs) }},
		{name: "require-tls", def: "false", bare: on, usage: "Refuse logins and data connections without TLS",
			value: func(o *options) pflag.Value { return boolValue(&o.requireTLS) }},
		{name: "min-tls-version", def: "1.2", usage: "Oldest TLS version that is accepted",
			value: func(o *options) pflag.Value { return tlsVersionValue(&o.minTLS) }},
		{name: "tls-data-resume", def: "offer", usage: "Whether data connections may or must resume the TLS session of their control connection",
			value: func(o *options) pflag.Value { return choiceValue(&o.dataResume, "off", "offer", "require") }},
	}
}

func vfsFlags() []flag {
	return []flag{
		{name: "read-only", def: "false", bare: on, usage: "Refuse every change",
			value: func(o *options) pflag.Value { return boolValue(&o.readOnly) }},
		{name: "dry-run", short: "n", def: "false", bare: on, usage: "The same as --read-only",
			value: func(o *options) pflag.Value { return boolValue(&o.dryRun) }},
		{name: "interactive", short: "i", def: "false", bare: on, usage: "The same as --read-only: nobody can be asked about a change",
			value: func(o *options) pflag.Value { return boolValue(&o.interactive) }},
		{name: "dir-perms", def: "0777", usage: "Permissions shown for directories, instead of the remote's own",
			value: func(o *options) pflag.Value { return fileModeValue(&o.dirPerms) }},
		{name: "file-perms", def: "0666", usage: "Permissions shown for files, instead of the remote's own",
			value: func(o *options) pflag.Value { return fileModeValue(&o.filePerms) }},
		{name: "umask", def: "0002", usage: "Permissions taken away from those that are shown (rclone's default is 022)",
			value: func(o *options) pflag.Value { return fileModeValue(&o.umask) }},
		{name: "uid", def: ownID(os.Getuid()), usage: "Owner shown for everything",
			value: func(o *options) pflag.Value { return idValue(&o.uid) }},
		{name: "gid", def: ownID(os.Getgid()), usage: "Group shown for everything",
			value: func(o *options) pflag.Value { return idValue(&o.gid) }},
		{name: "no-modtime", def: "false", bare: on, usage: "Neither show nor set modification times",
			value: func(o *options) pflag.Value { return boolValue(&o.noModTime) }},
		{name: "use-server-modtime", def: "false", bare: on, usage: "Show the time of the upload instead of the modification time that was set (s3)",
			value: func(o *options) pflag.Value { return boolValue(&o.serverModTime) }},
		{name: "no-seek", def: "false", bare: on, usage: "Refuse downloads from an offset",
			value: func(o *options) pflag.Value { return boolValue(&o.noSeek) }},
		{name: "copy-links", short: "L", def: "false", bare: on, usage: "Follow symbolic links that stay inside a local directory",
			value: func(o *options) pflag.Value { return boolValue(&o.copyLinks) }},
		{name: "min-free-space", def: "off", usage: "Space that uploads leave free on the disk of a local directory",
			value: func(o *options) pflag.Value { return sizeValue(&o.minFreeSpace) }},
		{name: "require-mount", def: "false", bare: on, usage: "Serve a local directory only while a file system is mounted there: as /etc/fstab says, else any; =false forgets that one was mounted when it was served before",
			value: func(o *options) pflag.Value { return boolValue(&o.requireMount) }},
		{name: "vfs-case-insensitive", def: "false", bare: on, usage: "Find a name that does not exist in another case, if there is just one",
			value: func(o *options) pflag.Value { return boolValue(&o.foldCase) }},
		{name: "vfs-block-norm-dupes", def: "false", bare: on, usage: "Hide names that look like another of the same directory and are not in Unicode's normal form C",
			value: func(o *options) pflag.Value { return boolValue(&o.filter.blockNormDupes) }},
		{name: "partial-max-age", def: "24h", usage: "Time for which an unfinished upload can be continued",
			value: func(o *options) pflag.Value { return limitValue(&o.partialMaxAge) }},
		{name: "no-checksum", def: "false", bare: on, usage: "Do not compare checksums on upload and download; --no-checksum=false compares those of large files too",
			value: func(o *options) pflag.Value { return boolValue(&o.noChecksum) }},
		{name: "ignore-checksum", def: "false", bare: on, usage: "The same as --no-checksum",
			value: func(o *options) pflag.Value { return boolValue(&o.ignoreChecksum) }},
		{name: "vfs-disk-space-total-size", def: "off", usage: "Size of the whole storage, for AVBL, instead of what the remote says",
			value: func(o *options) pflag.Value { return sizeValue(&o.totalSpace) }},
		{name: "vfs-used-is-size", def: "false", bare: on, usage: "Take the sizes of all files for the space that is used, for AVBL; it lists everything",
			value: func(o *options) pflag.Value { return boolValue(&o.usedIsSize) }},
		{name: "dir-cache-time", def: "5m", usage: "Time to cache directory entries for; 0 asks the remote each time",
			value: func(o *options) pflag.Value { return durationValue(&o.dirCacheTime) }},
		{name: "vfs-refresh", def: "false", bare: on, usage: "List the whole tree at the start, so that it is remembered; best with a long --dir-cache-time",
			value: func(o *options) pflag.Value { return boolValue(&o.warm) }},
		{name: "checkers", def: "8", usage: "How many directories --vfs-refresh lists at a time",
			value: func(o *options) pflag.Value { return uintValue(&o.checkers) }},
		{name: "dir-refresh-wait", def: "0s", usage: "Time a refresh may take before the old listing is shown; 0 waits for it",
			value: func(o *options) pflag.Value { return durationValue(&o.dirRefreshWait) }},
		{name: "vfs-remote-wait", def: "5s", usage: "Time to wait for the remote where there is another answer: an old listing, what is cached, what waits to be sent; 0 waits as long as for any other answer, 30 seconds",
			value: func(o *options) pflag.Value { return durationValue(&o.remoteWait) }},
		{name: "poll-interval", def: "1m", usage: "Time between polls for changes, on remotes that support it (s3 on MinIO, which tells at once); smaller than --dir-cache-time; 0 disables",
			value: func(o *options) pflag.Value { return durationValue(&o.pollInterval) }},
		{name: "buffer-size", def: "16M", usage: "Memory to read ahead for each open file; below 512K nothing is read ahead",
			value: func(o *options) pflag.Value { return sizeValue(&o.bufferSize) }},
		{name: "max-buffer-memory", def: "256M", usage: "Memory to read ahead for all open files together; when they are many, each gets less",
			value: func(o *options) pflag.Value { return sizeValue(&o.maxBufferMemory) }},
		{name: "vfs-read-chunk-size", def: "128M", usage: "Read files in requests of this size; without this flag and the two below, of what turns out to be quickest",
			value: func(o *options) pflag.Value { return sizeValue(&o.readChunk) }},
		{name: "vfs-read-chunk-size-limit", def: "off", usage: "Double the chunk size after each chunk until this limit",
			value: func(o *options) pflag.Value { return sizeValue(&o.readChunkTo) }},
		{name: "vfs-read-chunk-streams", def: "0", usage: "Read this many chunks at a time, all of --vfs-read-chunk-size; 0 is one after the other",
			value: func(o *options) pflag.Value { return uintValue(&o.readStreams) }},
	}
}

func loggingFlags() []flag {
	return []flag{
		{name: "verbose", short: "v", def: "0", bare: countOne, usage: "Log more: -v for INFO, -vv for DEBUG",
			value: func(o *options) pflag.Value { return countValue(&o.log.verbose) }},
		{name: "quiet", short: "q", def: "false", bare: on, usage: "Log errors only",
			value: func(o *options) pflag.Value { return boolValue(&o.log.quiet) }},
		{name: "log-level", def: "NOTICE", usage: "Least level that is logged",
			value: func(o *options) pflag.Value { return choiceValue(&o.log.level, levelWords...) }},
		{name: "log-file", usage: "Log to the end of this file instead of standard error",
			value: func(o *options) pflag.Value { return textValue(&o.log.file) }},
		{name: "log-format", def: "text", usage: "Form of the log",
			value: func(o *options) pflag.Value { return logFormatValue(&o.log.format) }},
		{name: "use-json-log", def: "false", bare: on, usage: "The same as --log-format json",
			value: func(o *options) pflag.Value { return boolValue(&o.log.json) }},
		{name: "log-systemd", def: "false", bare: on, usage: "Begin lines with the level that systemd knows, in place of the time",
			value: func(o *options) pflag.Value { return boolValue(&o.log.systemd) }},
		{name: "stats", def: "0s", usage: "Time between log lines with what the server and the remote did; 0 is none",
			value: func(o *options) pflag.Value { return durationValue(&o.log.stats) }},
		{name: "stats-log-level", def: "INFO", usage: "Level of those lines",
			value: func(o *options) pflag.Value { return choiceValue(&o.log.statsLevel, levelWords...) }},
	}
}

// ownID is the process's own user or group as a default, 0 on systems without.
func ownID(id int) string {
	if id < 0 || id > math.MaxUint32 {
		id = 0
	}
	return strconv.Itoa(id)
}
