// Command ferry serves a storage remote over FTP and FTPS.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

func main() {
	signals := make(chan os.Signal, 4)
	p := process{
		args:    os.Args[1:],
		env:     os.Environ(),
		stdin:   os.Stdin,
		stdout:  os.Stdout,
		stderr:  os.Stderr,
		signals: signals,
		notify:  func() { signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP) },

		terminalLog: term.IsTerminal(int(os.Stderr.Fd())),
	}
	os.Exit(p.run(context.Background()))
}
