package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"ferry/cmd/ferry/internal/configcmd"
	"ferry/cmd/ferry/internal/prompt"
	"ferry/cmd/ferry/internal/rcclient"
)

// A process is what this program gets from the system, so that tests can run it within theirs.
type process struct {
	args    []string // without the program's name
	env     []string // KEY=value
	stdin   io.Reader
	stdout  io.Writer
	stderr  io.Writer
	signals <-chan os.Signal
	notify  func() // begins to send signals, which until then do what they do to any process; nil = they are sent already

	terminalLog bool // a person watches stderr
}

// catch has signals come from now on, for a command that heeds them.
func (p process) catch() {
	if p.notify != nil {
		p.notify()
	}
}

// Exit statuses.
const (
	exitOK      = 0
	exitFailure = 1 // something did not work
	exitUsage   = 2 // the command line or the environment is wrong
)

// An exitStatus is what the process shall end with, after all went well.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// err returns nil for success.
func (s exitStatus) err() error {
	if s == exitOK {
		return nil
	}
	return s
}

// console returns what the commands about the configuration need of p and o.
func (p process) console(o *options) *configcmd.Console {
	return &configcmd.Console{Prompt: p.prompt(), Env: p.env, Stdout: p.stdout, Flags: &o.Options}
}

// control returns what the command that calls a remote control needs of p and o.
func (p process) control(o *options) *rcclient.Client {
	return &rcclient.Client{
		Env: p.env, Stdout: p.stdout, Signals: p.signals, Catch: p.catch, Version: version(), Flags: &o.Options,
	}
}

func (p process) prompt() prompt.Prompt {
	return prompt.Prompt{Stdin: p.stdin, Stderr: p.stderr, Signals: p.signals, Catch: p.catch}
}

// oneLine keeps an error from spreading over several lines.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
