package call

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"

	"ferry/events"
)

// A Message is what a hook is told, or asked.
type Message struct {
	Name  string // of the event: that of its kind, or of what is asked before, as "pre.upload"
	Event *events.Event
	Tries int // how often it was sent before

	// What is checked before it is published: programs have it as descriptor 3.
	File     *os.File // nil = none
	FilePath string   // where it is on this machine; "" = nowhere
}

// typePrefix is before the name of an event in its type.
const typePrefix = "dev.ferry."

// A cloudEvent is an event of CloudEvents 1.0 in structured mode.
type cloudEvent struct {
	SpecVersion     string `json:"specversion"`
	ID              string `json:"id"`
	Source          string `json:"source"`
	Type            string `json:"type"`
	Subject         string `json:"subject,omitempty"`
	Time            string `json:"time"`
	DataContentType string `json:"datacontenttype"`
	Data            data   `json:"data"`
}

// data are the facts of an event. What is not known is left out.
type data struct {
	User     string `json:"user,omitempty"`
	Address  string `json:"address,omitempty"`
	Session  uint64 `json:"session,omitempty"`
	TLS      string `json:"tls,omitempty"`
	Client   string `json:"client,omitempty"`
	Command  string `json:"command,omitempty"`
	Argument string `json:"argument,omitempty"`

	Path     string   `json:"path,omitempty"`
	To       string   `json:"to,omitempty"`
	Previous []string `json:"previous_names,omitempty"`
	Remote   string   `json:"remote,omitempty"`
	Name     string   `json:"remote_path,omitempty"`

	Offset    int64   `json:"offset,omitempty"`
	Bytes     int64   `json:"bytes,omitempty"`
	Size      *int64  `json:"size,omitempty"`
	Duration  float64 `json:"duration_s,omitempty"`
	MD5       string  `json:"md5,omitempty"`
	SHA256    string  `json:"sha256,omitempty"`
	Digest    string  `json:"digest,omitempty"` // of another algorithm
	Version   string  `json:"version,omitempty"`
	ModTime   string  `json:"mtime,omitempty"`
	Overwrote bool    `json:"overwrote,omitempty"`

	Result string `json:"result"`
	Reply  int    `json:"reply,omitempty"`
	Cause  string `json:"cause,omitempty"`
	Rule   string `json:"rule,omitempty"`
}

func (m Message) cloudEvent(source string) cloudEvent {
	return cloudEvent{
		SpecVersion: "1.0", ID: m.Event.ID, Source: source, Type: typePrefix + m.Name, Subject: m.Event.Path,
		Time: timestamp(m.Event.Time), DataContentType: "application/json", Data: dataOf(m.Event),
	}
}

func dataOf(e *events.Event) data {
	d := data{
		User: e.User, Session: e.Session, TLS: e.TLS, Client: e.Client, Command: e.Command, Argument: e.Argument,
		Path: e.Path, To: e.To, Previous: e.Before, Remote: e.Remote, Name: e.Name,
		Offset: e.Offset, Bytes: e.Bytes, Duration: e.Duration.Seconds(), Version: e.Version, ModTime: timestamp(e.ModTime),
		Overwrote: e.Overwrote, Result: e.Result.String(), Reply: e.Code, Cause: e.Cause, Rule: e.Rule,
	}
	if e.Address.IsValid() {
		d.Address = e.Address.String()
	}
	if hasSize(e) {
		d.Size = &e.Size
	}
	algorithm, sum, _ := strings.Cut(e.Digest, ":")
	switch algorithm {
	case "md5":
		d.MD5 = sum
	case "sha256":
		d.SHA256 = sum
	default:
		d.Digest = e.Digest
	}
	return d
}

// body returns messages as they are sent, and their content type.
func (c *Caller) body(messages []Message) (text []byte, contentType string, err error) {
	if c.o.Format == "aws" {
		text, err = marshalAll(messages, func(m Message) any { return m.awsEvent(c.o.Source) })
		return text, "application/json", err
	}
	contentType = "application/cloudevents+json; charset=utf-8"
	if len(messages) > 1 {
		contentType = "application/cloudevents-batch+json; charset=utf-8"
	}
	text, err = marshalAll(messages, func(m Message) any { return m.cloudEvent(c.o.Source) })
	return text, contentType, err
}

// marshalAll writes one object, or an array of several.
func marshalAll(messages []Message, of func(Message) any) ([]byte, error) {
	if len(messages) == 1 {
		return json.Marshal(of(messages[0]))
	}
	list := make([]any, len(messages))
	for i, m := range messages {
		list[i] = of(m)
	}
	return json.Marshal(list)
}

// idOf returns what stays the same whenever the same messages are sent.
func idOf(messages []Message) string {
	if len(messages) == 1 {
		return messages[0].Event.ID
	}
	h := sha256.New()
	for _, m := range messages {
		h.Write([]byte(m.Event.ID + "\n"))
	}
	return "batch_" + hex.EncodeToString(h.Sum(nil)[:16])
}
