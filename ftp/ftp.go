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
// The files, in reading order: calls lead from a file to those after it.
//
//	fs.go            Backend, FS, Upload: what a program implements; dirfs.go: FS of a directory
//	server.go        Server; stats.go: counters and sessions; accept.go: new connections
//	session.go       one session: each line of its client is a command
//	command.go       the table of commands, which leads to the handlers, down to PORT and PASV
//	security.go      AUTH, PBSZ, PROT, CCC
//	login.go         USER, PASS, REIN, QUIT, HOST, CLNT
//	cwd.go           CWD, CDUP, PWD; mkd.go, dele.go, rename.go; size.go: SIZE, MDTM
//	attr.go          MFMT, SITE, AVBL; sitecmd.go: their arguments
//	info.go          FEAT, HELP, STAT, SYST, NOOP, ABOR
//	list.go          LIST, NLST, MLSD, MLST; glob.go, options.go: arguments; listfmt.go: lines
//	stor.go          STOR, APPE, STOU; when an upload counts as complete
//	retr.go          RETR, and what all downloads share
//	param.go         TYPE, STRU, MODE, REST, OPTS ...; facts.go: OPTS MLST, and the facts of MLSD
//	checksum.go      HASH, RANG, XCRC and the like; hash.go: algorithms and arguments
//	port.go          PORT, EPRT; pasv.go: PASV, EPSV; hostport.go: their arguments and replies
//	table.go         what a row of the table is, and when its command is refused
//	transfer.go      begin, connect and end of a transfer; history.go: recent transfers
//	watch.go         the control connection during a transfer; status.go: its STAT
//	endpoint.go      how the next data connection is opened; passive.go: by the client; ports.go
//	path.go          resolving names
//	guard.go         what a Guard is told, and whom it ends
//	observer.go      what an Observer is told; seen.go: how a session notes it
//	proxies.go       connections by way of load balancers
//	sessions.go      who gets a session; throttle.go, hosts.go: limits by address
//	control.go       the control connection: lines and replies; telnet.go: Telnet in lines
//	reply.go         replies and errors; fail.go; sessionlog.go: log lines
//	running.go       a running transfer, as the others see it
//	datasend.go      moving bytes, with datarecv.go, copy.go; dataconn.go: a data connection
//	tap.go           stalls and rates, below TLS; ascii.go, modez.go: encodings above it
//	tlsconf.go       TLS, with handshake.go; cert.go, selfsigned.go: certificates
//	shortage.go      lack of descriptors or memory; timeouts.go: the defaults of Server
//	name.go          how names are shown; timeval.go, syntax.go: parsers that others share
//	internal/sock    sockets, passive ports and waits with few system calls
package ftp
