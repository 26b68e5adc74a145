package ftp

import "fmt"

// writeStatus writes the reply to a bare STAT; t is the running transfer, or nil.
func (s *session) writeStatus(t *transfer) {
	var b []byte
	b = append(b, "211-Status:\r\n"...)
	b = fmt.Appendf(b, " Connected from %s\r\n", s.remote)
	if s.fs != nil {
		b = fmt.Appendf(b, " Logged in as %q\r\n", s.name)
	} else {
		b = append(b, " Not logged in\r\n"...)
	}
	typ, mode, control, data := "binary", "stream", "in clear", "in clear"
	if s.ascii {
		typ = "ASCII"
	}
	if s.deflate {
		mode = "deflate"
	}
	if s.ctl.isTLS() {
		control = "protected by TLS"
	}
	if s.private {
		data = "protected by TLS"
	}
	b = fmt.Appendf(b, " Type %s, mode %s, structure file\r\n", typ, mode)
	b = fmt.Appendf(b, " Control connection %s, data connections %s\r\n", control, data)
	if t != nil {
		b = fmt.Appendf(b, " %s %s: %d bytes so far\r\n", t.verb, quote(t.name), t.bytes())
	} else {
		b = append(b, " No transfer is running\r\n"...)
	}
	b = append(b, "211 End of status.\r\n"...)
	s.ctl.writeBytes(b)
}
