package objectstest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"ferry/remote"
)

const owner = "alice"

// long is more than one part of an upload.
const long = 6 << 20

// A cost is what a call costs, in requests.
type cost struct {
	what string
	call func(c *costs) error
	want int
	// differs is where the protocol of a service, by the beginning of the remote's name, takes
	// another number.
	differs map[string]int
}

// costs is a run of RunCosts. Its remotes have one bucket.
type costs struct {
	t    *testing.T
	r    remote.Remote
	open func() remote.Remote
}

// RunCosts makes calls one after the other, and compares how many requests each takes. open opens a
// remote that knows nothing yet, in the same empty directory each time; requests tells how many
// requests there were until now; store is a key of the column of differences.
func RunCosts(t *testing.T, store string, requests func() int, open func() remote.Remote) {
	c := &costs{t: t, r: open(), open: open}
	for _, row := range table {
		before := requests()
		if err := row.call(c); err != nil {
			t.Errorf("%s: %v", row.what, err)
		}
		want, differs := row.differs[store]
		if !differs {
			want = row.want
		}
		if got := requests() - before; got != want {
			t.Errorf("%s: %d requests, want %d", row.what, got, want)
		}
	}
}

// table is in the order of the calls: each relies on what is known by those before.
var table = []cost{
	{"the first upload into a directory that was never seen", stage("a/b/f", 1), 4, looksForParts},
	{"the same again", stage("a/b/f", 1), 1, nil},
	{"a small upload of another name", stage("a/b/g", 1), 2, nil},
	{"a small upload, when its directory was listed", stage("a/b/h", 1), 1, nil},
	{"a new directory", mkdir("new"), 3, nil},
	{"a small upload into it", stage("new/f", 1), 1, nil},
	{"its end", remove("new/f"), 2, deletesAtOnce},
	{"the end of a file beside others", remove("a/b/h"), 2, deletesAtOnce},
	{"a small Put into a root that was never seen", put("g"), 2, nil},
	{"a small Put", put("h"), 1, nil},
	{"the first file beside a directory", stage("a/empty", 0), 2, nil},
	{"an empty file", stage("a/empty too", 0), 1, nil},
	{"an upload that is dropped", dropped("never"), 0, nil},
	{"an upload over a directory that is known", fails(stage("a", 1), remote.ErrIsDir), 1, nil},
	{"a file's description", stat("g"), 1, nil},
	{"a directory's description", stat("a"), 2, nil},
	{"a description of what is not there", fails(stat("none"), remote.ErrNotExist), 2, nil},
	{"reading", load("g"), 1, nil},
	{"an upload in two parts", stage("long", long), 5, ownUploads},
	{"a removal of what is not there", fails(remove("none"), remote.ErrNotExist), 2, nil},
	{"a copy", copied("g", "copy"), 3, copiesAtOnce},
	{"a rename", moved("copy", "moved"), 4, map[string]int{"s3": 6, "azureblob": 5}}, // s3 tries what a precondition does,
	{"a rename of what is not there", fails(moved("none", "some"), remote.ErrNotExist), 2, nil},
	{"the time of a file", setTime("g"), 2, setsAtOnce},
	{"a digest", hash("g"), 1, nil},
	{"a list", list("a"), 1, nil},
	{"a list of what is not there", fails(list("none"), remote.ErrNotExist), 2, nil},
	{"the end of a directory that is empty", rmdir("new"), 3, nil},
	{"a directory that is full", fails(rmdir("a"), remote.ErrNotEmpty), 2, nil},
	{"a directory that is renamed", moved("a/b", "a/c"), 10, map[string]int{"s3": 12, "azureblob": 12}},
	{"the root's description by who knows nothing", fresh(stat(".")), 1, nil},
	{"a file's description by who knows nothing", fresh(stat("g")), 2, nil},
	{"reading by who knows nothing", fresh(load("g")), 2, nil},
	{"a removal by who knows nothing", fresh(remove("h")), 3, map[string]int{"gcs": 2, "azureblob": 2}},
	{"a digest by who knows nothing", fresh(hash("g")), 2, nil},
	{"the time of a file by who knows nothing", fresh(setTime("g")), 3, map[string]int{"gcs": 2}},
}

var (
	// looksForParts is where unfinished uploads are kept: whether there are some is asked once, and
	// again after half a minute.
	looksForParts = map[string]int{"s3": 5, "azureblob": 5, "gcs": 5}
	// ownUploads are the requests of an upload in parts: S3 begins it, and is asked once more for a
	// directory of that name; the parts of GCS are longer; Azure has no beginning.
	ownUploads = map[string]int{"gcs": 1, "azureblob": 3}
	// copiesAtOnce is where a service copies all that it knows of a file.
	copiesAtOnce = map[string]int{"gcs": 2}
	// setsAtOnce is where the time of a file is no part of what the file says of itself.
	setsAtOnce = map[string]int{"gcs": 1}
)

// deletesAtOnce is where a service says that there was nothing to delete: it is not asked before.
var deletesAtOnce = map[string]int{"gcs": 1, "azureblob": 1}

func content(n int) []byte { return bytes.Repeat([]byte("x"), n) }

// stage publishes n bytes through a Stage, as an FTP upload does.
func stage(name string, n int) func(*costs) error {
	return func(c *costs) error {
		s, err := c.r.(remote.Stager).Stage(c.t.Context(), name, remote.StageOptions{Owner: owner})
		if err != nil {
			return err
		}
		if _, err := io.Copy(s, bytes.NewReader(content(n))); err != nil {
			return errors.Join(err, s.Abort())
		}
		_, err = s.Commit(c.t.Context(), time.Time{})
		return err
	}
}

func dropped(name string) func(*costs) error {
	return func(c *costs) error {
		s, err := c.r.(remote.Stager).Stage(c.t.Context(), name, remote.StageOptions{Owner: owner})
		if err != nil {
			return err
		}
		return s.Keep()
	}
}

func put(name string) func(*costs) error {
	return func(c *costs) error {
		_, err := c.r.Put(c.t.Context(), name, bytes.NewReader(content(1)), remote.PutOptions{})
		return err
	}
}

func mkdir(name string) func(*costs) error {
	return func(c *costs) error { return c.r.Mkdir(c.t.Context(), name) }
}

func rmdir(name string) func(*costs) error {
	return func(c *costs) error { return c.r.Rmdir(c.t.Context(), name) }
}

func remove(name string) func(*costs) error {
	return func(c *costs) error { return c.r.Remove(c.t.Context(), name) }
}

func stat(name string) func(*costs) error {
	return func(c *costs) error {
		_, err := c.r.Stat(c.t.Context(), name)
		return err
	}
}

func list(name string) func(*costs) error {
	return func(c *costs) error {
		for _, err := range c.r.List(c.t.Context(), name) {
			if err != nil {
				return err
			}
		}
		return nil
	}
}

func load(name string) func(*costs) error {
	return func(c *costs) error {
		f, err := c.r.Open(c.t.Context(), name, 0, -1)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, f)
		return errors.Join(err, f.Close())
	}
}

func copied(from, to string) func(*costs) error {
	return func(c *costs) error { return c.r.(remote.Copier).Copy(c.t.Context(), from, to) }
}

func moved(from, to string) func(*costs) error {
	return func(c *costs) error { return c.r.(remote.Mover).Move(c.t.Context(), from, to) }
}

// setTime sets another time than the file has.
func setTime(name string) func(*costs) error {
	return func(c *costs) error {
		return c.r.(remote.ModTimer).SetModTime(c.t.Context(), name, time.Unix(1e9, 0).Add(time.Since(time.Unix(1e9, 0))/2))
	}
}

func hash(name string) func(*costs) error {
	return func(c *costs) error {
		_, err := c.r.(remote.Hasher).Hash(c.t.Context(), name, "md5")
		return err
	}
}

// fails is a call that must fail with want.
func fails(call func(*costs) error, want error) func(*costs) error {
	return func(c *costs) error {
		if err := call(c); !errors.Is(err, want) {
			return fmt.Errorf("error %w, want %w", err, want)
		}
		return nil
	}
}

// fresh makes a call of a remote that knows nothing yet.
func fresh(call func(*costs) error) func(*costs) error {
	return func(c *costs) error {
		r := c.open()
		defer r.Close()
		return call(&costs{c.t, r, c.open})
	}
}
