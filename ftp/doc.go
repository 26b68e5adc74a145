// Package ftp is an FTP and FTPS server engine over any tree of files. It imports nothing but the
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
// The module has no public home yet. A program imports it from a clone, whose place its go.mod
// names:
//
//	require ferry v0.0.0
//
//	replace ferry => ../ferry
//
// DirFS serves a directory; any other tree is an FS, and any other way to log in a Backend, of
// one's own.
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
// A client that is killed closes both of its connections at once, which looks like the end of a
// file. Such an upload is not committed unless ALLO announced just that many bytes, or
// Server.AcceptAbruptClose is set.
//
// A panic in a Backend or an FS is answered 451, logged with its stack, and the session goes on.
package ftp
