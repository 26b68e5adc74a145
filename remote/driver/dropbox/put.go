package dropbox

import (
	"context"
	"fmt"
	"io"
	"time"

	"ferry/remote"
	"ferry/remote/driver/internal/httpclient"
)

// firstRead is how much of a body is read before there is memory for a whole chunk.
const firstRead = 64 << 10

// Put implements remote.Remote. FactsOf means nothing, as Dropbox keeps no such facts.
func (r *Remote) Put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (remote.Entry, error) {
	err := r.checkNew(ctx, name)
	if err == nil && name == "." {
		err = remote.ErrIsDir
	}
	if err == nil {
		err = r.checkParent(ctx, name)
	}
	if err != nil {
		return remote.Entry{}, fail("put", name, err)
	}
	m, err := r.put(ctx, name, remote.ContextReader(ctx, body), o)
	if err != nil {
		return remote.Entry{}, fail("put", name, err)
	}
	base, bad := remote.ReadName(r.opt.Encoding, m.Name)
	if bad != "" {
		_, base = remote.Split(name)
	}
	return m.entry(base), nil
}

// put sends the body in chunks, and makes a file of them at the end.
func (r *Remote) put(ctx context.Context, name string, body io.Reader, o remote.PutOptions) (*metadata, error) {
	u := &upload{service: r.service, memory: r.opt.Network.Memory.Upload()}
	defer u.memory.End()
	if err := u.memory.Begin(ctx, firstRead); err != nil {
		return nil, err
	}
	chunk, end := httpclient.ReadChunk(body, nil, firstRead)
	for {
		var err error
		if chunk, end, err = r.fill(ctx, u, body, chunk, end, o.Size); err != nil {
			return nil, err
		}
		n := u.sent + int64(len(chunk))
		switch {
		case end == io.EOF:
			if err := remote.CheckSize(n, o.Size); err != nil {
				return nil, err
			}
		case end != nil:
			return nil, end
		case o.Size > 0 && n > o.Size:
			return nil, remote.CheckSize(n, o.Size)
		}
		c := commitInfo{Path: r.path(name), Mode: overwrite(), ClientModified: kept(o.ModTime), Mute: true}
		if end != nil && u.session == "" && r.opt.Unbatched {
			return r.putWhole(ctx, name, c, chunk)
		}
		if err := u.send(ctx, chunk, end != nil); err != nil {
			return nil, err
		}
		if end != nil {
			return r.commit(ctx, name, u, c)
		}
		chunk = chunk[:0]
	}
}

// fill reads the rest of a chunk, which ends with the body if that does. A chunk is shorter where
// many uploads share the memory, and first a block is tried, as most files are no longer.
func (r *Remote) fill(ctx context.Context, u *upload, body io.Reader, chunk []byte, end error, size int64) ([]byte, error, error) {
	whole := max(r.opt.Network.Memory.Fair(r.opt.ChunkSize)/hashBlock*hashBlock, hashBlock)
	for _, limit := range []int64{hashBlock, whole} {
		if size > 0 {
			limit = min(limit, max(size-u.sent, 0)+1) // one more, to see the end
		}
		if end != nil || int64(len(chunk)) >= limit {
			continue
		}
		if err := u.memory.Collect(ctx, limit); err != nil {
			return nil, nil, err
		}
		chunk, end = httpclient.ReadChunk(body, chunk, int(limit))
	}
	return chunk, end, nil
}

// commitInfo says where a content goes.
type commitInfo struct {
	Path           string            `json:"path"`
	Mode           map[string]string `json:"mode"`
	ClientModified string            `json:"client_modified,omitempty"`
	Mute           bool              `json:"mute"` // nobody is told by a notification
}

func overwrite() map[string]string { return map[string]string{".tag": "overwrite"} }

// putWhole stores content in one request.
func (r *Remote) putWhole(ctx context.Context, name string, c commitInfo, content []byte) (*metadata, error) {
	var sum contentHash
	arg := struct {
		commitInfo
		Hash string `json:"content_hash"`
	}{c, sum.add(content)}
	sending, lost := doubting(ctx)
	m := new(metadata)
	err := r.service.send(sending, "files/upload", arg, content, busyOnly, m)
	if err != nil && lost.Load() {
		return r.settle(ctx, name, arg.Hash, err)
	}
	return m, err
}

// commit makes a file of an upload.
func (r *Remote) commit(ctx context.Context, name string, u *upload, c commitInfo) (*metadata, error) {
	want := u.sum.String()
	m, doubt, err := r.commits.commit(ctx, finishArg{Cursor: sessionCursor{u.session, u.sent}, Commit: c})
	if err != nil && doubt {
		return r.settle(ctx, name, want, err)
	}
	if err != nil {
		return nil, err
	}
	if m.ContentHash != "" && m.ContentHash != want {
		return nil, fmt.Errorf("the server has stored another content than was sent: its content_hash is %.64s instead of %s", m.ContentHash, want)
	}
	return m, nil
}

// settleTime is how long finding out may take what became of a commit whose answer was lost.
const settleTime = 5 * time.Second

// settle finds out whether a content is stored that may be or not, as lost says. What stays in
// doubt it reports, also where the content is there: the name may have had the same one before, and
// what was sent may still come, after what follows. A session that is gone comes no more.
func (r *Remote) settle(ctx context.Context, name, sum string, lost error) (*metadata, error) {
	settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	m, err := r.stat(settling, name)
	same := err == nil && m.ContentHash == sum && sum != ""
	if !same || !has(lost, "lookup_failed") {
		remote.Unanswered(ctx)
	}
	if same {
		return m, nil
	}
	return nil, lost
}
