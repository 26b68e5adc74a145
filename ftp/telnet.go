package ftp

import "bytes"

// The bytes of the Telnet protocol that reach an FTP server (RFC 854; RFC 959, section 4.1.3 for
// ABOR and STAT).
const (
	telnetSE   = 0xf0 // the first command without an option byte
	telnetDM   = 0xf2 // Data Mark: the end of a Synch
	telnetIP   = 0xf4 // Interrupt Process
	telnetSB   = 0xfa // the last command without an option byte
	telnetWill = 0xfb // the first command with an option byte
	telnetIAC  = 0xff // introduces a command; doubled it stands for itself
)

// stripTelnet removes Telnet commands from line, in place, and returns what is left.
//
// IAC before a byte that is no Telnet command is kept: it is a letter in Latin-1, and names are
// bytes here. Clients send one byte of a Synch as urgent data, which may be lost; the rest of the
// sequence at the start of the line is then removed too, but only before an ASCII letter: no verb
// begins with such a byte.
func stripTelnet(line []byte) []byte {
	if iac := bytes.IndexByte(line, telnetIAC); iac >= 0 {
		line = stripCommands(line, iac)
	}
	start := 0
	for start < len(line) && isSynchByte(line[start]) {
		start++
	}
	if start > 0 && start < len(line) && isASCIILetter(line[start]) {
		line = line[start:]
	}
	return line
}

func isSynchByte(c byte) bool {
	return c == telnetIAC || c == telnetIP || c == telnetDM
}

// stripCommands removes the commands of line, the first of which may begin at r.
func stripCommands(line []byte, r int) []byte {
	w := r
	for r < len(line) {
		if line[r] == telnetIAC && r+1 < len(line) {
			switch next := line[r+1]; {
			case next == telnetIAC:
				r++
			case next >= telnetWill && r+2 < len(line):
				r += 3
				continue
			case next >= telnetSE && next <= telnetSB:
				r += 2
				continue
			}
		}
		line[w] = line[r]
		w++
		r++
	}
	return line[:w]
}

// parseCommand splits a line into the verb, which it makes upper case in place, and the argument.
// Exactly one space separates them: further ones belong to the argument, because names may begin
// with spaces. One CR at the end is removed; nothing else is trimmed. The verb is valid as long as
// line is.
func parseCommand(line []byte) (verb []byte, arg string) {
	line = bytes.TrimSuffix(line, []byte{'\r'})
	verb, rest, _ := bytes.Cut(line, []byte{' '})
	for i, c := range verb {
		if 'a' <= c && c <= 'z' {
			verb[i] = c - 'a' + 'A'
		}
	}
	return verb, string(rest)
}
