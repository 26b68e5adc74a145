package remotetest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers"
)

// brokenEnv names the broken remote that a child process runs the suite on.
const brokenEnv = "REMOTETEST_BROKEN"

// TestTheSuiteFindsWhatIsBroken runs the suite, in processes of its own, on remotes that break a
// promise each.
func TestTheSuiteFindsWhatIsBroken(t *testing.T) {
	servers.SkipLong(t)
	for name, broken := range brokenRemotes() {
		t.Run(name, func(t *testing.T) {
			group, _, _ := strings.Cut(broken.sentence, "/")
			cmd := exec.Command(os.Args[0], "-test.v", "-test.run=^TestBrokenChild$/^"+group+"$")
			cmd.Env = append(os.Environ(), brokenEnv+"="+name)
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatal("the suite passes")
			}
			sentence := "TestBrokenChild/" + strings.ReplaceAll(broken.sentence, " ", "_")
			if !strings.Contains(string(out), "--- FAIL: "+sentence) {
				t.Errorf("the suite fails, but not at %q:\n%s", broken.sentence, failures(out))
			}
		})
	}
}

// TestBrokenChild is the child process of TestTheSuiteFindsWhatIsBroken.
func TestBrokenChild(t *testing.T) {
	broken, ok := brokenRemotes()[os.Getenv(brokenEnv)]
	if !ok {
		t.Skip("it is run by TestTheSuiteFindsWhatIsBroken")
	}
	remotetest.Run(t, func(*testing.T) remote.Remote { return broken.wrap(remote.Forward{Remote: memory.New()}) })
}

func failures(out []byte) []byte {
	var lines [][]byte
	for line := range bytes.Lines(out) {
		if bytes.Contains(line, []byte("--- FAIL")) {
			lines = append(lines, line)
		}
	}
	return bytes.Join(lines, nil)
}

// A broken remote breaks the promise of one sentence, at least.
type broken struct {
	sentence string
	wrap     func(f remote.Forward) remote.Remote
}

func brokenRemotes() map[string]broken {
	return map[string]broken{
		"publishes parts":     {"PutFails/a body that fails leaves the old content", func(f remote.Forward) remote.Remote { return publishesParts{f} }},
		"ignores contexts":    {"PutFails/ending the context leaves the old content", func(f remote.Forward) remote.Remote { return ignoresContexts{f} }},
		"ignores sizes":       {"PutFails/a body shorter than announced is ErrSize", func(f remote.Forward) remote.Remote { return ignoresSizes{f} }},
		"replaces in two":     {"Concurrent/readers see the whole old or the whole new content", func(f remote.Forward) remote.Remote { return replacesInTwo{f} }},
		"loses a page":        {"LargeList/it can be stopped at any entry", func(f remote.Forward) remote.Remote { return losesAPage{f} }},
		"lists doubly":        {"List/it yields every entry once", func(f remote.Forward) remote.Remote { return listsDoubly{f} }},
		"is unreachable":      {"Stat/what is not there is ErrNotExist", func(f remote.Forward) remote.Remote { return isUnreachable{f} }},
		"has bare errors":     {"Stat/what is not there is ErrNotExist", func(f remote.Forward) remote.Remote { return hasBareErrors{f} }},
		"reads on":            {"Open/it reads n bytes", func(f remote.Forward) remote.Remote { return readsOn{f} }},
		"removes directories": {"Remove/a directory is ErrIsDir", func(f remote.Forward) remote.Remote { return removesDirectories{f} }},
		"copies for moves":    {"Move/it renames a file", func(f remote.Forward) remote.Remote { return copiesForMoves{f} }},
		"trims names":         {"Names/held unchanged or refused before data: a blank at the end", func(f remote.Forward) remote.Remote { return trimsNames{f} }},
		"keeps nothing":       {"Stage/Ends/Keep keeps what was written as the part of its owner", func(f remote.Forward) remote.Remote { return keepsNothing{f} }},
		"mixes up owners":     {"Stage/BasePart/BasePart without a part is ErrNotExist", func(f remote.Forward) remote.Remote { return mixesUpOwners{f} }},
		"forgets the base":    {"Stage/Base/BaseFile keeps the first bytes of the published file", func(f remote.Forward) remote.Remote { return forgetsTheBase{f} }},
		"shows stages":        {"Stage/nothing is visible to anybody until Commit", func(f remote.Forward) remote.Remote { return showsStages{f} }},
	}
}

// publishesParts takes a body that fails for one that ended.
type publishesParts struct{ remote.Forward }

func (r publishesParts) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	var failed error
	e, err := r.Forward.Put(ctx, name, readFunc(func(p []byte) (int, error) {
		n, err := body.Read(p)
		if err != nil && err != io.EOF {
			failed, err = &fs.PathError{Op: "put", Path: name, Err: err}, io.EOF
		}
		return n, err
	}), o)
	return e, errors.Join(err, failed)
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

type ignoresContexts struct{ remote.Forward }

func (r ignoresContexts) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	return r.Forward.Put(context.WithoutCancel(ctx), name, body, o)
}

type ignoresSizes struct{ remote.Forward }

func (r ignoresSizes) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	o.Size = 0
	return r.Forward.Put(ctx, name, body, o)
}

// replacesInTwo has nothing under the name for a moment.
type replacesInTwo struct{ remote.Forward }

func (r replacesInTwo) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	if _, err := r.Forward.Put(ctx, name, strings.NewReader(""), remote.PutOptions{}); err != nil {
		return remote.Entry{}, err
	}
	runtime.Gosched() // where there is one processor, nobody else would look just now
	return r.Forward.Put(ctx, name, body, o)
}

// losesAPage ends a listing after a thousand entries.
type losesAPage struct{ remote.Forward }

func (r losesAPage) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		n := 0
		for e, err := range r.Forward.List(ctx, dir) {
			if n++; n > 1000 || !yield(e, err) {
				return
			}
		}
	}
}

type listsDoubly struct{ remote.Forward }

func (r listsDoubly) List(ctx context.Context, dir string) iter.Seq2[remote.Entry, error] {
	return func(yield func(remote.Entry, error) bool) {
		for e, err := range r.Forward.List(ctx, dir) {
			if !yield(e, err) || err == nil && !yield(e, nil) {
				return
			}
		}
	}
}

// isUnreachable answers as if the transport had failed.
type isUnreachable struct{ remote.Forward }

func (r isUnreachable) Stat(ctx context.Context, name string) (remote.Entry, error) {
	e, err := r.Forward.Stat(ctx, name)
	if errors.Is(err, remote.ErrNotExist) {
		err = &fs.PathError{Op: "stat", Path: name, Err: io.ErrUnexpectedEOF}
	}
	return e, err
}

type hasBareErrors struct{ remote.Forward }

func (r hasBareErrors) Stat(ctx context.Context, name string) (remote.Entry, error) {
	e, err := r.Forward.Stat(ctx, name)
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return e, err
}

// readsOn reads to the end in any case.
type readsOn struct{ remote.Forward }

func (r readsOn) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	return r.Forward.Open(ctx, name, off, -1)
}

type removesDirectories struct{ remote.Forward }

func (r removesDirectories) Remove(ctx context.Context, name string) error {
	if err := r.Forward.Remove(ctx, name); !errors.Is(err, remote.ErrIsDir) {
		return err
	}
	return r.Rmdir(ctx, name)
}

// copiesForMoves leaves the old name.
type copiesForMoves struct{ remote.Forward }

func (r copiesForMoves) Move(ctx context.Context, from, to string) error {
	return r.Copy(ctx, from, to)
}

type trimsNames struct{ remote.Forward }

func (r trimsNames) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	return r.Forward.Put(ctx, strings.TrimRight(name, " "), body, o)
}

// keepsNothing discards what should be kept.
type keepsNothing struct{ remote.Forward }

func (r keepsNothing) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	s, err := r.Forward.Stage(ctx, name, o)
	if err != nil {
		return nil, err
	}
	return discarding{s}, nil
}

type discarding struct{ remote.Stage }

func (s discarding) Keep() error { return s.Abort() }

// mixesUpOwners has one part for all.
type mixesUpOwners struct{ remote.Forward }

func (r mixesUpOwners) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	if o.Valid() {
		o.Owner = "everybody"
	}
	return r.Forward.Stage(ctx, name, o)
}

type forgetsTheBase struct{ remote.Forward }

func (r forgetsTheBase) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	if o.Valid() && o.Base == remote.BaseFile {
		o.Off = 0
	}
	return r.Forward.Stage(ctx, name, o)
}

// showsStages publishes what is written at once.
type showsStages struct{ remote.Forward }

func (r showsStages) Stage(ctx context.Context, name string, o remote.StageOptions) (remote.Stage, error) {
	s, err := r.Forward.Stage(ctx, name, o)
	if err != nil {
		return nil, err
	}
	return publishing{s}, nil
}

type publishing struct{ remote.Stage }

func (s publishing) Write(p []byte) (int, error) {
	n, err := s.Stage.Write(p)
	if err == nil {
		_, err = s.Commit(context.Background(), time.Time{})
	}
	return n, err
}
