package users

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"time"
)

// pollInterval is the time between two looks at the file. Notifications of the kernel would miss
// files on NFS, and those that Kubernetes replaces by moving a link above them.
const pollInterval = 2 * time.Second

// Watch calls changed with each new content of a file that Read returned, and broken with what
// keeps a new content from being read, once for each: then the content before stays. A change is
// read when the file has been the same for an interval, so that no half of it is; a value from
// again has the file read at once, and same called if it is as it was. It returns when ctx ends.
func (f *File) Watch(ctx context.Context, again <-chan struct{}, changed, same func(*File), broken func(error)) {
	w := &watcher{file: f, last: f.stamp, seen: f.stamp, changed: changed, same: same, broken: broken}
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			w.look()
		case <-again:
			w.read(w.same)
		}
	}
}

// A watcher belongs to one Watch.
type watcher struct {
	file    *File
	last    fs.FileInfo // of what was read last, be it broken
	seen    fs.FileInfo // at the last look; nil = it was not there
	gone    bool        // and that was said
	changed func(*File)
	same    func(*File)
	broken  func(error)
}

// look reads the file if it has changed and no longer does.
func (w *watcher) look() {
	now, err := os.Stat(w.file.name)
	if err != nil {
		if w.seen == nil && !w.gone { // for two looks: it is not just being replaced
			w.gone = true
			w.broken(err)
		}
		w.seen = nil
		return
	}
	quiet := sameStamp(w.seen, now)
	w.seen = now
	if quiet && (w.gone || !sameStamp(w.last, now)) {
		w.read(func(*File) {})
	}
}

// read reads the file, whatever is known of it.
func (w *watcher) read(same func(*File)) {
	now, err := Read(w.file.name)
	if err != nil {
		w.last, w.gone = nil, true
		if stamp, statErr := os.Stat(w.file.name); statErr == nil {
			w.last, w.gone = stamp, false
		}
		w.broken(err)
		return
	}
	w.last, w.gone = now.stamp, false
	if bytes.Equal(now.text, w.file.text) {
		same(w.file)
		return
	}
	w.file = now
	w.changed(now)
}

func sameStamp(a, b fs.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}
