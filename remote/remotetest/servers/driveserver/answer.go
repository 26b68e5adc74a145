package driveserver

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
)

// A refusal is an answer that refuses a request.
type refusal struct {
	status int
	reason string
	after  int // seconds of Retry-After; below 0 = the header has no meaning; 0 = none
}

func (bad *refusal) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	if bad.after != 0 {
		w.Header().Set("Retry-After", strconv.Itoa(bad.after))
	}
	w.WriteHeader(bad.status)
	one := map[string]any{"domain": "global", "reason": bad.reason, "message": bad.reason}
	answer(w, map[string]any{"error": map[string]any{"code": bad.status, "message": bad.reason, "errors": []any{one}}})
}

func invalid(why string) *refusal { return &refusal{status: http.StatusBadRequest, reason: why} }

func notFound(string) *refusal { return &refusal{status: http.StatusNotFound, reason: "notFound"} }

// answer writes JSON. The client may have gone.
func answer(w io.Writer, v any) { _ = json.NewEncoder(w).Encode(v) }

// send answers with JSON.
func send(w http.ResponseWriter, v any) *refusal {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	answer(w, v)
	return nil
}

// keeps reports whether a call asks for the new revision to be kept for ever.
func keeps(query url.Values) bool { return query.Get("keepRevisionForever") == "true" }

// fields are the names in the parameter of that name, without a look at what is in which.
func fields(parameter string) map[string]bool {
	wanted := map[string]bool{}
	for _, name := range regexp.MustCompile(`[a-zA-Z0-9*]+`).FindAllString(cmp.Or(parameter, "kind,id,name,mimeType"), -1) {
		wanted[name] = true
	}
	return wanted
}

// selected returns of a description what is wanted.
func selected(described map[string]any, wanted map[string]bool) map[string]any {
	chosen := map[string]any{}
	for name, value := range described {
		if !wanted[name] && !wanted["*"] {
			continue
		}
		if inner, ok := value.(map[string]any); ok && name != "appProperties" && name != "properties" {
			value = selected(inner, wanted)
		}
		chosen[name] = value
	}
	return chosen
}
