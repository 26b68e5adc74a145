package httpclient

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"ferry/remote"
)

const digits = "0123456789"

// readAll reads n bytes from off through a server that answers with status, headers and body.
func readAll(t *testing.T, off, n int64, status int, body string, header ...string) (string, error) {
	t.Helper()
	c, base := serve(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
		conn, out, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprintf(out, "HTTP/1.1 %d Status\r\n", status)
		for i := 0; i < len(header); i += 2 {
			fmt.Fprintf(out, "%s: %s\r\n", header[i], header[i+1])
		}
		fmt.Fprintf(out, "Connection: close\r\n\r\n%s", body)
		out.Flush()
	})
	f, err := c.Open(t.Context(), base, off, n)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	return string(b), err
}

func TestAnswersToRanges(t *testing.T) {
	for what, c := range map[string]struct {
		off, n int64
		status int
		body   string
		header []string
		want   string
		err    error
	}{
		"all of it":                      {0, -1, 200, digits, []string{"Content-Length", "10"}, digits, nil},
		"of a length not told":           {0, -1, 200, digits, nil, digits, nil},
		"cut off":                        {0, -1, 200, "012", []string{"Content-Length", "10"}, "012", errShort},
		"a chunk cut off":                {0, -1, 200, "5\r\n012", []string{"Transfer-Encoding", "chunked"}, "012", errShort},
		"the last chunk missing":         {0, -1, 200, "3\r\n012\r\n", []string{"Transfer-Encoding", "chunked"}, "012", errShort},
		"a range":                        {3, 4, 206, "3456", []string{"Content-Range", "bytes 3-6/10"}, "3456", nil},
		"the rest":                       {3, -1, 206, "3456789", []string{"Content-Range", "bytes 3-9/10"}, "3456789", nil},
		"a range beyond the end":         {8, 5, 206, "89", []string{"Content-Range", "bytes 8-9/10"}, "89", nil},
		"of a size not told":             {8, 5, 206, "89", []string{"Content-Range", "bytes 8-9/*"}, "89", nil},
		"a range cut off":                {3, 4, 206, "34", []string{"Content-Range", "bytes 3-6/10"}, "34", errShort},
		"a shorter range":                {3, -1, 206, "34", []string{"Content-Range", "bytes 3-4/10"}, "", errRange},
		"another range":                  {3, 4, 206, "4567", []string{"Content-Range", "bytes 4-7/10"}, "", errRange},
		"a range without a place":        {3, 4, 206, "3456", nil, "", errRange},
		"a range in other units":         {3, 4, 206, "3456", []string{"Content-Range", "lines 3-6/10"}, "", errRange},
		"a range that is none":           {3, 4, 206, "3456", []string{"Content-Range", "bytes */10"}, "", errRange},
		"beyond the end":                 {10, -1, 416, "none", nil, "", nil},
		"a server that knows no ranges":  {3, 4, 200, digits, []string{"Content-Length", "10"}, "3456", nil},
		"one cut off before":             {3, 4, 200, "01", []string{"Content-Length", "10"}, "", io.ErrUnexpectedEOF},
		"one cut off in it":              {3, 4, 200, "01234", []string{"Content-Length", "10"}, "34", errShort},
		"one cut off behind it":          {3, 4, 200, "01234567", []string{"Content-Length", "10"}, "3456", nil},
		"one asked for more than it has": {8, 5, 200, digits, []string{"Content-Length", "10"}, "89", nil},
		"one asked for what is beyond":   {12, 5, 200, digits, []string{"Content-Length", "10"}, "", nil},
		"nothing":                        {3, 0, 206, "0", []string{"Content-Range", "bytes 0-0/10"}, "", nil},
		"nothing of nothing":             {0, 0, 404, "", nil, "", remote.ErrNotExist},
		"not there":                      {0, -1, 404, "", nil, "", remote.ErrNotExist},
		"gone":                           {0, -1, 410, "", nil, "", remote.ErrNotExist},
		"forbidden":                      {0, -1, 403, "", nil, "", remote.ErrPermission},
		"no content":                     {0, -1, 204, "", nil, "", errAny},
		"broken":                         {0, -1, 502, "", nil, "", errAny},
	} {
		got, err := readAll(t, c.off, c.n, c.status, c.body, c.header...)
		if c.err == errAny && err != nil && !remote.Permanent(err) {
			continue
		}
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %q, %v; want %q, %v", what, got, err, c.want, c.err)
		}
	}
}

var errAny = errors.New("any error that another try may help against")

func TestTheSizeOfTheWholeFileIsKnown(t *testing.T) {
	c, base := serve(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Range", "bytes 3-4/10")
		w.Header().Set("ETag", `"x"`)
		w.WriteHeader(http.StatusPartialContent)
		io.WriteString(w, "34")
	})
	f, err := c.Open(t.Context(), base, 3, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Size != 10 || f.Header.Get("ETag") != `"x"` {
		t.Errorf("%d, %v", f.Size, f.Header)
	}
}
