// Package sock has the sockets of package ftp: connections, listeners and waits for input that cost
// fewer system calls and less memory than those of package net. On systems other than Linux they
// are those of package net.
//
//	listener_*.go   Listener, a passive port
//	sock_*.go       Conn, a data connection
//	option_linux.go what a Conn can be told
//	thread_linux.go Conn sends by calls that block
//	waiter_*.go     Waiter, which waits for input without a buffer
//	addr_linux.go   addresses in the form of the kernel
package sock

import "errors"

// ErrPortTaken is returned by Listen if the port is in use.
var ErrPortTaken = errors.New("port taken")

// BufferSize is the size of a Buffer: a command line of 8 KiB and its end.
const BufferSize = 8<<10 + 2

// A Buffer holds the input of a control connection.
type Buffer [BufferSize]byte
