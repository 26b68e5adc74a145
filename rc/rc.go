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
//	serve.go       Serve: listeners
//	server.go      Server, Options, answering a request
//	health.go      livez and readyz; page.go: other pages; profile.go: debug/pprof
//	access.go      who may call; guard.go: wrong passwords and too many connections
//	answer.go      what is sent back
//	jobcall.go     the calls about jobs; job.go: calls in the background
//	call.go        Call, Access, the table
//	core.go        core/*; version.go, bandwidth.go, drain.go: the larger ones of them
//	options.go     options/get
//	vfs.go         the calls about a tree: queue.go, poll.go, refused.go
//	tree.go        Tree, what they need; path.go: paths in parameters
//	ftp.go         the calls about FTP sessions; stats.go: core/stats and what was transferred
//	input.go       the body of a request; params.go: parameters
//	error.go       errors and their HTTP status
package rc
