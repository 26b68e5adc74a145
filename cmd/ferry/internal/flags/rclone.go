package flags

import (
	"log/slog"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A without is a set of flags of rclone that mean nothing here, and the reason.
type without struct {
	why      string
	switches string // flags that stand alone, with a slash and their letter behind
	valued   string // flags with a value
}

const (
	noSync    = "it is about copying and synchronizing whole trees, and a server does what its clients ask for"
	noMetrics = "the endpoint of --metrics-addr is for Prometheus alone and has no password: /metrics of --rc has that of the remote control"
	inOrder   = "what FTP transfers is in order"
	noPages   = "the remote control only answers calls"
)

// flagsWithout are the flags of rclone that are accepted, so that its command lines start, and
// warned of.
func flagsWithout() []without {
	return []without{
		{why: noSync,
			switches: "check-first checksum/c delete-after delete-before delete-during delete-excluded error-on-no-transfer fix-case " +
				"ignore-case-sync ignore-errors ignore-existing ignore-size ignore-times/I immutable no-check-dest no-traverse " +
				"no-update-dir-modtime no-update-modtime refresh-times server-side-across-configs size-only suffix-keep-extension " +
				"track-renames update/u",
			valued: "backup-dir compare-dest copy-dest cutoff-mode list-cutoff max-backlog max-delete max-delete-size max-duration " +
				"max-transfer modify-window name-transform order-by suffix track-renames-strategy"},
		{why: "a file is sent in the parts and by the connections that its type of remote has options for: ferry help backend TYPE",
			valued: "multi-thread-chunk-size multi-thread-cutoff multi-thread-streams multi-thread-write-buffer-size streaming-upload-cutoff"},
		{why: "an upload is hidden until it is whole, and takes the place of the old file then", switches: "inplace", valued: "partial-suffix"},
		{why: "clients list one directory at a time; --vfs-refresh lists the whole tree at the start", switches: "fast-list"},
		{why: "what fails on the way is repeated call by call, as --low-level-retries says, and what waits in the cache until it is sent",
			valued: "retries retries-sleep"},
		{why: inOrder, valued: "vfs-read-wait vfs-write-wait"},
		{why: "a copy in the cache and its readers are given up when the last client closes it", valued: "vfs-handle-caching"},
		{why: "symbolic links are not shown as such; --copy-links follows those that stay inside the served directory",
			switches: "links/l vfs-links", valued: "link-perms"},
		{why: "metadata are kept with a file that is changed or renamed, and are neither shown nor set",
			switches: "metadata/M", valued: "metadata-mapper metadata-set vfs-metadata-extension"},
		{why: "metadata are not looked at, so that nothing is left out by it",
			valued: "metadata-exclude metadata-exclude-from metadata-filter metadata-filter-from metadata-include metadata-include-from"},
		{why: "a server has no progress to show; --stats logs the numbers", switches: "progress/P progress-terminal-title"},
		{why: "the numbers are one line in the form of the log",
			switches: "stats-one-line stats-one-line-date human-readable", valued: "stats-file-name-length stats-one-line-date-format stats-unit max-stats-groups color"},
		{why: "the log goes to standard error or --log-file, from where the system's log takes it; --log-systemd adds its levels",
			switches: "syslog", valued: "syslog-facility"},
		{why: "the system's logrotate does it", switches: "log-file-compress", valued: "log-file-max-age log-file-max-backups log-file-max-size"},
		{why: "what is sent is never logged; -vv shows the calls to the remote", switches: "dump-bodies dump-headers", valued: "dump"},
		{why: "profiles are not written to files", valued: "cpuprofile memprofile"},
		{why: "/metrics is always a page of the remote control", switches: "rc-enable-metrics"},
		{why: noMetrics, valued: "metrics-allow-origin metrics-baseurl metrics-cert metrics-client-ca metrics-htpasswd metrics-key " +
			"metrics-max-header-bytes metrics-min-tls-version metrics-pass metrics-realm metrics-response-header metrics-salt " +
			"metrics-server-read-timeout metrics-server-write-timeout metrics-template metrics-user metrics-user-from-header"},
		{why: noPages, switches: "rc-serve rc-serve-no-modtime",
			valued: "rc-files rc-template rc-realm rc-salt rc-response-header rc-max-header-bytes"},
		{why: "the limits of the remote control are fixed",
			valued: "rc-job-expire-duration rc-job-expire-interval rc-server-read-timeout rc-server-write-timeout"},
		{why: "the remote control speaks TLS 1.2 and newer", valued: "rc-min-tls-version"},
		{why: "requests share no stream and follow no redirect to HTTP, and content is read as it is stored",
			switches: "allow-https-downgrade disable-http2 no-gzip-encoding use-cookies"},
		{why: "the system's firewall marks connections", valued: "dscp"},
		{why: "there is one limit for all files together, --bwlimit", valued: "bwlimit-file"},
		{why: "the key of --client-key must not be encrypted", valued: "client-pass"},
		{why: "what is not known is not shown", valued: "default-time"},
		{why: "what a remote can do is found out", valued: "disable"},
		{why: "a server asks nothing and has no window", switches: "auto-confirm no-console"},
		{why: "one remote is open as long as the server runs", valued: "fs-cache-expire-duration fs-cache-expire-interval kv-lock-time"},
		{why: "memory is bounded by --max-buffer-memory", switches: "use-mmap"},
		{why: "names are served as they are; --vfs-block-norm-dupes hides doubles", switches: "no-unicode-normalization"},
		{why: "what is mounted in the directory is served with it", switches: "one-file-system/x"},
		{why: "nothing is kept outside --cache-dir", valued: "temp-dir"},
	}
}

// acceptedFlags are the rows of flagsWithout.
func acceptedFlags() []Flag {
	var rows []Flag
	for _, set := range flagsWithout() {
		for name := range strings.FieldsSeq(set.switches) {
			rows = append(rows, Flag{name, "", toggle(new(bool)), set.why})
		}
		for name := range strings.FieldsSeq(set.valued) {
			rows = append(rows, Flag{name, "", secret(new(Secret)), set.why}) // it may be one
		}
	}
	return rows
}

// WarnOfAccepted logs each of them that was set, with the reason. A switch that is off counts as
// not set.
func WarnOfAccepted(log *slog.Logger, fs *pflag.FlagSet) {
	for _, row := range acceptedFlags() {
		name, _ := row.name()
		f := fs.Lookup(name)
		if !f.Changed || f.Value.String() == "" || row.bare() != "" && f.Value.String() == "false" {
			continue
		}
		log.Warn("--" + name + " has no effect: " + row.Usage)
	}
}

// refusedFlags are flags of rclone that guard something: to serve without them would let in whom
// they keep out.
func refusedFlags() []Flag {
	row := func(name, usage string) Flag { return Flag{name, "", nothing(usage), usage} }
	return []Flag{
		row("rc-client-ca", "client certificates are not asked for: use --rc-htpasswd, or --rc-addr unix:///path"),
		row("rc-user-from-header", "users are not believed by a header: use --rc-htpasswd, or --rc-addr unix:///path"),
	}
}

// nothing takes no value but an empty one.
func nothing(why string) pflag.Value {
	parse := func(s string) (string, error) {
		if s == "" {
			return "", nil
		}
		return "", unsupported(why)
	}
	return word(new(string), "string", parse)
}

type unsupported string

func (u unsupported) Error() string { return string(u) }

// rcloneTopic is the help about the flags that are accepted and mean nothing.
func rcloneTopic() *cobra.Command {
	var b strings.Builder
	b.WriteString("These flags of rclone are accepted by \"ferry serve ftp\", with a warning, so that its command lines start.\n")
	for _, set := range flagsWithout() {
		b.WriteString("\n")
		for name := range strings.FieldsSeq(set.switches + " " + set.valued) {
			name, _, _ = strings.Cut(name, "/")
			b.WriteString("  --" + name)
		}
		b.WriteString("\n      " + set.why + "\n")
	}
	b.WriteString("\nThese are refused, as they guard something:\n\n")
	for _, row := range refusedFlags() {
		b.WriteString("  --" + row.Name + "\n      " + row.Usage + "\n")
	}
	return &cobra.Command{Use: "rclone", Short: "The flags of rclone that are accepted and mean nothing here", Long: b.String()}
}
