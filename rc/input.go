package rc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// Limits of the body of a request: with a password, and without.
const (
	maxBody     = 4 << 20
	maxOpenBody = 64 << 10
)

// readParams returns the parameters of a request: those of a form, over them those of the query,
// over them those of a JSON object. Of a repeated key the last value is used. With an error it
// returns what was read before. limit bounds the body.
func readParams(w http.ResponseWriter, r *http.Request, limit int64) (Params, error) {
	in := Params{}
	kind, attrs, err := contentType(r)
	if err != nil {
		return nil, err
	}
	body := http.MaxBytesReader(w, r.Body, limit)
	if kind == "application/x-www-form-urlencoded" {
		text, err := io.ReadAll(body)
		if err != nil {
			return in, badBody("form", err)
		}
		if err := addValues(in, string(text)); err != nil {
			return in, badParam("failed to parse form: %w", err)
		}
	}
	if err := addValues(in, r.URL.RawQuery); err != nil {
		return in, badParam("failed to parse query: %w", err)
	}
	if kind == "application/json" {
		if charset, ok := attrs["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
			return in, badParam("unsupported charset %q for JSON input", charset)
		}
		object, err := readObject(body)
		if err != nil {
			return in, badBody("input JSON", err)
		}
		maps.Copy(in, object)
	}
	return in, nil
}

func contentType(r *http.Request) (string, map[string]string, error) {
	text := r.Header.Get("Content-Type")
	if text == "" {
		return "", nil, nil
	}
	kind, attrs, err := mime.ParseMediaType(text)
	if err != nil {
		return "", nil, badParam("failed to parse Content-Type: %w", err)
	}
	return kind, attrs, nil
}

// addValues adds the parameters of a query. A malformed one is refused: without its parameter a
// call could affect much more.
func addValues(in Params, query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return err
	}
	for key, all := range values {
		in[key] = all[len(all)-1]
	}
	return nil
}

// readObject reads one JSON object and refuses trailing data.
func readObject(r io.Reader) (Params, error) {
	d := json.NewDecoder(r)
	d.UseNumber()
	var object Params
	if err := d.Decode(&object); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something behind the object")
	}
	return object, nil
}

func badBody(what string, err error) error {
	status := http.StatusBadRequest
	if large := new(http.MaxBytesError); errors.As(err, &large) {
		status = http.StatusRequestEntityTooLarge
	}
	return withStatus(status, "failed to read %s: %w", what, err)
}

// control holds the parameters that begin with an underscore.
type control struct {
	async  bool
	prefer bool // set by a header
	group  string
}

// takeControl removes these parameters from in. It refuses those that change options for one call,
// which is not supported.
func takeControl(in Params, h http.Header) (control, error) {
	var c control
	var err error
	if c.async, err = optional(Params.Bool, in, "_async"); err != nil {
		return c, err
	}
	if c.group, err = optional(Params.String, in, "_group"); err != nil {
		return c, err
	}
	for _, key := range []string{"_config", "_filter"} {
		if in.Has(key) {
			return c, badParam("%q is not supported: options cannot be changed for one call", key)
		}
	}
	delete(in, "_async")
	delete(in, "_group")
	for preference := range strings.SplitSeq(strings.Join(h.Values("Prefer"), ","), ",") {
		if strings.EqualFold(strings.TrimSpace(preference), "respond-async") { // RFC 7240, section 4.1
			c.async, c.prefer = true, true
		}
	}
	return c, nil
}

func (c control) groupOf(id int64) string {
	if c.group != "" {
		return c.group
	}
	return fmt.Sprintf("job/%d", id)
}
