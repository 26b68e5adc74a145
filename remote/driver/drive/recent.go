package drive

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// recentTime is how long the service may take to list what it has been given.
	recentTime = time.Minute
	// mostRecent is how many names are remembered for that.
	mostRecent = 10_000
)

// recent remembers what got a name through this remote: the service does not promise that a query
// finds at once what it has been given, while it knows every id. The zero value is ready to use.
type recent struct {
	mu    sync.Mutex
	names map[recentName]recentFile // guarded by mu
}

// A recentName is a name as Drive has it, in the folder of that id.
type recentName struct{ folder, name string }

type recentFile struct {
	id   string
	when time.Time
}

// note remembers that the file id got a name.
func (c *recent) note(folder, name, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.names == nil || len(c.names) >= mostRecent {
		c.names = map[recentName]recentFile{}
	}
	c.names[recentName{folder, name}] = recentFile{id, time.Now()}
}

// of returns the id of what got a name lately, "" for nothing.
func (c *recent) of(folder, name string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := recentName{folder, name}
	f, ok := c.names[key]
	if ok && time.Since(f.when) > recentTime {
		delete(c.names, key)
		return ""
	}
	return f.id
}

// lately returns the file that got a name lately and still has it, nil for none.
func (r *Remote) lately(ctx context.Context, folder, name string) (*file, error) {
	id := r.recent.of(folder, name)
	if id == "" {
		return nil, nil
	}
	f, err := r.service.get(ctx, id, fileFields)
	switch {
	case isGone(err):
		return nil, nil
	case err != nil:
		return nil, err
	case f.Trashed || f.Name != name || !slices.Contains(f.Parents, folder):
		return nil, nil
	}
	return f, nil
}
