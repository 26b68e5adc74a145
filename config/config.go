// Package config parses sizes, durations, port ranges and names of remotes from the command line,
// the environment and configuration files. It returns plain data. The grammars are those of rclone,
// so that existing configurations mean the same here.
//
// The files, in reading order:
//
//	file.go        File: a configuration file on disk; locate.go, writefile.go, environ.go
//	document.go    Document: its text; line.go, block.go: the parts; expand.go: references
//	edit.go        Draft: a document being edited
//	encrypt.go     encrypted files; password.go: where the password comes from
//	type.go        Type and Option: how a kind of remote is configured
//	remote.go      remote strings
//	sources.go     flags, environment, file: where options come from; resolve.go: all of them
//	unknown.go     warnings; secret.go, redact.go, obscure.go: what is not shown in clear
//	size.go        values: sizes; duration.go, bandwidth.go, mode.go, ports.go: the others
package config
