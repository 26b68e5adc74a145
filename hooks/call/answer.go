package call

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// An Answer is one that is good: a program ended with status 0, an address answered with 2xx.
type Answer struct {
	// Path and Message are those of a JSON object in the answer. Who asks before something is done
	// takes Path in the place of the one it asked about.
	Path, Message string
	Body          []byte // the answer, or what the program wrote to its standard output; bounded
}

// An Error says why a call was not good.
type Error struct {
	Refused    bool          // it answered no; otherwise there was no answer, or none that is one
	Gone       bool          // and it shall not be called again (410)
	RetryAfter time.Duration // not before that; 0 = it did not say
	Answer                   // what it said all the same
	text       string
}

func (e *Error) Error() string { return e.text }

// maxAnswer is how much of an answer is kept. What is beyond is read and dropped.
const maxAnswer = 64 << 10

func failed(format string, args ...any) *Error { return &Error{text: fmt.Sprintf(format, args...)} }

// answerOf reads what was answered. Only an object has a path or a message.
func answerOf(body []byte) Answer {
	var says struct {
		Path    string `json:"path"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &says) != nil {
		says.Path, says.Message = "", ""
	}
	return Answer{Path: says.Path, Message: says.Message, Body: body}
}

// firstLine returns the first line of an answer, for an error.
func firstLine(a Answer) string {
	const most = 200
	text := a.Message
	if text == "" {
		text = string(a.Body)
	}
	line := []rune{}
	for _, r := range text {
		if r == '\n' || r == '\r' || len(line) == most {
			break
		}
		line = append(line, r)
	}
	if len(line) == 0 {
		return ""
	}
	return fmt.Sprintf(": it says %q", string(line))
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
