package graphserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// says answers in JSON.
func says(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// fails answers with an error, as the service writes them.
func fails(w http.ResponseWriter, status int, code string) {
	says(w, status, map[string]any{"error": map[string]any{
		"code": code, "message": "The double says: " + code, "innerError": map[string]any{"request-id": "none"}}})
}

// A failure is an answer that refuses a request.
type failure struct {
	status int
	code   string
}

func (f *failure) Error() string { return fmt.Sprint(f.status, " ", f.code) }

// answers says what err is.
func answers(w http.ResponseWriter, err error) {
	if f, ok := err.(*failure); ok {
		fails(w, f.status, f.code)
		return
	}
	fails(w, http.StatusInternalServerError, "generalException")
}

// parse reads the JSON of a request.
func parse(w http.ResponseWriter, r *http.Request, body []byte, into any) bool {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") || json.Unmarshal(body, into) != nil {
		fails(w, http.StatusBadRequest, "invalidRequest")
		return false
	}
	return true
}

// link is the address of a request like r with another query.
func link(r *http.Request, query url.Values) string {
	for name, values := range query {
		if len(values) == 0 {
			delete(query, name)
		}
	}
	return "http://" + r.Host + r.URL.EscapedPath() + "?" + query.Encode()
}
