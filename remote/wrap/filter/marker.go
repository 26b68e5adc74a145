package filter

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"ferry/remote"
)

// markers know which directories hold a file that excludes them. What the remote said of a
// directory counts for a moment, so that a path is not asked for again at every step.
type markers struct {
	remote remote.Remote
	names  []string

	mu   sync.Mutex
	seen map[string]marked // guarded by mu; by directory
}

type marked struct {
	hidden bool
	at     time.Time
}

const (
	markerFlag  = "--exclude-if-present"
	markerTime  = 2 * time.Second
	markerBatch = 16     // directories that are asked about at a time
	maxMarked   = 10_000 // directories that are remembered; when they are that many, all are forgotten
)

func newMarkers(r remote.Remote, names []string) *markers {
	if len(names) == 0 {
		return nil
	}
	return &markers{remote: r, names: names, seen: map[string]marked{}}
}

// hide reports whether dir or a directory above it holds a marker.
func (m *markers) hide(ctx context.Context, dir string) (bool, error) {
	if m == nil {
		return false, nil
	}
	for at := dir; ; at, _ = remote.Split(at) {
		if hidden, err := m.hides(ctx, at); hidden || err != nil {
			return hidden, err
		}
		if at == "." {
			return false, nil
		}
	}
}

// hides reports whether dir itself holds a marker.
func (m *markers) hides(ctx context.Context, dir string) (bool, error) {
	if m == nil {
		return false, nil
	}
	m.mu.Lock()
	known, ok := m.seen[dir]
	m.mu.Unlock()
	if ok && time.Since(known.at) < markerTime {
		return known.hidden, nil
	}
	asked := marked{at: time.Now()}
	for _, name := range m.names {
		found, err := m.find(ctx, dir, name)
		if err != nil {
			return false, err
		}
		if asked.hidden = found; found {
			break
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.seen) >= maxMarked {
		clear(m.seen)
	}
	m.seen[dir] = asked
	return asked.hidden, nil
}

// find looks for one marker. A name with a slash behind it is that of a directory, any other that
// of a file.
func (m *markers) find(ctx context.Context, dir, name string) (bool, error) {
	base, wantDir := strings.CutSuffix(name, "/")
	e, err := m.remote.Stat(ctx, remote.Join(dir, base))
	switch {
	case errors.Is(err, remote.ErrNotExist), errors.Is(err, remote.ErrNotDir), errors.Is(err, remote.ErrBadName):
		return false, nil
	case err != nil:
		return false, err
	}
	return e.Dir == wantDir, nil
}

// ask looks for markers in dirs, which are in parent, all at a time. What comes of it is
// remembered; an error is met again by who asks for that directory.
func (m *markers) ask(ctx context.Context, parent string, dirs []remote.Entry) {
	var wg sync.WaitGroup
	for _, e := range dirs {
		wg.Go(func() { _, _ = m.hides(ctx, remote.Join(parent, e.Name)) })
	}
	wg.Wait()
}
