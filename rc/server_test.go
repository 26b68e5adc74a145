package rc

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
)

// newServer returns a server that is closed with the test.
func newServer(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// A request of a test: by default a POST without body from this machine.
type request struct {
	method, target, contentType, body string
	remote                            string
	header                            map[string]string
}

func (q request) do(s http.Handler) *httptest.ResponseRecorder {
	if q.method == "" {
		q.method = http.MethodPost
	}
	r := httptest.NewRequest(q.method, q.target, strings.NewReader(q.body))
	r.Host, r.RemoteAddr = "localhost:5572", "127.0.0.1:40000"
	if q.remote != "" {
		r.RemoteAddr = q.remote
	}
	if q.contentType != "" {
		r.Header.Set("Content-Type", q.contentType)
	}
	for k, v := range q.header {
		if k == "Host" {
			r.Host = v
			continue
		}
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// object decodes a JSON object as a client of another language does: numbers are float64.
func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}

// wantJSON compares an answer with a JSON text.
func wantJSON(t *testing.T, w *httptest.ResponseRecorder, status int, want string) {
	t.Helper()
	if w.Code != status {
		t.Errorf("status %d, want %d: %s", w.Code, status, w.Body)
		return
	}
	if got := object(t, w.Body.String()); !reflect.DeepEqual(got, object(t, want)) {
		t.Errorf("got %s\nwant %s", w.Body, want)
	}
}

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

func TestInputIsMerged(t *testing.T) {
	s := newServer(t, Options{})
	tests := []struct {
		name string
		q    request
		want string
	}{
		{"nothing", request{target: "/rc/noop"}, `{}`},
		{"values of a query are strings", request{target: "/rc/noop?a=1&b=true"}, `{"a":"1","b":"true"}`},
		{"of a repeated key the last counts", request{target: "/rc/noop?a=1&a=2"}, `{"a":"2"}`},
		{"values of a form are strings", request{target: "/rc/noop", contentType: formType, body: "a=1&a=2"}, `{"a":"2"}`},
		{"the query comes over the form", request{target: "/rc/noop?b=q", contentType: formType, body: "a=f&b=f"}, `{"a":"f","b":"q"}`},
		{"JSON comes over the query", request{target: "/rc/noop?a=q&b=q", contentType: jsonType, body: `{"b":2}`}, `{"a":"q","b":2}`},
		{"JSON keeps its types", request{target: "/rc/noop", contentType: jsonType + "; charset=UTF-8",
			body: `{"n":1,"f":1.5,"b":true,"z":null,"l":[1,"x"],"o":{"k":"v"}}`}, `{"n":1,"f":1.5,"b":true,"z":null,"l":[1,"x"],"o":{"k":"v"}}`},
		{"other bodies are not read", request{target: "/rc/noop?a=1", contentType: "text/plain", body: `{"b":1}`}, `{"a":"1"}`},
		{"a body without a type is not read", request{target: "/rc/noop?a=1", body: `{"b":1}`}, `{"a":"1"}`},
		{"_group is taken out", request{target: "/rc/noop?_group=g&a=1"}, `{"a":"1"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := tt.q.do(s)
			wantJSON(t, w, http.StatusOK, tt.want)
			if w.Header().Get("Content-Type") != jsonType || w.Header().Get("X-Rclone-Jobid") == "" {
				t.Errorf("headers %v", w.Header())
			}
		})
	}
}

func TestNumbersLoseNoDigits(t *testing.T) {
	w := request{target: "/rc/noop", contentType: jsonType, body: `{"big":12345678901234567890}`}.do(newServer(t, Options{}))
	if !strings.Contains(w.Body.String(), "12345678901234567890") {
		t.Error(w.Body)
	}
}

func TestAnswersAreIndentedByTabs(t *testing.T) {
	w := request{target: "/rc/noop?a=<1>&b=2"}.do(newServer(t, Options{}))
	if got, want := w.Body.String(), "{\n\t\"a\": \"<1>\",\n\t\"b\": \"2\"\n}\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestErrors(t *testing.T) {
	s := newServer(t, Options{Calls: []Call{
		{Path: "x/missing", Access: Open, Run: func(context.Context, Params) (Params, error) {
			return nil, &fs.PathError{Op: "stat", Path: "p", Err: fs.ErrNotExist}
		}},
		{Path: "x/panic", Access: Open, Run: func(context.Context, Params) (Params, error) { panic("oh") }},
		{Path: "x/unspeakable", Access: Open, Run: func(context.Context, Params) (Params, error) { return Params{"f": func() {}}, nil }},
	}})
	large := `{"a":"` + strings.Repeat("x", maxBody) + `"}`
	tests := []struct {
		name   string
		q      request
		status int
		want   string // "" = only that there is an error
	}{
		{"a call that fails", request{target: "/rc/error?x=1"}, 500,
			`{"error":"arbitrary error on input map[x:1]","input":{"x":"1"},"path":"rc/error","status":500}`},
		{"no such call", request{target: "/no/such?x=1"}, 404,
			`{"error":"couldn't find method \"no/such\"","input":{},"path":"no/such","status":404}`},
		{"no such call because of a slash", request{target: "/rc/noop/"}, 404,
			`{"error":"couldn't find method \"rc/noop/\"","input":{},"path":"rc/noop/","status":404}`},
		{"something that does not exist", request{target: "/x/missing"}, 404,
			`{"error":"stat p: file does not exist","input":{},"path":"x/missing","status":404}`},
		{"a panic", request{target: "/x/panic?a=1"}, 500, `{"error":"panic in x/panic: oh","input":{"a":"1"},"path":"x/panic","status":500}`},
		{"a result that is not JSON", request{target: "/x/unspeakable"}, 500, ""},
		{"another method", request{method: "PUT", target: "/rc/noop"}, 405,
			`{"error":"method \"PUT\" not allowed","input":null,"path":"rc/noop","status":405}`},
		{"GET", request{method: "GET", target: "/rc/noop"}, 405,
			`{"error":"method \"GET\" not allowed","input":null,"path":"rc/noop","status":405}`},
		{"half an object", request{target: "/rc/noop?a=1", contentType: jsonType, body: `{`}, 400,
			`{"error":"failed to read input JSON: unexpected EOF","input":{"a":"1"},"path":"rc/noop","status":400}`},
		{"no object at all", request{target: "/rc/noop", contentType: jsonType}, 400,
			`{"error":"failed to read input JSON: EOF","input":{},"path":"rc/noop","status":400}`},
		{"an array", request{target: "/rc/noop", contentType: jsonType, body: `[1]`}, 400, ""},
		{"two objects", request{target: "/rc/noop", contentType: jsonType, body: `{} {}`}, 400, ""},
		{"too much", request{target: "/rc/noop", contentType: jsonType, body: large}, 413, ""},
		{"a form that is too long", request{target: "/rc/noop", contentType: formType, body: large}, 413, ""},
		{"a broken query", request{target: "/rc/noop?dir=%zz"}, 400, ""},
		{"a broken form", request{target: "/rc/noop", contentType: formType, body: "dir=%zz"}, 400, ""},
		{"another character set", request{target: "/rc/noop", contentType: jsonType + "; charset=latin1", body: `{}`}, 400,
			`{"error":"unsupported charset \"latin1\" for JSON input","input":{},"path":"rc/noop","status":400}`},
		{"a broken type", request{target: "/rc/noop", contentType: formType + "; x"}, 400,
			`{"error":"failed to parse Content-Type: mime: invalid media parameter","input":null,"path":"rc/noop","status":400}`},
		{"a broken _async", request{target: "/rc/noop?_async=maybe"}, 400, ""},
		{"a broken _group", request{target: "/rc/noop", contentType: jsonType, body: `{"_group":1}`}, 400, ""},
		{"options for one call", request{target: "/rc/noop?_config=x"}, 400, ""},
		{"filters for one call", request{target: "/rc/noop?_filter=x"}, 400, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := tt.q.do(s)
			if tt.want != "" {
				wantJSON(t, w, tt.status, tt.want)
				return
			}
			out := object(t, w.Body.String())
			if w.Code != tt.status || out["status"] != float64(tt.status) || out["error"] == "" {
				t.Errorf("%d: %s", w.Code, w.Body)
			}
		})
	}
}

func TestMethodsThatAreNotAllowedNameThoseThatAre(t *testing.T) {
	w := request{method: "GET", target: "/rc/noop"}.do(newServer(t, Options{}))
	if got := w.Header().Get("Allow"); got != "POST, OPTIONS" {
		t.Errorf("Allow: %s", got)
	}
}

func TestBaseURL(t *testing.T) {
	for _, base := range []string{"x/y", "/x/y", "/x/y/"} {
		s := newServer(t, Options{BaseURL: base})
		wantJSON(t, request{target: "/x/y/rc/noop?a=1"}.do(s), http.StatusOK, `{"a":"1"}`)
		if w := (request{target: "/rc/noop"}).do(s); w.Code != http.StatusNotFound {
			t.Errorf("outside of it: %d", w.Code)
		}
	}
}

func TestList(t *testing.T) {
	s := newServer(t, Options{Calls: CoreCalls(Core{})})
	w := request{target: "/rc/list"}.do(s)
	noAuth := map[string]bool{}
	for _, c := range object(t, w.Body.String())["commands"].([]any) {
		c := c.(map[string]any)
		if c["Title"] == "" || c["Help"] == "" || c["NeedsRequest"] != false || c["NeedsResponse"] != false {
			t.Errorf("%v", c)
		}
		noAuth[c["Path"].(string)] = c["NoAuth"].(bool)
	}
	want := map[string]bool{
		"core/gc": false, "core/memstats": false, "core/pid": false, "core/version": true, "job/list": true, "job/status": true,
		"job/stop": false, "rc/error": true, "rc/list": true, "rc/noop": true, "rc/noopauth": false,
	}
	if !reflect.DeepEqual(noAuth, want) {
		t.Errorf("got %v\nwant %v", noAuth, want)
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	if _, err := New(Options{Calls: []Call{{Path: "rc/noop"}}}); err == nil {
		t.Error("two calls of one path")
	}
	if _, err := New(Options{AllowOrigin: "example.org"}); err == nil {
		t.Error("an origin without a scheme")
	}
}

func TestCallWithinTheProcess(t *testing.T) {
	s := newServer(t, Options{})
	in := Params{"a": "1", "_group": "g"}
	out, err := s.Call(t.Context(), "rc/noopauth", in)
	if err != nil || !reflect.DeepEqual(out, Params{"a": "1"}) {
		t.Errorf("got %v, %v", out, err)
	}
	if !in.Has("_group") {
		t.Error("the parameters of the caller were changed")
	}
	for path, in := range map[string]Params{"no/such": nil, "rc/error": nil, "rc/noop": {"_async": "x"}} {
		if _, err := s.Call(t.Context(), path, in); err == nil {
			t.Errorf("%s %v: no error", path, in)
		}
	}
}

func TestGetters(t *testing.T) {
	in := Params{
		"s": "text", "n": json.Number("42"), "ns": "42", "f": json.Number("1.5"), "t": true, "ts": "true", "zero": json.Number("0"),
		"null": nil, "list": []any{}, "object": map[string]any{}, "huge": json.Number("1e999"),
	}
	type got struct {
		value any
		err   string // "" = none
	}
	get := func(v any, err error) got {
		if err == nil {
			return got{value: v}
		}
		if statusOf(err) != http.StatusBadRequest {
			t.Errorf("%v: status %d", err, statusOf(err))
		}
		return got{err: err.Error()}
	}
	tests := map[string]struct{ got, want got }{
		"string":              {get(in.String("s")), got{value: "text"}},
		"string missing":      {get(in.String("x")), got{err: `Didn't find key "x" in input`}},
		"string from number":  {get(in.String("n")), got{err: `expecting string value for key "n" (was number)`}},
		"string from null":    {get(in.String("null")), got{err: `expecting string value for key "null" (was null)`}},
		"string from list":    {get(in.String("list")), got{err: `expecting string value for key "list" (was array)`}},
		"int":                 {get(in.Int64("n")), got{value: int64(42)}},
		"int from string":     {get(in.Int64("ns")), got{value: int64(42)}},
		"int from text":       {get(in.Int64("s")), got{err: `couldn't parse key "s" (text) as int64: strconv.ParseInt: parsing "text": invalid syntax`}},
		"int from object":     {get(in.Int64("object")), got{err: `expecting int64 value for key "object" (was object)`}},
		"int missing":         {get(in.Int64("x")), got{err: `Didn't find key "x" in input`}},
		"float":               {get(in.Float64("f")), got{value: 1.5}},
		"float from string":   {get(in.Float64("ns")), got{value: 42.0}},
		"float from bool":     {get(in.Float64("t")), got{err: `expecting float64 value for key "t" (was bool)`}},
		"float missing":       {get(in.Float64("x")), got{err: `Didn't find key "x" in input`}},
		"float from text":     {get(in.Float64("s")), got{err: `couldn't parse key "s" (text) as float64: strconv.ParseFloat: parsing "text": invalid syntax`}},
		"bool":                {get(in.Bool("t")), got{value: true}},
		"bool from string":    {get(in.Bool("ts")), got{value: true}},
		"bool from number":    {get(in.Bool("n")), got{value: true}},
		"bool from 0":         {get(in.Bool("zero")), got{value: false}},
		"bool from too much":  {get(in.Bool("huge")), got{value: true}},
		"bool from text":      {get(in.Bool("s")), got{err: `couldn't parse key "s" (text) as bool: strconv.ParseBool: parsing "text": invalid syntax`}},
		"bool from list":      {get(in.Bool("list")), got{err: `expecting bool value for key "list" (was array)`}},
		"bool missing":        {get(in.Bool("x")), got{err: `Didn't find key "x" in input`}},
		"optional, missing":   {get(optional(Params.Int64, in, "x")), got{value: int64(0)}},
		"optional, there":     {get(optional(Params.Int64, in, "n")), got{value: int64(42)}},
		"optional, but wrong": {get(optional(Params.Bool, in, "list")), got{err: `expecting bool value for key "list" (was array)`}},
	}
	for name, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: got %+v, want %+v", name, tt.got, tt.want)
		}
	}
}

func TestABodyThatBreaksIsAnError(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/rc/noop", io.MultiReader(strings.NewReader("{"), broken{}))
	r.Host, r.RemoteAddr = "localhost", "127.0.0.1:1"
	r.Header.Set("Content-Type", jsonType)
	w := httptest.NewRecorder()
	newServer(t, Options{}).ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "cut") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("cut") }
