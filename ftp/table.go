package ftp

import (
	"context"
	"slices"
	"strings"
)

// A command is one row of the table. FEAT, HELP and Commands are generated from the rows, so that
// everything advertised exists.
type command struct {
	name  string
	run   func(s *session, ctx context.Context, arg string) reply
	phase phase
	arity arity
	usage string // what HELP shows after the name
	feat  string // the line of FEAT; "" = none
	// featNow returns the line of FEAT if it depends on the session; it may be "".
	featNow  func(s *session) string
	moves    direction // it uses up the arranged data connection, even if it is refused
	arranges bool      // it arranges the next data connection; if it is refused, there is none
	rfc      string    // where it is specified
}

// phase is the state of the session in which a command is allowed.
type phase uint8

const (
	anytime    phase = iota
	beforeUser       // only before a login
	loggedIn         // only after it
)

// direction is the direction of a transfer.
type direction uint8

const (
	nowhere direction = iota // the command moves no data
	toClient
	fromClient
)

// arity is whether a command takes an argument.
type arity uint8

const (
	optional arity = iota
	none
	required
)

// table finds commands by their upper-case name.
type table struct {
	rows   []command
	byName map[string]*command
}

func newTable(rows []command) *table {
	t := &table{rows: rows, byName: make(map[string]*command, len(rows))}
	for i := range rows {
		t.byName[rows[i].name] = &rows[i]
	}
	return t
}

// names returns the names of the commands in alphabetical order.
func (t *table) names() []string {
	var names []string
	for i := range t.rows {
		names = append(names, t.rows[i].name)
	}
	slices.Sort(names)
	return names
}

// refusal returns the reply to a command that may not run now, or the zero reply.
func (c *command) refusal(s *session, arg string) reply {
	switch {
	case c.phase == loggedIn && s.fs == nil:
		return reply{530, "Log in with USER and PASS first."}
	case c.phase == beforeUser && s.fs != nil:
		return badSequence(c.name + " must come before the login; REIN starts over.")
	case c.arity == required && arg == "":
		return badArgument("Usage: " + c.name + " " + c.usage)
	case c.arity == none && strings.TrimSpace(arg) != "":
		return badArgument(c.name + " takes no argument.")
	}
	return reply{}
}
