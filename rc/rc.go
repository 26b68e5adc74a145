// Package rc is the remote control: calls with JSON parameters and results over HTTP, in the
// protocol of rclone, so that its client and its users' scripts work as they are.
//
// A Server answers the calls of an explicit table. Tables come from CoreCalls, StatsCalls,
// BandwidthCalls, OptionsCalls, VFSCalls and FTPCalls, each of which reads its data from a small
// interface declared here; every Server has rc/* and job/*. The package imports no other package of
// this module.
//
//	POST /vfs/forget?dir=photos            parameters in the query are strings,
//	POST /core/bwlimit {"rate":"10M"}      those of a JSON body have its types
//
// Access is decided per call, see Access. Pages of another origin in a browser cannot call any of
// them.
//
// The files, in reading order:
//
//	server.go      Server, Options, answering a request; serve.go: listeners
//	call.go        Call, Access, the table; params.go, input.go: parameters and bodies
//	access.go      who may call; guard.go: wrong passwords and too many connections
//	job.go         calls in the background; jobcall.go: the calls about them
//	error.go       errors and their HTTP status
//	core.go        core/*; version.go, bandwidth.go, stats.go: the larger ones of them
//	options.go     options/get
//	tree.go        Tree, what the calls about a tree need; vfs.go, queue.go, poll.go, refused.go
//	ftp.go         the calls about FTP sessions
//	health.go      livez and readyz; profile.go: debug/pprof
package rc
