// Package rc is the remote control: calls with JSON parameters and results over HTTP, in the
// protocol of rclone, so that its client and its users' scripts work as they are.
//
// A Server answers the calls of an explicit table. Tables come from CoreCalls, StatsCalls,
// BandwidthCalls, OptionsCalls, VFSCalls and FTPCalls, each of which pulls what it tells from a
// small interface declared here; rc/* and job/* every Server has. Nothing is pushed into this
// package, and it imports no other package of this module.
//
//	POST /vfs/forget?dir=photos            parameters in the query are strings,
//	POST /core/bwlimit {"rate":"10M"}      those of a JSON body have its types
//
// Access is decided per call, see Access. A browser page of another origin reaches none of them.
package rc
