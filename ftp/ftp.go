// Package ftp is an FTP and FTPS server engine over any tree of files. It needs nothing but the
// standard library.
//
// A program gives a Server a Backend, which turns a user and a password into an FS: the tree that
// this client sees. The engine does the rest: RFC 959 and 1123 with the extensions of RFC 2228,
// 2389, 2428, 2640, 3659, 4217 and 7151, and those in common use (Commands lists them).
//
//	package main
//
//	import (
//		"context"
//		"log"
//		"net"
//
//		"ferry/ftp"
//	)
//
//	func main() {
//		l, err := net.Listen("tcp", "localhost:2121")
//		if err != nil {
//			log.Fatal(err)
//		}
//		srv := &ftp.Server{Backend: ftp.SingleUser("bob", "secret", ftp.DirFS("/srv/ftp"))}
//		log.Fatal(srv.Serve(context.Background(), l))
//	}
//
// The module has no public home yet. A program imports it from a clone, with this in its go.mod:
//
//	require ferry v0.0.0
//
//	replace ferry => ../ferry
//
// DirFS serves a directory. For another tree implement FS, for another kind of login Backend.
//
// What an FS may rely on:
//
//   - Names are resolved and clean; no name leads above the root.
//   - One session calls one method at a time, apart from what FS says of Stat and List.
//   - An Upload is committed only when its bytes are known to be complete. After a connection that
//     broke, an ABOR, a timeout, a missing TLS close_notify or fewer bytes than ALLO announced,
//     Abort is called instead.
//   - 226 is sent after Commit returned nil, and never otherwise.
//
// A killed client closes both of its connections at once, which looks like the end of a file. Such
// an upload is not committed unless ALLO announced exactly that many bytes, or
// Server.AcceptAbruptClose is set.
//
// A panic in a Backend or an FS is answered 451, logged with its stack, and the session goes on.
//
// The files, in reading order:
//
//	fs.go            Backend, FS, Upload: what a program implements; dirfs.go: FS of a directory
//	server.go        Server; accept.go: new connections; hosts.go, throttle.go: limits by address
//	session.go       one session; control.go: its lines and replies; telnet.go: Telnet in lines
//	command.go       the table of commands; reply.go: replies and errors
//	transfer.go      a running transfer; watch.go: the control connection during it
//	retr.go          RETR, and what all downloads share
//	stor.go          STOR, APPE, STOU; when an upload counts as complete
//	list.go          LIST, NLST, MLSD, MLST; glob.go, options.go: arguments; listfmt.go, facts.go
//	cwd.go           CWD, CDUP, PWD; path.go: resolving names; mkd.go, dele.go, rename.go, size.go
//	attr.go          MFMT, SITE, AVBL; sitecmd.go, timeval.go: their arguments
//	checksum.go      HASH, RANG, XCRC and the like; hash.go: algorithms and arguments
//	login.go         USER, PASS, REIN, QUIT, HOST, CLNT; param.go: TYPE, STRU, MODE, REST, OPTS ...
//	info.go          FEAT, HELP, STAT, SYST, NOOP, ABOR; syntax.go: parsers that others share
//	pasv.go          PASV, EPSV; port.go: PORT, EPRT; hostport.go: their arguments and replies
//	endpoint.go      how the next data connection is opened; passive.go: by the client; ports.go
//	dataconn.go      a data connection; datasend.go, datarecv.go, copy.go: moving bytes
//	tap.go           stalls and rates, below TLS; ascii.go, modez.go: encodings above it
//	security.go      AUTH, PBSZ, PROT, CCC; tlsconf.go, handshake.go: TLS; cert.go, selfsigned.go
//	stats.go         counters; history.go: recent transfers; sessionlog.go: log lines
//	internal/sock    sockets, passive ports and waits with few system calls
package ftp
