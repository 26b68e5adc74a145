package access_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"ferry/ftp"
)

// wire is the client of a real server as an ftp.FS, as far as a world needs one: each operation is
// the command for it.
type wire struct {
	ftp.FS // for what no client can ask
	c      *client
}

// A replyError is a reply that refuses.
type replyError struct {
	code int
	text string
}

func (e *replyError) Error() string { return fmt.Sprint(e.code, " ", e.text) }

// do sends a command and returns a refusal as an error.
func (w *wire) do(command string) (string, error) {
	code, text := w.c.do(command)
	if code >= 400 {
		return "", &replyError{code, text}
	}
	return text, nil
}

func (w *wire) change(command string) error {
	_, err := w.do(command)
	return err
}

func (w *wire) Stat(_ context.Context, name string) (fs.FileInfo, error) {
	_, err := w.do("MLST " + name)
	return nil, err
}

func (w *wire) Open(_ context.Context, name string, _ int64) (io.ReadCloser, error) {
	code, text, body := w.c.transfer("RETR "+name, nil)
	if code != 226 {
		return nil, &replyError{code, text}
	}
	return io.NopCloser(strings.NewReader(body)), nil
}

func (w *wire) Hash(_ context.Context, name, _ string) ([]byte, error) {
	return nil, w.change("XMD5 " + name)
}

func (w *wire) Create(_ context.Context, name string, off int64) (ftp.Upload, error) {
	verb := "STOR "
	if off == ftp.AtEnd {
		verb = "APPE "
	}
	return &sent{w: w, command: verb + name}, nil
}

func (w *wire) Remove(_ context.Context, name string) error { return w.change("DELE " + name) }
func (w *wire) Mkdir(_ context.Context, dir string) error   { return w.change("MKD " + dir) }
func (w *wire) Rmdir(_ context.Context, dir string) error   { return w.change("RMD " + dir) }

func (w *wire) Rename(_ context.Context, from, to string) error {
	if err := w.change("RNFR " + from); err != nil {
		return err
	}
	return w.change("RNTO " + to)
}

func (w *wire) SetModTime(_ context.Context, name string, when time.Time) error {
	return w.change("MFMT " + when.UTC().Format("20060102150405") + " " + name)
}

func (w *wire) SetMode(_ context.Context, name string, perm fs.FileMode) error {
	return w.change(fmt.Sprintf("SITE CHMOD %o %s", perm, name))
}

// sent is an upload that is sent at its end.
type sent struct {
	strings.Builder
	w       *wire
	command string
}

func (s *sent) Commit(context.Context) error {
	if code, text, _ := s.w.c.transfer(s.command, []byte(s.String())); code != 226 {
		return &replyError{code, text}
	}
	return nil
}

func (s *sent) Abort() {}

// fact returns the perm fact of name, "-" if it is not there.
func (w *wire) fact(name string) string {
	text, err := w.do("MLST " + strings.Replace(name, ".", "/", 1))
	if err != nil {
		return "-"
	}
	_, fact, _ := strings.Cut(text, "perm=")
	fact, _, _ = strings.Cut(fact, ";")
	return fact
}

// listed returns the names that MLSD has with the fact of each.
func (w *wire) listed(dir string) (map[string]string, bool) {
	code, _, body := w.c.transfer("MLSD "+strings.Replace(dir, ".", "/", 1), nil)
	facts := map[string]string{}
	for line := range strings.Lines(body) {
		list, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		_, fact, _ := strings.Cut(list, "perm=")
		facts[name], _, _ = strings.Cut(fact, ";")
	}
	return facts, code == 226
}

// What a client is told by a real server is what the model says: listings with their facts, and the
// outcome of each command.
func TestCommandsAgreeWithTheModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for i := range worlds(5) {
		t.Run(fmt.Sprint(seed+i), func(t *testing.T) {
			w := newWorld(t, rand.New(rand.NewPCG(seed+i, 0)))
			defer func() {
				if t.Failed() {
					t.Logf("%+v", w.model.policy)
				}
			}()
			w.wire = &wire{w.guard, dial(t, w.guard)}
			for range 20 {
				w.step()
			}
			w.compare()
			w.compareListings()
		})
	}
}

// compareListings compares MLSD of each directory with MLST of each name in it.
func (w *world) compareListings() {
	for _, p := range w.model.paths {
		if w.kind(p) != "dir" {
			continue
		}
		facts, may := w.wire.listed(name(p))
		if may != w.model.dirListable(p) {
			w.t.Fatalf("MLSD %s: %v", p, may)
		}
		for n, fact := range facts {
			if other := w.wire.fact(name(strings.TrimSuffix(p, "/") + "/" + n)); other != fact {
				w.t.Fatalf("%s in %s has perm=%s in MLSD, and %s in MLST", n, p, fact, other)
			}
		}
	}
}
