package ftp

import (
	"context"
	"fmt"
	"strings"
)

func (s *session) noop(context.Context, string) reply { return ok("Nothing done.") }

// syst returns the type of the listing format (RFC 959, section 4.1.3). Clients parse any other as
// another format.
func (s *session) syst(context.Context, string) reply { return reply{215, "UNIX Type: L8"} }

// abor is ABOR outside of a transfer: there is nothing to abort (RFC 959, section 4.1.3).
func (s *session) abor(context.Context, string) reply {
	s.closeEndpoint()
	return reply{226, "No transfer is running."}
}

// featList returns the extensions (RFC 2389, section 3): one line for every row that has one.
func (s *session) featList(context.Context, string) reply {
	var b []byte
	b = append(b, "211-Extensions:\r\n"...)
	for _, t := range []*table{s.srv.commands, s.srv.sites} {
		for i := range t.rows {
			line := t.rows[i].feat
			if t.rows[i].featNow != nil {
				line = t.rows[i].featNow(s)
			}
			if line != "" {
				b = append(b, ' ')
				b = append(b, line...)
				b = append(b, "\r\n"...)
			}
		}
	}
	s.ctl.writeBytes(b)
	return reply{211, "End"}
}

func (s *session) featMLST() string { return featMLST(s.facts) }

// featTimes returns the FEAT line of a command that sets times. Who has logged in to a tree where
// none can be set is not told of it: clients that keep times would send one behind each upload.
func featTimes(line string) func(*session) string {
	return func(s *session) string {
		if s.fs != nil && !(Forward{s.fs}).SetsTimes() {
			return ""
		}
		return line
	}
}

func (s *session) help(_ context.Context, arg string) reply {
	verb := strings.ToUpper(strings.TrimSpace(arg))
	if verb == "" {
		s.tell(reply{214, ""})
		s.writeHelp("", s.srv.commands)
		return reply{}
	}
	if verb == "SITE" {
		s.tell(reply{214, ""})
		s.writeHelp("SITE", s.srv.sites)
		return reply{}
	}
	c := s.srv.commands.byName[verb]
	if c == nil {
		return reply{502, "No such command; HELP lists what there is."}
	}
	return reply{214, strings.TrimSpace("Syntax: "+c.name+" "+c.usage) + " (" + c.rfc + ")"}
}

// writeHelp writes the names of a table, eight to a line.
func (s *session) writeHelp(what string, t *table) {
	var b []byte
	b = fmt.Appendf(b, "214-%s\r\n", strings.TrimSpace(what+" commands:"))
	for i, name := range t.names() {
		if i%8 == 0 && i > 0 {
			b = append(b, "\r\n"...)
		}
		b = fmt.Appendf(b, " %-7s", name)
	}
	b = append(b, "\r\n214 HELP and a command tells its syntax.\r\n"...)
	s.ctl.writeBytes(b)
}

// stat returns the status of the session, or lists a path over the control connection (RFC 959,
// section 4.1.3).
func (s *session) stat(ctx context.Context, arg string) reply {
	if arg == "" {
		s.tell(reply{211, ""})
		s.writeStatus(nil)
		return reply{}
	}
	if s.fs == nil {
		return reply{530, "Log in with USER and PASS first."}
	}
	return s.statPath(ctx, arg)
}
