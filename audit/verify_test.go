package audit

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ferry/events"
)

// threeFiles writes a chained log of so many lines each in three files, the first of which is
// packed, as logrotate leaves them. The process begins anew after each.
func threeFiles(t *testing.T, lines int) (names []string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "audit.log")
	for _, moved := range []string{name + ".2.gz", name + ".1", ""} {
		l := openChained(t, name)
		for range lines {
			e := events.Event{Kind: events.Mkdir, Path: "/d", Session: 1, User: "bob"}
			events.New(events.Subscription{Kinds: l.Kinds(), Listener: l}).Record(t.Context(), &e)
		}
		l.Close()
		switch {
		case strings.HasSuffix(moved, ".gz"):
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			z.Write([]byte(readFile(t, name)))
			z.Close()
			writeFile(t, moved, b.Bytes())
			os.Remove(name)
		case moved != "":
			if err := os.Rename(name, moved); err != nil {
				t.Fatal(err)
			}
		default:
			moved = name
		}
		names = append(names, moved)
	}
	return names
}

func writeFile(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// The chain goes from file to file, in whatever order they are named, and over restarts.
func TestVerifyAcrossFiles(t *testing.T) {
	names := threeFiles(t, 5)
	r := verify(t, 15, 0, names[1], names[2], names[0])
	if !r.Begins || len(r.Last) != 64 {
		t.Errorf("%+v", r)
	}
	later := verify(t, 10, 0, names[1], names[2])
	if later.Begins || later.Last != r.Last {
		t.Errorf("without the first file %+v", later)
	}
	if r, err := Verify([]string{names[0], names[2]}, ""); err != nil || len(r.Findings) != 1 || r.Findings[0].File != names[2] || r.Findings[0].Line != 1 {
		t.Errorf("without the file in the middle %+v, %v", r, err)
	}
	if r, err := Verify(names, r.Last); err != nil || !r.Noted {
		t.Errorf("the last hash is not found: %+v, %v", r, err)
	}
	text := readFile(t, names[2])
	writeFile(t, names[2], []byte(text[:strings.LastIndex(text[:len(text)-1], "\n")+1]))
	if cut, err := Verify(names, r.Last); err != nil || cut.Noted || len(cut.Findings) > 0 {
		t.Errorf("without the last line %+v, %v", cut, err)
	}
}

// Any byte that is changed, any line that is removed, doubled, or swapped with another is found,
// unless it is the last one, which a noted hash tells of.
func TestVerifyFindsWhatWasDone(t *testing.T) {
	names := threeFiles(t, 3)
	text := readFile(t, names[1])
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	lines[2] += "\n"
	try := func(what, text string) {
		writeFile(t, names[1], []byte(text))
		r, err := Verify(names, "")
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Findings) == 0 {
			t.Errorf("%s is not found", what)
		}
		for _, f := range r.Findings {
			if f.Line > 4 || f.File != names[1] && f.Line > 1 {
				t.Errorf("%s is found at %v", what, f)
			}
		}
	}
	for i := range lines {
		rest := slices.Clone(lines)
		try("a line that was removed", strings.Join(slices.Delete(slices.Clone(rest), i, i+1), ""))
		try("a line that was doubled", strings.Join(slices.Insert(slices.Clone(rest), i, lines[i]), ""))
		try("an empty line", strings.Join(slices.Insert(slices.Clone(rest), i, "\n"), ""))
		try("a line without a hash", strings.Join(slices.Insert(slices.Clone(rest), i, `{"time":"2026-04-03T10:34:56Z","event":"list"}`+"\n"), ""))
		try("what is no line", strings.Join(slices.Insert(slices.Clone(rest), i, lines[i][:20]+"\n"), ""))
	}
	try("an order that was changed", lines[1]+lines[0]+lines[2])
	for i := range len(text) - 1 {
		if text[i] == '\n' {
			continue
		}
		b := []byte(text)
		b[i] ^= 1
		try("a byte that was changed", string(b))
	}
	if r, err := Verify(names[:1], "00"); err != nil || r.Noted {
		t.Errorf("a hash that is none of a line was found: %+v, %v", r, err)
	}
}

// A log that was not chained before goes on chained; what comes without a hash after that is found.
func TestVerifyWhatWasNotChained(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	for i, chained := range []bool{false, true, false} {
		l, err := OpenAudit(options(name), false, chained)
		if err != nil {
			t.Fatal(err)
		}
		listTo(l, 2)
		l.Close()
		r, err := Verify([]string{name}, "")
		if err != nil || r.Unchained != 2 || r.Lines != min(2*i, 2) || (len(r.Findings) == 2) != (i == 2) {
			t.Errorf("%d: %+v, %v", i, r, err)
		}
	}
	if _, err := Verify([]string{name + ".none"}, ""); err == nil {
		t.Error("a file that is not there was verified")
	}
}
