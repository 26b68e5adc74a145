package rc

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// fakeTree notes what it is asked.
type fakeTree struct {
	name  string
	stats TreeStats
	asked []string
	fails map[string]error // of Refresh, by directory
}

func (f *fakeTree) Name() string { return f.name }

func (f *fakeTree) Forget(files, dirs []string) {
	f.asked = append(f.asked, fmt.Sprintf("forget files %q dirs %q", files, dirs))
}

func (f *fakeTree) ForgetAll() { f.asked = append(f.asked, "forget all") }

func (f *fakeTree) Refresh(_ context.Context, dir string, recursive bool) error {
	f.asked = append(f.asked, fmt.Sprintf("refresh %q %v", dir, recursive))
	return f.fails[dir]
}

func (f *fakeTree) Stats() TreeStats { return f.stats }

// livelyTree polls and has a queue.
type livelyTree struct {
	fakeTree
	interval time.Duration
	silent   bool          // its remote tells nothing
	slow     time.Duration // how long a change of the interval takes
	queue    []Queued
	aside    int // how many uploads were given up
}

func (l *livelyTree) PollInterval() (time.Duration, error) {
	if l.silent {
		return 0, errors.ErrUnsupported
	}
	return l.interval, nil
}

func (l *livelyTree) SetPollInterval(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(l.slow):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	l.interval = d
	return nil
}

func (l *livelyTree) Queue() []Queued { return l.queue }

func (l *livelyTree) Flush(_ context.Context, path string) error {
	l.asked = append(l.asked, fmt.Sprintf("flush %q", path))
	return l.fails[path]
}

func (l *livelyTree) SetAside(id int64) error {
	if id != 7 {
		return fs.ErrNotExist
	}
	l.aside++
	return nil
}

func (l *livelyTree) SetExpiry(id int64, expiry time.Duration, relative bool) error {
	if id != 7 {
		return fs.ErrNotExist
	}
	l.asked = append(l.asked, fmt.Sprintf("expiry %v %v", expiry, relative))
	return nil
}

func TestForgetAndRefresh(t *testing.T) {
	unsound := errors.New("the remote is on fire")
	tests := []struct {
		name   string
		q      request
		status int
		want   string
		asked  []string
	}{
		{"everything", request{target: "/vfs/forget"}, 200, `{"forgotten":[]}`, []string{"forget all"}},
		{"files and directories", request{target: "/vfs/forget?file=a/b&dir=/d/&file2=c&dirX=e/f"}, 200,
			`{"forgotten":["d","e/f","a/b","c"]}`, []string{`forget files ["a/b" "c"] dirs ["d" "e/f"]`}},
		{"the root", request{target: "/vfs/forget?dir="}, 200, `{"forgotten":[""]}`, []string{`forget files [] dirs ["."]`}},
		{"what cannot be a path", request{target: "/vfs/forget?file=a/../b"}, 200, `{"forgotten":["a/../b"]}`, []string{`forget files [] dirs []`}},
		{"a name that is not UTF-8", request{target: "/vfs/forget?file=%ff"}, 200, `{"forgotten":["\ufffd"]}`, []string{`forget files ["\xff"] dirs []`}},
		{"with the name of the tree", request{target: "/vfs/forget?fs=srv:"}, 200, `{"forgotten":[]}`, []string{"forget all"}},
		{"with another name", request{target: "/vfs/forget?fs=x:"}, 500,
			`{"error":"no VFS found with name \"x:\"","input":{"fs":"x:"},"path":"vfs/forget","status":500}`, nil},
		{"an unknown key", request{target: "/vfs/forget?dir=d&bogus=1"}, 500,
			`{"error":"unknown key \"bogus\"","input":{"dir":"d","bogus":"1"},"path":"vfs/forget","status":500}`, nil},
		{"a number", request{target: "/vfs/forget", contentType: jsonType, body: `{"file":1}`}, 500,
			`{"error":"value must be string \"file\"=1","input":{"file":1},"path":"vfs/forget","status":500}`, nil},

		{"refresh", request{target: "/vfs/refresh"}, 200, `{"result":{"":"OK"}}`, []string{`refresh "." false`}},
		{"refresh with all below", request{target: "/vfs/refresh?dir=d&dir2=/nope/&dir3=file&dir4=fire&dir5=a//b&recursive=true"}, 200,
			`{"result":{"d":"OK","nope":"file does not exist","file":"invalid argument","fire":"the remote is on fire","a//b":"invalid argument"}}`,
			[]string{`refresh "d" true`, `refresh "nope" true`, `refresh "file" true`, `refresh "fire" true`}},
		{"recursive that is neither true nor false", request{target: "/vfs/refresh?recursive=maybe"}, 500,
			`{"error":"invalid value \"recursive\"=maybe","input":{"recursive":"maybe"},"path":"vfs/refresh","status":500}`, nil},
		{"recursive that is no string", request{target: "/vfs/refresh", contentType: jsonType, body: `{"recursive":true}`}, 500,
			`{"error":"value must be string \"recursive\"=true","input":{"recursive":true},"path":"vfs/refresh","status":500}`, nil},
		{"an unknown key of refresh", request{target: "/vfs/refresh?file=a"}, 500,
			`{"error":"unknown key \"file\"","input":{"file":"a"},"path":"vfs/refresh","status":500}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tree := &fakeTree{name: "srv:", fails: map[string]error{
				"nope": &fs.PathError{Op: "list", Path: "nope", Err: fs.ErrNotExist}, "file": fs.ErrInvalid, "fire": unsound,
			}}
			wantJSON(t, tt.q.do(newServer(t, Options{Calls: VFSCalls(These(tree))})), tt.status, tt.want)
			if !slices.Equal(tree.asked, tt.asked) {
				t.Errorf("the tree was asked %q, want %q", tree.asked, tt.asked)
			}
		})
	}
}

func TestSeveralTrees(t *testing.T) {
	a, b, c := &fakeTree{name: "a:"}, &fakeTree{name: "b:"}, &fakeTree{name: "b:"}
	s := newServer(t, Options{Calls: VFSCalls(These(a, b, c))})
	wantJSON(t, request{target: "/vfs/list"}.do(s), http.StatusOK, `{"vfses":["a:","b:[0]","b:[1]"]}`)
	if w := (request{target: "/vfs/forget"}).do(s); w.Code != http.StatusInternalServerError {
		t.Errorf("without a name: %d", w.Code)
	}
	if w := (request{target: "/vfs/forget?fs=b:[1]"}).do(s); w.Code != http.StatusOK || len(c.asked) != 1 || len(b.asked) != 0 {
		t.Errorf("%d, %v, %v", w.Code, b.asked, c.asked)
	}
	if w := (request{target: "/vfs/stats", contentType: jsonType, body: `{"fs":1}`}).do(s); w.Code != http.StatusBadRequest {
		t.Errorf("a name that is none: %d", w.Code)
	}
	none := newServer(t, Options{Calls: VFSCalls(These())})
	wantJSON(t, request{target: "/vfs/list"}.do(none), http.StatusOK, `{"vfses":[]}`)
}

func TestTreeStats(t *testing.T) {
	tree := &fakeTree{name: "srv:", stats: TreeStats{Dirs: 2, Files: 5, InUse: 1, Options: map[string]any{"ReadOnly": true}}}
	s := newServer(t, Options{Calls: VFSCalls(These(tree))})
	wantJSON(t, request{target: "/vfs/stats"}.do(s), http.StatusOK,
		`{"fs":"srv:","inUse":1,"metadataCache":{"dirs":2,"files":5},"opt":{"ReadOnly":true}}`)
	tree.stats.DiskCache = map[string]any{"files": 1}
	if got := object(t, request{target: "/vfs/stats"}.do(s).Body.String()); !reflect.DeepEqual(got["diskCache"], map[string]any{"files": 1.0}) {
		t.Errorf("%v", got)
	}
}

func TestPollInterval(t *testing.T) {
	plain := newServer(t, Options{Calls: VFSCalls(These(&fakeTree{}))})
	for _, target := range []string{"/vfs/poll-interval", "/vfs/poll-interval?interval=1m"} {
		w := request{target: target}.do(plain)
		if w.Code != http.StatusInternalServerError || object(t, w.Body.String())["error"] != errNoPolling.Error() {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		tree := &livelyTree{interval: time.Minute}
		s, err := New(Options{Calls: VFSCalls(These(tree))})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		wantJSON(t, request{target: "/vfs/poll-interval"}.do(s), 200,
			`{"enabled":true,"supported":true,"interval":{"raw":60000000000,"seconds":60,"string":"1m0s"}}`)
		wantJSON(t, request{target: "/vfs/poll-interval?interval=90"}.do(s), 200,
			`{"enabled":true,"supported":true,"timeout":false,"interval":{"raw":90000000000,"seconds":90,"string":"1m30s"}}`)
		wantJSON(t, request{target: "/vfs/poll-interval?interval=0"}.do(s), 200,
			`{"enabled":false,"supported":true,"timeout":false,"interval":{"raw":0,"seconds":0,"string":"0s"}}`)
		tree.slow = 20 * time.Second
		wantJSON(t, request{target: "/vfs/poll-interval?interval=1m"}.do(s), 200,
			`{"enabled":false,"supported":true,"timeout":true,"interval":{"raw":0,"seconds":0,"string":"0s"}}`)
		wantJSON(t, request{target: "/vfs/poll-interval?interval=1m&timeout=0"}.do(s), 200,
			`{"enabled":true,"supported":true,"timeout":false,"interval":{"raw":60000000000,"seconds":60,"string":"1m0s"}}`)
		for target, status := range map[string]int{"?bogus=1": 500, "?interval=soon": 500, "?interval=-1m": 400, "?timeout=x": 500} {
			if w := (request{target: "/vfs/poll-interval" + target}).do(s); w.Code != status {
				t.Errorf("%s: %d %s", target, w.Code, w.Body)
			}
		}
		w := request{target: "/vfs/poll-interval", contentType: jsonType, body: `{"interval":5}`}.do(s)
		tree.silent = true
		if w := (request{target: "/vfs/poll-interval"}).do(s); w.Code != 500 || object(t, w.Body.String())["error"] != errNoPolling.Error() {
			t.Errorf("a remote that tells nothing: %d %s", w.Code, w.Body)
		}
		if w.Code != 500 {
			t.Errorf("an interval that is no string: %d %s", w.Code, w.Body)
		}
	})
}

func TestQueue(t *testing.T) {
	plain := newServer(t, Options{Calls: VFSCalls(These(&fakeTree{}))})
	wantJSON(t, request{target: "/vfs/queue"}.do(plain), 200, `{}`)
	wantJSON(t, request{target: "/vfs/queue-set-expiry?id=1&expiry=1"}.do(plain), 400,
		`{"error":"can't call this unless using the VFS cache","input":{"id":"1","expiry":"1"},"path":"vfs/queue-set-expiry","status":400}`)
	synctest.Test(t, func(t *testing.T) {
		tree := &livelyTree{}
		s, err := New(Options{Calls: VFSCalls(These(tree))})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		wantJSON(t, request{target: "/vfs/queue"}.do(s), 200, `{"queue":[]}`)
		tree.queue = []Queued{{Name: "a/b", ID: 7, Size: 10, Expiry: time.Now().Add(2 * time.Second), Tries: 1, Delay: 5 * time.Second, Because: "no network", Uploading: true}}
		wantJSON(t, request{target: "/vfs/queue"}.do(s), 200,
			`{"queue":[{"name":"a/b","id":7,"size":10,"expiry":2,"tries":1,"delay":5,"uploading":true,"waitingBecause":"no network"}]}`)
		wantJSON(t, request{target: "/vfs/queue-set-expiry?id=7&expiry=-1.5"}.do(s), 200, `{}`)
		wantJSON(t, request{target: "/vfs/queue-set-expiry", contentType: jsonType, body: `{"id":7,"expiry":10,"relative":true}`}.do(s), 200, `{}`)
		if want := []string{"expiry -1.5s false", "expiry 10s true"}; !slices.Equal(tree.asked, want) {
			t.Errorf("%q", tree.asked)
		}
		for target, status := range map[string]int{
			"?id=8&expiry=1": 500, "?id=7": 400, "?expiry=1": 400, "?id=7&expiry=1e300": 400, "?id=7&expiry=NaN": 400, "?id=7&expiry=1&relative=x": 400,
		} {
			if w := (request{target: "/vfs/queue-set-expiry" + target}).do(s); w.Code != status {
				t.Errorf("%s: %d %s", target, w.Code, w.Body)
			}
		}
	})
}
