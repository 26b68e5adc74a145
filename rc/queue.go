package rc

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"time"
)

// A Flusher is a Tree that can flush pending changes.
type Flusher interface {
	// Flush returns when no change of path, or below it, is pending. A permanently refused change
	// is an error.
	Flush(ctx context.Context, path string) error
}

// flush waits until a path, or everything, is on the remote.
func flush(ctx context.Context, t Tree, in Params) (Params, error) {
	f, ok := t.(Flusher)
	if !ok {
		return nil, withStatus(http.StatusBadRequest, "%w", errNoCache)
	}
	path := "."
	if in.Has("path") {
		text, err := pathParam(in, "path")
		if err != nil {
			return nil, err
		}
		if path, ok = validPath(text); !ok {
			return nil, badParam("%q is not a path", text)
		}
	}
	return nil, f.Flush(ctx, path)
}

// queue returns the pending uploads of t; an empty result if t has no queue.
func queue(_ context.Context, t Tree, _ Params) (Params, error) {
	q, ok := t.(Queuer)
	if !ok {
		return nil, nil
	}
	now, waiting := time.Now(), []Params{}
	for _, u := range q.Queue() {
		p := Params{
			"name": u.Name, "id": u.ID, "size": u.Size, "expiry": u.Expiry.Sub(now).Seconds(),
			"tries": u.Tries, "delay": u.Delay.Seconds(), "uploading": u.Uploading,
		}
		if u.Because != "" {
			p["waitingBecause"] = u.Because
		}
		waiting = append(waiting, p)
	}
	return Params{"queue": waiting}, nil
}

// longest is the maximum of time.Duration, in seconds.
const longest = float64(1<<63-1) / float64(time.Second)

// setAside gives up a pending upload.
func setAside(_ context.Context, t Tree, in Params) (Params, error) {
	q, ok := t.(Queuer)
	if !ok {
		return nil, withStatus(http.StatusBadRequest, "%w", errNoCache)
	}
	id, err := in.Int64("id")
	if err != nil {
		return nil, err
	}
	err = q.SetAside(id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, withStatus(http.StatusNotFound, "id not found in queue")
	}
	return nil, err
}

func setExpiry(_ context.Context, t Tree, in Params) (Params, error) {
	q, ok := t.(Queuer)
	if !ok {
		return nil, withStatus(http.StatusBadRequest, "%w", errNoCache)
	}
	id, err := in.Int64("id")
	if err != nil {
		return nil, err
	}
	seconds, err := in.Float64("expiry")
	if err != nil {
		return nil, err
	}
	if !(seconds > -longest && seconds < longest) {
		return nil, badParam("expiry %v is out of range", seconds)
	}
	relative, err := optional(Params.Bool, in, "relative")
	if err != nil {
		return nil, err
	}
	err = q.SetExpiry(id, time.Duration(seconds*float64(time.Second)), relative)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("id not found in queue")
	}
	return nil, err
}
