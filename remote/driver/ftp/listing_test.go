package ftp_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/ftp"
	"ferry/remote/remotetest"
)

// listingOf lists the root of a server that sends lines.
func listingOf(t *testing.T, old bool, lines string) (names, omitted []string, err error) {
	t.Helper()
	f := &fake{list: lines, old: old}
	r, err := ftp.New(t.Context(), "/", f.start(t))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx := remote.WithOmitted(t.Context(), func(entry, reason string) { omitted = append(omitted, reason+": "+entry) })
	for e, bad := range r.List(ctx, ".") {
		if bad != nil {
			err = bad
			continue
		}
		names = append(names, e.Name)
	}
	return names, omitted, err
}

// No line vanishes.
func TestLinesThatAreNotUnderstood(t *testing.T) {
	const good = "-rw-r--r-- 1 0 0 5 Mar 09 13:01 f\r\n"
	long := "-rw-r--r-- 1 0 0 5 Mar 09 13:01 " + strings.Repeat("n", 9000)
	for _, c := range []struct {
		what      string
		old       bool
		lines     string
		names     []string
		omitted   []string // how they begin
		malformed bool
	}{
		{"an empty directory", true, "total 0\r\n", nil, nil, false},
		{"all is understood", true, "total 1\r\n" + good, []string{"f"}, nil, false},
		{"a line is not", true, good + "-rw-r--r-- ? what\r\n", []string{"f"}, []string{"the line is not understood: -rw-r--r-- ?"}, false},
		{"the last one is too long", true, good + long + "\r\n", []string{"f"}, []string{"the line is not understood: -rw-r--r-- 1 0 0 5 Mar 09"}, false},
		{"none is", true, "total 2\r\nwhat\r\nis this\r\n", nil, []string{"the line is not understood: what", "the line is not understood: is this"}, true},
		{"only a link", true, "lrwxrwxrwx 1 0 0 5 Mar 09 13:01 l -> f\r\nwhat\r\n", nil, []string{"the line is not understood: what"}, false},
		{"only the directory itself", true, "drwxr-xr-x 1 0 0 5 Mar 09 13:01 .\r\n", nil, nil, false},
		{"facts", false, "type=file;size=5; f\r\ntype=cdir; .\r\n", []string{"f"}, nil, false},
		{"a line of no facts", false, "type=file;size=5; f\r\nsize=5; g\r\n", []string{"f"}, []string{"the line is not understood: size=5; g"}, false},
		{"ls in place of facts", false, good, nil, []string{"the line is not understood: -rw"}, true},
		{"a name of another encoding", false, "type=file; f\r\ntype=file; a\uff0fb\r\n", []string{"f", "a／b"}, nil, false},
		{"a name that would be encoded", false, "type=file; f\r\ntype=file; f \r\n", []string{"f"}, []string{"the name is not written"}, false},
	} {
		names, omitted, err := listingOf(t, c.old, c.lines)
		if !slices.Equal(names, c.names) || errors.Is(err, remote.ErrMalformed) != c.malformed || !c.malformed && err != nil {
			t.Errorf("%s: %q, %v", c.what, names, err)
		}
		if !slices.EqualFunc(omitted, c.omitted, strings.HasPrefix) {
			t.Errorf("%s: left out are %.200q", c.what, omitted)
		}
		if c.malformed && !strings.Contains(err.Error(), "what") && !strings.Contains(err.Error(), "rw-") {
			t.Errorf("%s: the error names no line: %v", c.what, err)
		}
	}
}

func TestHostileNames(t *testing.T) {
	for _, old := range []bool{true, false} {
		start := func(t *testing.T, names []string) remote.Remote {
			f := &fake{old: old}
			for _, name := range append(names, "ok") {
				if old {
					f.list += "-rw-r--r-- 1 0 0 5 Mar 09 13:01 " + name + "\r\n"
				} else {
					f.list += "type=file;size=5; " + name + "\r\n"
				}
			}
			r, err := ftp.New(t.Context(), "/", f.start(t))
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		remotetest.RunHostile(t, start, func(name string) bool { return name == "." || name == ".." })
	}
}
