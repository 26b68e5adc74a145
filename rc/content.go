package rc

import (
	"io"
	"mime"
	"net/http"
	"path"
	"strconv"
)

// A Holder is a Tree that holds contents that its remote does not have. Its methods return
// fs.ErrNotExist if there is no such file.
type Holder interface {
	// OpenRefused opens a file that the remote refused permanently, by its id in cache/ls.
	OpenRefused(id string) (Held, error)
	// OpenQueued opens a pending upload, by its id in vfs/queue.
	OpenQueued(id int64) (Held, error)
}

// Held is the content of a file; the caller closes it.
type Held struct {
	io.ReadCloser
	Name string
	Size int64
}

// contentPath is where the contents are.
const contentPath = "cache/content"

// Contents answers GET cache/content with a file that the remote does not have, as a download.
func Contents(trees Trees) Page {
	return Page{Path: contentPath, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		held, err := openHeld(trees(), r)
		if err != nil {
			http.Error(w, err.Error(), statusOf(err))
			return
		}
		defer held.Close()
		h := w.Header()
		h.Set("Content-Type", "application/octet-stream")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": path.Base(held.Name)}))
		h.Set("Content-Length", strconv.FormatInt(held.Size, 10))
		if r.Method == http.MethodHead {
			return
		}
		_, _ = io.Copy(w, held) // the client may have left
	})}
}

// openHeld opens the content that the query of r names by fs, and by refused or waiting.
func openHeld(trees []Tree, r *http.Request) (Held, error) {
	in := Params{}
	if err := addValues(in, r.URL.RawQuery); err != nil {
		return Held{}, badParam("failed to parse query: %w", err)
	}
	t, err := pick(trees, in)
	if err != nil {
		return Held{}, err
	}
	h, ok := t.(Holder)
	if !ok {
		return Held{}, withStatus(http.StatusBadRequest, "%w", errNoCache)
	}
	if in.Has("refused") {
		id, err := in.String("refused")
		if err != nil {
			return Held{}, err
		}
		return h.OpenRefused(id)
	}
	id, err := in.Int64("waiting")
	if err != nil {
		return Held{}, err
	}
	return h.OpenQueued(id)
}
