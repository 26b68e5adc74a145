// Package config parses sizes, durations, port ranges and names of remotes from the command line,
// the environment and configuration files. It returns plain data. The grammars are those of rclone,
// so that existing configurations mean the same here.
//
// The files, in reading order:
//
//	update.go      one value of the file that others change too
//	file.go        File: a configuration file on disk; locate.go, writefile.go: where, and how; lock.go
//	password.go    where its password comes from; encrypt.go: encrypted files; environ.go
//	redact.go      what is not shown in clear
//	edit.go        Draft: a document being edited
//	resolve.go     Settings: the resolved options of a remote; unknown.go: warnings
//	sources.go     flags, environment, file: where options come from
//	document.go    Document: the text of a file; line.go, block.go: the parts; expand.go: references
//	bridge.go      Bridge: how kinds without a driver are reached
//	type.go        Type and Option: how a kind of remote is configured
//	remote.go      remote strings
//	secret.go      which options are secret; obscure.go: how passwords are written
//	bandwidth.go   values: rates; size.go, duration.go, mode.go, ports.go: the others
//	nearest.go     the word that was probably meant
package config
