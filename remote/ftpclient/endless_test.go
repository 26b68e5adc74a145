package ftpclient_test

import (
	"errors"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/ftpclient"
)

// A reply ends, or the session does.
func TestRepliesWithoutEnd(t *testing.T) {
	for _, command := range []string{"", "FEAT", "PWD", "MLST", "CWD", "EPSV", "RNFR"} {
		for what, lines := range map[string]string{"one line": "2", "short lines": "250-x\r\n", "long lines": "250-" + string(make([]byte, 4000)) + "\r\n"} {
			if command == "EPSV" { // the client reads on only where the code is the right one
				lines = strings.ReplaceAll(lines, "250", "229")
			}
			f := &fake{flood: command, lines: lines, list: "type=file; f\r\n", files: map[string]string{"/f": "x"}}
			r, err := ftpclient.New(t.Context(), "/", f.start(t))
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
