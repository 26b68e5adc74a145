package flags

import (
	"math"
	"os"
	"strconv"

	"ferry/config"
)

// All returns every flag that ferry serve ftp has, bound to o, by the groups of --help in their
// order.
func All(o *Options) []Group { return append(Serve(o), Config(o), Logging(o)) }

// Serve returns those that are its own.
func Serve(o *Options) []Group {
	return []Group{
		{"Server", serverFlags(o)},
		{"Defence", defenceFlags(o)},
		{"TLS", tlsFlags(o)},
		Certificates(o),
		{"Remote", append(chainFlags(o), networkFlags(o)...)},
		{"VFS", vfsFlags(o)},
		{"Filter", filterFlags(o)},
		Cache(o),
		RC(o),
		Metrics(o),
		Records(o),
		Hooks(o),
		Cluster(o),
		{accepted, acceptedFlags()},
		{refused, refusedFlags()},
	}
}

// Network returns the flags of every command that connects to remotes.
func Network(o *Options) Group { return Group{"Remote", networkFlags(o)} }

// Cache returns the flags about the disk cache.
func Cache(o *Options) Group { return Group{"Cache", cacheFlags(o)} }

// RC returns the flags of the remote control.
func RC(o *Options) Group { return Group{rcTitle, rcFlags(o)} }

// Users returns the flags about the file of users.
func Users(o *Options) Group {
	return Group{"Users", []Flag{
		usersFlag(o),
		serverConfigFlag(o),
	}}
}

// ServerConfig returns the flag of the file that has the others.
func ServerConfig(o *Options) Group { return Group{"Server", []Flag{serverConfigFlag(o)}} }

// Config returns the flags of every command that reads the configuration.
func Config(o *Options) Group { return Group{configTitle, configFlags(o)} }

// Logging returns the flags of every command that logs.
func Logging(o *Options) Group { return Group{loggingTitle, loggingFlags(o)} }

// Titles that mean something besides.
const (
	rcTitle      = "Remote control"
	configTitle  = "Configuration"
	loggingTitle = "Logging"
	accepted     = "Accepted"  // --help leaves it out
	refused      = "Not there" // and this one
)

func usersFlag(o *Options) Flag {
	return Flag{"users", "", file(&o.Users), "File of users and what each of them sees and may do (TOML), read again when it changes; doc/users.md has its keys"}
}

func serverConfigFlag(o *Options) Flag {
	return Flag{"server-config", "", file(&o.ServerConfig), "File of flags, and users, and what to serve (TOML); flags and variables go before it; doc/configuration.md has its keys"}
}

func serverFlags(o *Options) []Flag {
	return []Flag{
		{"addr", "localhost:2121", addrs(&o.Addrs), "Address to listen on; :PORT is every address, port 0 lets the system choose. May be repeated"},
		{"user", "anonymous", once(userName(&o.User)), "User name for authentication"},
		{"pass", "", once(secret(&o.Pass)), "Password for authentication (empty value allows every password)"},
		usersFlag(o),
		serverConfigFlag(o),
		{"htpasswd", "", file(&o.Auth.Htpasswd), "File of users and passwords, as made by htpasswd; all see the remote, in which {user} may stand; read again when it changes"},
		{"passwd", "", file(&o.Auth.Passwd), "File of users of ProFTPD (AuthUserFile) or Pure-FTPd (pureftpd.passwd), who see their home directories; read again when it changes"},
		{"auth-proxy", "", text(&o.Auth.Proxy), "Program, with arguments, that is asked about each user and answers with the remote (JSON, as for rclone)"},
		{"auth-url", "", text(&o.Auth.URL), "Address of a service that is asked about each user by POST"},
		{"auth-protocol", "rclone", choice(&o.Auth.Protocol, "rclone", "sftpgo", "aws"), "What the service of --auth-url is asked, and answers"},
		{"auth-aws-remote", "", text(&o.Auth.AWSRemote), "Remote of which buckets are directories, for --auth-protocol aws"},
		{"auth-stale", "0s", Duration(&o.Auth.Stale), "Time for which users are still let in whom a program or service knew that cannot be asked any more"},
		{"auth-cache", "5m", Duration(&o.AuthCache), "Time for which a login that was right is remembered in memory, so that its hash is not computed again, and nobody asked; 0 is not at all"},
		{"passive-port", "30000-32000", ports(&o.Passive), "Passive port range, or one port, or 0 for any"},
		{"public-ip", "", publicIPs(&o.PublicIP), "Public IPv4 address or host name to advertise for passive connections, or several by the network of the client: 10.0.0.0/8=10.1.2.3,default=ftp.example.org"},
		{"no-active", "false", toggle(&o.NoActive), "Refuse active data connections (PORT, EPRT)"},
		{"allow-fxp", "false", toggle(&o.AllowFXP), "Allow data connections to and from other hosts than the client (site-to-site transfers)"},
		{"allow-peer-mismatch", "false", toggle(&o.AllowPeerMismatch), "Accept data connections from another address than the control connection (load balancers)"},
		{"accept-abrupt-close", "false", toggle(&o.AcceptAbruptClose), "Believe an upload whose control connection ends together with its data"},
		{"max-sessions", "0", number(&o.MaxSessions), "Sessions at once; more are sent away with 421; 0 is no limit; without this flag as many as descriptors and memory of the process allow"},
		{"max-sessions-per-ip", "0", number(&o.MaxSessionsPerIP), "Sessions at once from one address, or from one IPv6 network of 64 bits; 0 is no limit"},
		{"idle-timeout", "5m", limit(&o.IdleTimeout), "Time without a command or transfer after which a session ends"},
		{"login-timeout", "1m", limit(&o.LoginTimeout), "Time to log in"},
		{"data-timeout", "30s,2m", timeouts(&o.DataTimeouts), "Time for a data connection to come about, and time without a byte after which a transfer ends; one value sets both"},
		{"min-rate", "off", size(&o.MinRate), "Bytes a second; a transfer that its client makes slower than that for a minute ends"},
		{"drain-delay", "0s", Duration(&o.DrainDelay), "Time between telling health checks that the server leaves and refusing connections"},
		{"shutdown-timeout", "30s", Duration(&o.ShutdownTimeout), "Time that running transfers have to finish when the server is stopped"},
		{"list-time", "utc", choice(&o.ListTime, "utc", "local"), "Time zone of LIST; MLSD and MDTM are always UTC"},
		{"ascii", "binary", choice(&o.ASCII, "binary", "convert"), "TYPE A leaves bytes as they are (binary) or converts line ends (convert)"},
	}
}

func defenceFlags(o *Options) []Flag {
	return []Flag{
		{"allow", "", networks(&o.Defence.Allow), "Networks or addresses whose clients are served; others are sent away before the greeting. May be repeated"},
		{"deny", "", networks(&o.Defence.Deny), "Networks or addresses whose clients are not served, even if --allow names them. May be repeated"},
		{"bans", "on", choice(&o.Defence.Bans, "on", "off"), "Keep addresses away that try passwords or speak something else than FTP, for 15 minutes, and twice as long each time"},
		{"trusted", "", networks(&o.Defence.Trusted), "Networks or addresses that are never banned; those of this machine are not either. May be repeated"},
		{"proxy-protocol", "", networks(&o.Defence.Proxies), "Networks or addresses of load balancers, whose connections all begin with a header of the PROXY protocol, version 1 or 2. May be repeated"},
		{"auth-log", "", file(&o.Defence.AuthLog), "File with a line for each login and each refused one, as vsftpd writes it, for fail2ban; opened again on SIGHUP"},
	}
}

func tlsFlags(o *Options) []Flag {
	return []Flag{
		{"cert", "", files(&o.Cert), "TLS certificate file (PEM, with its chain); read again when it changes. May be repeated, with a --key each: the name that a client gives to the server chooses"},
		{"key", "", files(&o.Key), "TLS private key file (PEM). May be repeated, in the order of --cert"},
		{"tls-client-ca", "", file(&o.ClientCA), "Certificates (PEM) of who signs those of clients; which user a certificate is for says the file of users"},
		{"tls-client-cert", "optional", choice(&o.ClientCert, "off", "optional", "required"), "Whether clients are asked for a certificate, with --tls-client-ca"},
		{"tls", "off", choice(&o.TLS, "off", "self-signed"), "Make a certificate and keep it in the cache directory (self-signed); --cert and --key need no --tls"},
		{"implicit-tls-addr", "", addrs(&o.ImplicitAddrs), "Address to listen on for implicit TLS, such as :990. May be repeated"},
		{"require-tls", "false", toggle(&o.RequireTLS), "Refuse logins and data connections without TLS"},
		{"min-tls-version", "1.2", tlsVersion(&o.MinTLS), "Oldest TLS version that is accepted"},
		{"tls-data-resume", "offer", choice(&o.DataResume, "off", "offer", "require"), "Whether data connections may or must resume the TLS session of their control connection"},
	}
}

func chainFlags(o *Options) []Flag {
	return []Flag{
		{"low-level-retries", "10", number(&o.Chain.Attempts), "How often a call to the remote is made at most when it fails on the way"},
		{"bwlimit", "off", bandwidth(&o.Chain.Bandwidth), "Bytes per second to and from the remote: a rate (10M), UP:DOWN (1M:off), or a timetable (\"08:00,512 19:00,off\")"},
		{"tpslimit", "0", rate(&o.Chain.Rate), "Calls to the remote per second; 0 is no limit"},
		{"tpslimit-burst", "1", number(&o.Chain.Burst), "Calls that --tpslimit lets begin at once after a pause"},
		{"max-connections", "0", number(&o.Chain.Connections), "Calls to the remote that are under way at once, running downloads and uploads among them; the others wait; 0 is no limit"},
	}
}

func networkFlags(o *Options) []Flag {
	return []Flag{
		{"contimeout", "1m", Duration(&o.Network.Connect), "Time for a connection to the remote to come about; 0 is no limit"},
		{"timeout", "5m", Duration(&o.Network.Idle), "Time without a byte after which a connection to the remote is given up; 0 is no limit"},
		{"ca-cert", "", paths(&o.Network.CACerts), "File of certificates (PEM) that the remote's is checked with, instead of the system's. May be repeated"},
		{"client-cert", "", file(&o.Network.ClientCert), "Certificate file (PEM) to show to the remote"},
		{"client-key", "", file(&o.Network.ClientKey), "Private key file (PEM) of --client-cert"},
		{"no-check-certificate", "false", toggle(&o.Network.TrustAll), "Trust any certificate of the remote. Whoever is in between can read along"},
		{"bind", "", bindAddr(&o.Network.Bind), "Address or name of this machine that connections to the remote come from"},
		{"user-agent", "", text(&o.Network.HTTP.UserAgent), "What HTTP requests say who is asking"},
		{"header", "", headers(&o.Network.HTTP.Headers), "Line of every HTTP request, as in 'X-Tenant: 7'. May be repeated"},
		{"header-download", "", headers(&o.Network.HTTP.Download), "The same for requests that read (GET)"},
		{"header-upload", "", headers(&o.Network.HTTP.Upload), "The same for requests that send something (PUT, POST, PATCH)"},
		{"http-proxy", "", proxy(&o.Network.HTTP.Proxy), "URL of a proxy for HTTP requests, instead of that of the environment"},
		{"disable-http-keep-alives", "false", toggle(&o.Network.HTTP.CloseEach), "Use each HTTP connection for one request"},
		{"expect-continue-timeout", "1s", Duration(&o.Network.HTTP.ExpectContinue), "Time for a server to let an upload begin"},
	}
}

func vfsFlags(o *Options) []Flag {
	return []Flag{
		{"read-only", "false", toggle(&o.ReadOnly), "Refuse every change"},
		{"dry-run/n", "false", toggle(&o.DryRun), "The same as --read-only"},
		{"interactive/i", "false", toggle(&o.Interactive), "The same as --read-only: nobody can be asked about a change"},
		{"dir-perms", "0777", fileMode(&o.DirPerms), "Permissions shown for directories, instead of the remote's own"},
		{"file-perms", "0666", fileMode(&o.FilePerms), "Permissions shown for files, instead of the remote's own"},
		{"umask", "0002", fileMode(&o.Umask), "Permissions taken away from those that are shown (rclone's default is 022)"},
		{"uid", ownID(os.Getuid()), id(&o.UID), "Owner shown for everything"},
		{"gid", ownID(os.Getgid()), id(&o.GID), "Group shown for everything"},
		{"no-modtime", "false", toggle(&o.NoModTime), "Neither show nor set modification times"},
		{"use-server-modtime", "false", toggle(&o.ServerModTime), "Show the time of the upload instead of the modification time that was set (s3)"},
		{"no-seek", "false", toggle(&o.NoSeek), "Refuse downloads from an offset"},
		{"copy-links/L", "false", toggle(&o.CopyLinks), "Follow symbolic links that stay inside a local directory"},
		{"min-free-space", "off", size(&o.MinFreeSpace), "Space that uploads leave free on the disk of a local directory"},
		{"require-mount", "false", toggle(&o.RequireMount), "Serve a local directory only while a file system is mounted there: as /etc/fstab says, else any; =false forgets that one was mounted when it was served before"},
		{"vfs-case-insensitive", "false", toggle(&o.FoldCase), "Find a name that does not exist in another case, if there is just one"},
		{"vfs-block-norm-dupes", "false", toggle(&o.Filter.BlockNormDupes), "Hide names that look like another of the same directory and are not in Unicode's normal form C"},
		{"vfs-odd-names", "skip", choice(&o.OddNames, "skip", "encode"), "Leave out what other programs stored under keys that are no paths, as a//b or a/../b, or show it as a/odd==/b and a/odd=..=/b (s3, gcs, azureblob)"},
		{"partial-max-age", "24h", limit(&o.PartialMaxAge), "Time for which an unfinished upload can be continued"},
		{"no-checksum", "false", toggle(&o.NoChecksum), "Do not compare checksums on upload and download; --no-checksum=false compares those of large files too"},
		{"ignore-checksum", "false", toggle(&o.IgnoreChecksum), "The same as --no-checksum"},
		{"vfs-disk-space-total-size", "off", size(&o.TotalSpace), "Size of the whole storage, for AVBL, instead of what the remote says"},
		{"vfs-used-is-size", "false", toggle(&o.UsedIsSize), "Take the sizes of all files for the space that is used, for AVBL; it lists everything"},
		{"dir-cache-time", "5m", Duration(&o.DirCacheTime), "Time to cache directory entries for; 0 asks the remote each time"},
		{"vfs-refresh", "false", toggle(&o.Warm), "List the whole tree at the start, so that it is remembered; best with a long --dir-cache-time"},
		{"checkers", "8", number(&o.Checkers), "How many directories --vfs-refresh lists at a time"},
		{"dir-refresh-wait", "0s", Duration(&o.DirRefreshWait), "Time a refresh may take before the old listing is shown; 0 waits for it"},
		{"vfs-remote-wait", "5s", Duration(&o.RemoteWait), "Time to wait for the remote where there is another answer: an old listing, what is cached, what waits to be sent; 0 waits as long as for any other answer, 30 seconds"},
		{"poll-interval", "1m", Duration(&o.PollInterval), "Time between polls for changes, on remotes that support it (s3 on MinIO, which tells at once); smaller than --dir-cache-time; 0 disables"},
		{"buffer-size", "16M", size(&o.BufferSize), "Memory to read ahead for each open file; below 512K nothing is read ahead"},
		{"max-buffer-memory", "256M", size(&o.MaxBufferMemory), "Memory for all downloads and uploads together: to read ahead, and for parts on their way; when they are many, each gets less, or waits its turn; off is no limit"},
		{"vfs-read-chunk-size", "128M", size(&o.ReadChunk), "Read files in requests of this size; without this flag and the two below, of what turns out to be quickest"},
		{"vfs-read-chunk-size-limit", "off", size(&o.ReadChunkTo), "Double the chunk size after each chunk until this limit"},
		{"vfs-read-chunk-streams", "0", number(&o.ReadStreams), "Read this many chunks at a time, all of --vfs-read-chunk-size; 0 is one after the other"},
	}
}

func filterFlags(o *Options) []Flag {
	return []Flag{
		{"include", "", list(&o.Filter.Include, "pattern"), "Serve what matches this pattern, and nothing that no rule includes. May be repeated"},
		{"include-from", "", list(&o.Filter.IncludeFrom, kindFile), "Read patterns to include from this file, - for standard input. May be repeated"},
		{"exclude", "", list(&o.Filter.Exclude, "pattern"), "Leave out what matches this pattern. May be repeated"},
		{"exclude-from", "", list(&o.Filter.ExcludeFrom, kindFile), "Read patterns to exclude from this file, - for standard input. May be repeated"},
		{"filter/f", "", list(&o.Filter.Rules, "rule"), "Include (\"+ pattern\") or leave out (\"- pattern\"). May be repeated; the first rule that matches decides"},
		{"filter-from", "", list(&o.Filter.RulesFrom, kindFile), "Read rules as those of --filter from this file, - for standard input. May be repeated"},
		{"exclude-if-present", "", list(&o.Filter.ExcludeIfPresent, "name"), "Leave out directories that hold a file of this name, or with a slash behind it a directory. May be repeated"},
		{"files-from", "", list(&o.Filter.FilesFrom, kindFile), "Serve only the files that are named in this file, - for standard input; it excludes the other filters. May be repeated"},
		{"files-from-raw", "", list(&o.Filter.FilesFromRaw, kindFile), "The same with lines taken as they are, without remarks"},
		{"files-from0", "", list(&o.Filter.FilesFrom0, kindFile), "The same with names that end with a NUL"},
		{"max-depth", "-1", integer(&o.Filter.MaxDepth), "Serve only so many levels of directories and files; 0 and below is no limit"},
		{"hash-filter", "", text(&o.Filter.HashPart), "Serve part K of N parts, into which files fall by their names: K/N, or @/N for any"},
		{"min-size", "off", size(&o.Filter.MinSize), "Leave out files that are smaller"},
		{"max-size", "off", size(&o.Filter.MaxSize), "Leave out files that are larger"},
		{"min-age", "off", Duration(&o.Filter.MinAge), "Leave out files that were modified since then"},
		{"max-age", "off", Duration(&o.Filter.MaxAge), "Leave out files that were not modified since then"},
		{"ignore-case", "false", toggle(&o.Filter.IgnoreCase), "Match patterns in upper and lower case alike"},
	}
}

// State returns the flag that says where what outlives the process is kept.
func State(o *Options) Group { return Group{"Cache", []Flag{cacheDirFlag(o)}} }

func cacheDirFlag(o *Options) Flag {
	return Flag{"cache-dir", "", file(&o.CacheDir), "Directory for what waits, caches and the self-signed certificate; else $STATE_DIRECTORY, the user's cache directory, or for root without HOME /var/lib/ferry"}
}

func cacheFlags(o *Options) []Flag {
	return []Flag{
		cacheDirFlag(o),
		{"vfs-cache-mode", "off", cacheMode(&o.Cache.Mode), "What is kept on local disk"},
		{"vfs-write-ack", "durable", choice(&o.Cache.Ack, "remote", "durable", "spooled"), "What 226 means for a file that is written back: it is on the remote, it survives loss of power, or it survives the end of ferry"},
		{"vfs-write-back", "5s", Duration(&o.Cache.WriteBack), "Time after an upload until it is written to the remote"},
		{"transfers", "auto", orAuto(&o.Cache.Transfers), "Files that are written to the remote at a time; auto finds out how many the remote bears, up to 64"},
		{"vfs-cache-max-age", "1h", Duration(&o.Cache.MaxAge), "Longest time since the last use that files stay in the cache"},
		{"vfs-cache-max-size", "off", size(&o.Cache.MaxSize), "Largest total size of the caches that are open; it is never exceeded"},
		{"vfs-cache-min-free-space", "off", size(&o.Cache.MinFree), "Least space that the cache leaves free on its disk"},
		{"vfs-cache-poll-interval", "1m", Duration(&o.Cache.Poll), "Time between looks for stale files in the cache"},
		{"vfs-read-ahead", "0", size(&o.Cache.ReadAhead), "Bytes fetched into the cache beyond --buffer-size, in mode full"},
		{"vfs-fast-fingerprint", "false", toggle(&o.Cache.FastFingerprint), "Do not ask the remote for what is slow to get when it tells whether a cached file is still the same"},
		{"shutdown-flush", "0s", Duration(&o.Cache.Flush), "Time to wait at the end for files to reach the remote; what is left is sent after the next start"},
	}
}

func rcFlags(o *Options) []Flag {
	return []Flag{
		{"rc", "false", toggle(&o.RC.Enabled), "Answer remote control calls, and show the page about the server to browsers"},
		{"ui", "false", toggle(&o.RC.UI), "Show a page about the server to browsers, at the address of --rc-addr, and print it; it implies --rc"},
		{"rc-addr", "localhost:5572", rcAddrs(&o.RC.Addrs), "Address for remote control: host:port, :port, or unix:///path of a socket. May be repeated"},
		{"rc-user", "", once(text(&o.RC.User)), "User name for remote control"},
		{"rc-pass", "", once(secret(&o.RC.Pass)), "Password for remote control"},
		{"rc-htpasswd", "", file(&o.RC.Htpasswd), "File of users and passwords for remote control, as made by htpasswd; read again when it changes"},
		{"rc-read-user", "", once(text(&o.RC.ReadUser)), "User name of who may see everything over remote control and change nothing"},
		{"rc-read-pass", "", once(secret(&o.RC.ReadPass)), "Password of --rc-read-user"},
		{"rc-no-auth", "false", toggle(&o.RC.NoAuth), "Allow every remote control call without a password"},
		{"rc-cert", "", file(&o.RC.Cert), "TLS certificate file for remote control (PEM, with its chain); read again when it changes"},
		{"rc-key", "", file(&o.RC.Key), "TLS private key file for remote control (PEM)"},
		{"rc-allow-origin", "", origin(&o.RC.AllowOrigin), "Origin whose web pages may make remote control calls, such as https://admin.example.org, or * for all"},
		{"rc-baseurl", "", text(&o.RC.BaseURL), "Path in front of the remote control calls"},
	}
}

func configFlags(o *Options) []Flag {
	return []Flag{
		{"config", "", configPath(&o.Config.Path), "Configuration file, instead of the first that is found; an empty one or notfound is no file"},
		{"password-command", "", command(&o.Config.PasswordCommand), "Command that prints the password of an encrypted configuration file"},
		{"ask-password", "true", toggle(&o.Config.AskPassword), "Ask for the password of an encrypted configuration file on the terminal"},
	}
}

func loggingFlags(o *Options) []Flag {
	return []Flag{
		{"verbose/v", "0", counter(&o.Log.Verbose), "Log more: -v for INFO, -vv for DEBUG"},
		{"quiet/q", "false", toggle(&o.Log.Quiet), "Log errors only"},
		{"log-level", "NOTICE", choice(&o.Log.Level, LevelWords()...), "Least level that is logged"},
		{"log-file", "", file(&o.Log.File), "Log to the end of this file instead of standard error"},
		{"log-format", "text", logFormat(&o.Log.Format), "Form of the log"},
		{"use-json-log", "false", toggle(&o.Log.JSON), "The same as --log-format json"},
		{"log-systemd", "false", toggle(&o.Log.Systemd), "Begin lines with the level that systemd knows, in place of the time"},
		{"stats", "0s", Duration(&o.Log.Stats), "Time between log lines with what the server and the remote did; 0 is none"},
		{"stats-log-level", "INFO", choice(&o.Log.StatsLevel, LevelWords()...), "Level of those lines"},
	}
}

// ownID is the process's own user or group as a default, 0 on systems without.
func ownID(id int) string {
	if id < 0 || id > math.MaxUint32 {
		id = 0
	}
	return strconv.Itoa(id)
}

// ProbeSize returns the flag that says how much is transferred to find out how fast that is.
func ProbeSize(p *config.Size) Flag {
	return Flag{"probe-size", "16M", size(p), "Bytes of what is sent to the remote to measure it, and read again"}
}
