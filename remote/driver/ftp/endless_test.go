package ftp_test

import (
	"errors"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/ftp"
	"ferry/remote/remotetest"
)

// A reply ends, or the session does.
func TestRepliesWithoutEnd(t *testing.T) {
	for _, command := range []string{"", "FEAT", "PWD", "MLST", "CWD", "EPSV", "RNFR"} {
		for what, lines := range map[string]string{"one line": "2", "short lines": "250-x\r\n", "long lines": "250-" + string(make([]byte, 4000)) + "\r\n"} {
			if command == "EPSV" { // the client reads on only where the code is the right one
				lines = strings.ReplaceAll(lines, "250", "229")
			}
			f := &fake{flood: command, lines: lines, list: "type=file; f\r\n", files: map[string]string{"/f": "x"}}
			r, err := ftp.New(t.Context(), "/", f.start(t))
			if err == nil {
				for _, bad := range r.List(t.Context(), ".") {
					err = errors.Join(err, bad)
				}
				if command == "RNFR" {
					err = r.Move(t.Context(), "f", "g")
				}
				r.Close()
			}
			if !errors.Is(err, remote.ErrMalformed) {
				t.Errorf("%s to %q: %v", what, command, err)
			}
		}
	}
}

// A directory has an end, or its listing fails.
func TestDirectoriesWithoutEnd(t *testing.T) {
	for _, old := range []bool{true, false} {
		remotetest.RunEndless(t, func(t *testing.T, name func(i int) string) remote.Remote {
			f := &fake{old: old, list: "\r\n", line: func(i int) string {
				if old {
					return "-rw-r--r-- 1 0 0 5 Mar 09 13:01 " + name(i) + "\r\n"
				}
				return "type=file;size=5; " + name(i) + "\r\n"
			}}
			o := f.start(t)
			o.Network.MaxEntries = remotetest.EndlessEntries
			r, err := ftp.New(t.Context(), "/", o)
			if err != nil {
				t.Fatal(err)
			}
			return r
		})
	}
}
