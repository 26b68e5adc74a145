package flags

import "strings"

// liveFlags are the flags whose values a running server takes over from the file of --server-config
// when it reads that again: all others need a restart. What each means then stands in
// doc/configuration.md, whose list is made from these.
func liveFlags() []struct{ names, when string } {
	return []struct{ names, when string }{
		{"max-sessions max-sessions-per-ip", "at the next connection"},
		{"idle-timeout login-timeout", "at the next command of each session"},
		{"data-timeout min-rate", "at the next transfer"},
		{"passive-port public-ip no-active allow-fxp allow-peer-mismatch", "at the next data connection"},
		{"accept-abrupt-close list-time", "at once"},
		{"require-tls", "at the next login and data connection, if there is a certificate"},
		{"cert key", "at the next connection, if there was a `cert` at the start and there is one now"},
		{"allow deny trusted", "at the next connection"},
		{"hook", "at once, if a hook was told of something, or asked, at the start"},
		{"bwlimit", "at once, if there was a limit at the start or the remote is not of this machine"},
		{"drain-delay shutdown-timeout shutdown-flush", "when the server stops"},
		{"verbose quiet log-level", "at once"},
	}
}

// IsLive reports whether a running server takes over another value of the flag.
func IsLive(name string) bool { return LiveWhen(name) != "" }

// LiveWhen says when it does; "" = at a restart.
func LiveWhen(name string) string {
	for _, row := range liveFlags() {
		for one := range strings.FieldsSeq(row.names) {
			if one == name {
				return row.when
			}
		}
	}
	return ""
}

// Live returns their names.
func Live() []string {
	var names []string
	for _, row := range liveFlags() {
		names = append(names, strings.Fields(row.names)...)
	}
	return names
}
