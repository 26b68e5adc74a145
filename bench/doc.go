// Bench runs ferry beside other FTP servers on one machine, in one run, with one client, and prints
// Markdown tables of what each of them reached.
//
//	go run ./bench -fetch          # every server, every row, three rounds: bench/README.md
//	go run ./bench -quick          # small sizes, nothing written
//	go run ./bench -suite s3       # the half that serves an S3 bucket far away
//	go run ./bench -suite scale    # cost as sessions and entries grow; s3-scale: over S3
//	go run ./bench -suite crypt    # that S3 bucket, encrypted
//	go run ./bench -rows retr,stor -servers ferry,vsftpd -quick
//
// The peers are vsftpd, pure-ftpd, proftpd, pyftpdlib, rclone and a small server on ftpserverlib.
// Those that are installed are used as they are; with -fetch the Debian packages of the others are
// unpacked under bench/work without being installed. A peer that cannot run is listed with the
// reason and has no figures. The second suite sets ferry beside rclone alone, over an S3 server
// behind a slow network (package link). Suites scale and s3-scale measure curves, the latter over
// an S3 server that makes its listings up (package phantom). Each suite has a picture, drawn by the
// program of the module bench/draw.
//
// The CPU time of a server is that of its whole process tree, children that have ended included,
// from a control group made for it, or from /proc where no group can be made. The client costs
// little and is not counted: it discards downloads in the kernel and sends uploads by sendfile.
package main
