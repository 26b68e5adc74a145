package ftp

import (
	"bytes"
	"testing"
)

func TestStripTelnet(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"no command", "STOR a", "STOR a"},
		{"empty", "", ""},
		{"Synch with the urgent byte in the stream", "\xff\xf4\xff\xf2ABOR", "ABOR"},
		{"Synch whose urgent IAC was lost (lftp, ncftp, tnftp)", "\xff\xf4\xf2ABOR", "ABOR"},
		{"Synch whose urgent DM was lost", "\xff\xf4\xffABOR", "ABOR"},
		{"IP alone (Windows ftp.exe)", "\xff\xf4ABOR", "ABOR"},
		{"DM alone", "\xf2ABOR", "ABOR"},
		{"IP and DM whose IACs were lost", "\xf4\xf2STAT", "STAT"},
		{"DM before a small letter", "\xf2abor", "abor"},
		{"DM before something else", "\xf2\xf2\x20", "\xf2\xf2\x20"},
		{"DM at the end", "\xf2", "\xf2"},
		{"DM within a name", "RETR \xf2a", "RETR \xf2a"},
		{"all commands of two bytes", "\xff\xf0\xff\xf1\xff\xf3\xff\xf5\xff\xf6\xff\xf7\xff\xf8\xff\xf9\xff\xfaNOOP", "NOOP"},
		{"negotiation", "\xff\xfb\x01\xff\xfc\x03\xff\xfd\x18\xff\xfe\xffNOOP", "NOOP"},
		{"negotiation cut short", "NOOP\xff\xfb", "NOOP\xff\xfb"},
		{"doubled IAC", "STOR \xff\xff", "STOR \xff"},
		{"doubled IAC before what looks like a command", "STOR \xff\xff\xf4", "STOR \xff\xf4"},
		{"IAC as a letter of Latin-1", "STOR \xffa", "STOR \xffa"},
		{"IAC at the end", "STOR a\xff", "STOR a\xff"},
		{"three IACs", "STOR \xff\xff\xff\xf4A", "STOR \xffA"},
		{"commands inside", "ST\xff\xf1OR a\xff\xfb\x01b", "STOR ab"},
	} {
		if got := stripTelnet([]byte(tt.in)); string(got) != tt.want {
			t.Errorf("%s: %q becomes %q; want %q", tt.name, tt.in, got, tt.want)
		}
	}
}

func TestParseCommand(t *testing.T) {
	for _, tt := range []struct{ in, verb, arg string }{
		{"NOOP", "NOOP", ""},
		{"noop\r", "NOOP", ""},
		{"NOOP\r\r", "NOOP\r", ""},
		{"MLSD \r", "MLSD", ""},
		{"STOR  a b \r", "STOR", " a b "},
		{"RETR a\rb", "RETR", "a\rb"},
		{"uSeR Bob", "USER", "Bob"},
		{"retr caf\xe9", "RETR", "caf\xe9"},
		{"", "", ""},
		{"\r", "", ""},
		{" NOOP", "", "NOOP"},
		{"TYPE\tI", "TYPE\tI", ""},
		{"\xe4bor", "\xe4BOR", ""},
	} {
		verb, arg := parseCommand([]byte(tt.in))
		if string(verb) != tt.verb || arg != tt.arg {
			t.Errorf("%q splits into %q and %q; want %q and %q", tt.in, verb, arg, tt.verb, tt.arg)
		}
	}
}

func TestParseCommandAllocations(t *testing.T) {
	line := []byte("\xff\xf4\xf2noop\r")
	if n := testing.AllocsPerRun(100, func() {
		verb, _ := parseCommand(stripTelnet(line))
		if len(verb) == 0 {
			t.Fail()
		}
	}); n != 0 {
		t.Errorf("a command without an argument costs %v allocations; want 0", n)
	}
}

func FuzzLine(f *testing.F) {
	f.Add([]byte("\xff\xf4\xff\xf2ABOR\r"))
	f.Add([]byte("STOR \xff\xff\xfb a\r"))
	f.Add([]byte("\xff\xfb\x01\xff\xfc"))
	f.Fuzz(func(t *testing.T, line []byte) {
		typed := bytes.Clone(line)
		stripped := stripTelnet(line)
		if len(stripped) > len(typed) {
			t.Fatalf("%q grew to %q", typed, stripped)
		}
		if bytes.IndexByte(typed, telnetIAC) < 0 && !bytes.HasSuffix(typed, stripped) {
			t.Fatalf("%q holds no IAC, but becomes %q", typed, stripped)
		}
		// What a client escapes arrives as it was, unless it begins with what a lost Synch leaves
		// behind.
		if len(typed) == 0 || !isSynchByte(typed[0]) {
			escaped := bytes.ReplaceAll(typed, []byte{telnetIAC}, []byte{telnetIAC, telnetIAC})
			if got := stripTelnet(escaped); !bytes.Equal(got, typed) {
				t.Fatalf("%q, escaped, becomes %q", typed, got)
			}
		}
		want := bytes.TrimSuffix(bytes.Clone(stripped), []byte{'\r'})
		verb, arg := parseCommand(stripped)
		if bytes.IndexByte(verb, ' ') >= 0 || bytes.ContainsAny(verb, "abcdefghijklmnopqrstuvwxyz") {
			t.Fatalf("%q has the verb %q", want, verb)
		}
		joined := string(verb)
		if len(verb) < len(want) {
			joined += " " + arg
		}
		if len(joined) != len(want) || !bytes.EqualFold([]byte(joined), want) || !bytes.HasSuffix(want, []byte(arg)) {
			t.Fatalf("%q splits into %q and %q", want, verb, arg)
		}
	})
}
