package call

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"
	"time"
	"unicode/utf8"
)

// An Answer is one that is good: a program ended with status 0, an address answered with 2xx.
type Answer struct {
	// Path and Message are those of a JSON object in the answer. Who asks before something is done
	// takes Path in the place of the one it asked about.
	Path, Message string
	Reply         int    // as Path, of who refuses something
	Action        string // too
	Body          []byte // the answer, or what the program wrote to its standard output; bounded
	// Wrong says why what is meant as a JSON object cannot be read as one; "" = there is none, or
	// it was read. Who asks takes such an answer for none. Who tells has no use for one.
	Wrong string
}

// Text returns the first line of an answer that is no JSON object; "" = there is none.
func (a Answer) Text() string {
	if text := bare(a.Body); !bytes.HasPrefix(text, []byte("{")) {
		return lineOf(string(text))
	}
	return ""
}

// An Error says why a call was not good.
type Error struct {
	Refused    bool          // it answered no; otherwise there was no answer, or none that is one
	Late       bool          // there was none within Options.Timeout
	Gone       bool          // and it shall not be called again (410)
	RetryAfter time.Duration // not before that; 0 = it did not say
	Answer                   // what it said all the same
	text       string
}

func (e *Error) Error() string { return e.text }

// maxAnswer is how much of an answer is kept. What is beyond is read and dropped.
const maxAnswer = 64 << 10

func failed(format string, args ...any) *Error { return &Error{text: fmt.Sprintf(format, args...)} }

// answerOf reads what was answered. What begins with a brace is meant as an object. What is said to
// be JSON is meant as one too, unless it is empty or null.
func answerOf(body []byte, isJSON bool) Answer {
	a := Answer{Body: body}
	text := bare(body)
	if !bytes.HasPrefix(text, []byte("{")) && (!isJSON || len(text) == 0 || string(text) == "null") {
		return a
	}
	var says struct {
		Path    string `json:"path"`
		Message string `json:"message"`
		Reply   int    `json:"reply"`
		Action  string `json:"action"`
	}
	err := json.Unmarshal(text, &says)
	a.Path, a.Message, a.Reply, a.Action = says.Path, says.Message, says.Reply, says.Action
	switch {
	case err != nil:
		a.Wrong = complaint(err, len(body) == maxAnswer)
	case !utf8.Valid(text):
		a.Wrong = "it is no UTF-8, as JSON is"
	}
	if a.Wrong != "" {
		a.Path = ""
	}
	return a
}

// bare returns body without what is around a text.
func bare(body []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\ufeff")))
}

// complaint says why an object cannot be read.
func complaint(err error, long bool) string {
	kind, syntax := (*json.UnmarshalTypeError)(nil), (*json.SyntaxError)(nil)
	switch {
	case long:
		return fmt.Sprintf("it is longer than %d KiB", maxAnswer>>10)
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Sprintf("its %s is a %s, and has to be a %s", kind.Field, kind.Value, kindOf(kind.Field))
	case errors.As(err, &kind):
		return "it is a JSON " + kind.Value + ", and no object"
	case errors.As(err, &syntax) && strings.Contains(err.Error(), "unexpected end"):
		return "it ends before it is complete"
	case errors.As(err, &syntax) && strings.Contains(err.Error(), "after top-level value"):
		return fmt.Sprintf("there is something behind it, at byte %d", syntax.Offset)
	case errors.As(err, &syntax):
		return fmt.Sprintf("%v, at byte %d", err, syntax.Offset)
	}
	return err.Error()
}

func kindOf(field string) string {
	if strings.EqualFold(field, "reply") {
		return "number"
	}
	return "string"
}

// isJSON reports whether a content type is that of JSON.
func isJSON(contentType string) bool {
	kind, _, _ := mime.ParseMediaType(contentType)
	return kind == "application/json" || strings.HasSuffix(kind, "+json")
}

// firstLine returns the first line of an answer, for an error.
func firstLine(a Answer) string {
	line := ""
	if a.Message != "" {
		line = lineOf(a.Message)
	} else {
		line = lineOf(string(a.Body))
	}
	said := ""
	if line != "" {
		said = fmt.Sprintf(": it says %q", line)
	}
	if a.Wrong != "" {
		said += " (the JSON of its answer cannot be read: " + a.Wrong + ")"
	}
	return said
}

// lineOf returns the first line of text, bounded.
func lineOf(text string) string {
	const most = 200
	line := []rune{}
	for _, r := range text {
		if r == '\n' || r == '\r' || len(line) == most {
			break
		}
		line = append(line, r)
	}
	return string(line)
}

// A bounded keeps the first bytes that are written to it, and takes the rest.
type bounded struct{ kept []byte }

func (b *bounded) Write(p []byte) (int, error) {
	b.kept = append(b.kept, p[:min(len(p), maxAnswer-len(b.kept))]...)
	return len(p), nil
}

// readBounded reads all of r, and returns the beginning.
func readBounded(r io.Reader) ([]byte, error) {
	var b bounded
	_, err := io.Copy(&b, io.LimitReader(r, 16*maxAnswer))
	return b.kept, err
}
