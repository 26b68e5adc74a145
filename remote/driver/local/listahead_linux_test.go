package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// largeDir is a directory of more entries than are described at once: files as long as the number
// in their name, and now and then something else.
func largeDir(t *testing.T) string {
	dir := t.TempDir()
	for i := range 3*batches*batchSize + 7 {
		name := filepath.Join(dir, fmt.Sprintf("%05d-%s", i, strings.Repeat("x", 40)))
		var err error
		switch i % 1000 {
		case 10:
			err = os.Mkdir(name, 0o700)
		case 20:
			err = unix.Mkfifo(name, 0o600)
		case 30:
			err = os.Symlink("00001-"+strings.Repeat("x", 40), name)
		default:
			if err = os.WriteFile(name, nil, 0o600); err == nil {
				err = os.Truncate(name, int64(i))
			}
		}
		must(t, err)
	}
	return dir
}

// A large directory is listed whole and in its order, and each name with what it is.
func TestALargeDirectoryIsListedInOrder(t *testing.T) {
	dir := largeDir(t)
	f, err := os.Open(dir)
	must(t, err)
	defer f.Close()
	names, err := f.Readdirnames(-1)
	must(t, err)
	for _, links := range []bool{false, true} {
		want := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
			return name[2:5] == "020" || name[2:5] == "030" && !links
		})
		r := openDir(t, dir, openTree, Options{CopyLinks: links})
		defer r.Close()
		var got []string
		for e, err := range r.List(t.Context(), ".") {
			must(t, err)
			got = append(got, e.Name)
			var number int64
			fmt.Sscanf(e.Name, "%d", &number)
			switch {
			case e.Dir != (e.Name[2:5] == "010"):
				t.Errorf("%s: a directory: %v", e.Name, e.Dir)
			case e.Name[2:5] == "030" && e.Size != 1, !e.Dir && e.Name[2:5] != "030" && e.Size != number:
				t.Errorf("%s: size %d", e.Name, e.Size)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d entries in one order, want %d in another", len(got), len(want))
		}
	}
}

// Whoever has seen enough, or whose context ends, gets no more, and nothing uses the directory
// behind that.
func TestALargeListingEndsWhenItShall(t *testing.T) {
	r := openDir(t, largeDir(t), openTree, Options{})
	defer r.Close()
	gone := errors.New("gone")
	for _, after := range []int{1, firstBatch, 3 * batchSize, 2 * batches * batchSize} {
		n := 0
		for _, err := range r.List(t.Context(), ".") {
			must(t, err)
			if n++; n == after {
				break
			}
		}
		ctx, end := context.WithCancelCause(t.Context())
		n = 0
		var last error
		for _, err := range r.List(ctx, ".") {
			if last = err; err == nil {
				n++
			}
			if n == after {
				end(gone)
			}
		}
		if !errors.Is(last, gone) || n > after+batches*batchSize {
			t.Errorf("ended after %d entries: %d came, then %v", after, n, last)
		}
		end(nil)
	}
}

// What fails in the middle of a large directory ends its listing behind what is known.
func TestALargeListingThatFails(t *testing.T) {
	tree, err := openBeneath(largeDir(t), &access{})
	must(t, err)
	defer tree.close()
	fd, err := tree.top.openat(".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	must(t, err)
	defer unix.Close(fd)
	no, err := os.Open(os.DevNull)
	must(t, err)
	defer no.Close()
	var names []string
	rd := &dirReader{d: tree.top, fd: fd, buf: make([]byte, dirBuffer)}
	err = rd.listAhead(t.Context(), func(m *meta) bool {
		if names = append(names, m.name); len(names) == 100 {
			must(t, unix.Dup3(int(no.Fd()), fd, 0)) // no directory any more
		}
		return true
	})
	if err != unix.ENOTDIR || len(names) < 100 || len(names) > batches*batchSize {
		t.Errorf("%d entries, then %v", len(names), err)
	}
	slices.Sort(names)
	if n := len(slices.Compact(names)); n != len(names) {
		t.Errorf("%d of %d entries are different", n, len(names))
	}
}
