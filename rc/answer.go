package rc

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
)

// refuse answers with an error. in is nil if nothing was read.
func (s *Server) refuse(w http.ResponseWriter, path string, in Params, err error) {
	status := statusOf(err)
	s.log.LogAttrs(context.Background(), slog.LevelDebug, "remote control", slog.String("call", path), slog.Int("status", status))
	write(w, status, Params{"error": err.Error(), "input": in, "path": path, "status": status})
}

// write sends a JSON object.
func write(w http.ResponseWriter, status int, out Params) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "\t")
	e.SetEscapeHTML(false)
	if err := e.Encode(out); err != nil {
		status = http.StatusInternalServerError
		b.Reset()
		fmt.Fprintf(&b, "{\n\t\"error\": %q,\n\t\"status\": %d\n}\n", "the result is not JSON: "+err.Error(), status)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client may have left
}
