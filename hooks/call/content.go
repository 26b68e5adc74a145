package call

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// contentRequest sends a file that is checked as it is, and in headers what it is about:
// CloudEvents in binary mode.
func (c *Caller) contentRequest(ctx context.Context, m Message, now time.Time) (*http.Request, error) {
	info, err := m.File.Stat()
	if err != nil {
		return nil, err
	}
	body := func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(m.File, 0, info.Size())), nil
	}
	content, _ := body()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.o.URL, content)
	if err != nil {
		return nil, err
	}
	req.ContentLength, req.GetBody = info.Size(), body
	if info.Size() == 0 {
		req.Body = http.NoBody
	}
	e := m.cloudEvent(c.o.Source)
	req.Header.Set("Content-Type", "application/octet-stream")
	for name, value := range map[string]string{
		"Specversion": e.SpecVersion, "Id": e.ID, "Source": e.Source, "Type": e.Type, "Subject": e.Subject, "Time": e.Time,
		"User": e.Data.User, "Address": e.Data.Address, "Session": strconv.FormatUint(e.Data.Session, 10), "Size": strconv.FormatInt(info.Size(), 10),
	} {
		if value != "" {
			req.Header.Set("Ce-"+name, headerValue(value))
		}
	}
	signed, err := c.signatures(m.Event.ID, now, func(w io.Writer) error {
		_, err := io.Copy(w, io.NewSectionReader(m.File, 0, info.Size()))
		return err
	})
	sign(req, m.Event.ID, now, signed)
	return req, err
}

// headerValue writes s as the HTTP binding of CloudEvents has it: what is not printable ASCII, a
// blank, a quote or a percent sign is percent-encoded.
func headerValue(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= utf8.RuneSelf-1 || c == '"' || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
