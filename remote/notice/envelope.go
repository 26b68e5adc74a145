package notice

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
)

// maxDepth is how many envelopes may be around an event.
const maxDepth = 4

// An envelope has the fields that tell the forms of notifications apart. Names differ by more than
// case.
type envelope struct {
	Records []record  // S3 and its like
	Events  []b2Event // Backblaze

	Type    string          // SNS; CloudEvents, where it is the kind of event
	Message json.RawMessage // SNS: a string; Pub/Sub: a message
	Service string          // S3: of a test
	Event   string

	Source     string // EventBridge
	DetailType string `json:"detail-type"`
	Time       string
	Detail     *detail

	EventType string // Event Grid
	EventTime string
	Subject   string
	Data      json.RawMessage

	Specversion string // CloudEvents
}

// parse reads an event, or a list of some, in at most depth envelopes.
func parse(body []byte, depth int) ([]Notice, error) {
	if depth == 0 {
		return nil, ErrUnknown
	}
	body = bytes.TrimSpace(body)
	if len(body) > 0 && body[0] == '[' {
		return parseList(body, depth)
	}
	var e envelope
	if err := decode(body, &e); err != nil {
		return nil, err
	}
	switch {
	case e.Records != nil:
		return ofS3(e.Records), nil
	case e.Events != nil:
		return ofB2(e.Events), nil
	case e.Event == "s3:TestEvent", e.Type == "SubscriptionConfirmation", e.Type == "UnsubscribeConfirmation":
		return nil, nil
	case e.Type == "Notification":
		var text string
		if err := decode(e.Message, &text); err != nil {
			return nil, err
		}
		return parse([]byte(text), depth-1)
	case e.DetailType != "" && e.Detail != nil:
		return ofEventBridge(&e), nil
	case e.EventType != "":
		return ofAzure(e.EventType, e.EventTime, e.Subject, e.Data)
	case e.Specversion != "":
		return parseCloudEvent(&e, depth)
	case len(e.Message) > 0:
		return parsePush(e.Message, depth)
	}
	return nil, ErrUnknown
}

// parseList reads several events, as Event Grid sends them. Those that cannot be read do not keep
// the others back.
func parseList(body []byte, depth int) ([]Notice, error) {
	var list []json.RawMessage
	if err := decode(body, &list); err != nil {
		return nil, err
	}
	var all []Notice
	var unread error
	for _, one := range list {
		some, err := parse(one, depth-1)
		all, unread = append(all, some...), cmp.Or(unread, err)
	}
	return all, unread
}

// parseCloudEvent reads an event of Azure, or one of S3 in the data of another form.
func parseCloudEvent(e *envelope, depth int) ([]Notice, error) {
	if all, err := ofAzure(e.Type, e.Time, e.Subject, e.Data); err == nil {
		return all, nil
	}
	return parse(e.Data, depth-1)
}

// parsePush reads a message as Pub/Sub posts it.
func parsePush(message json.RawMessage, depth int) ([]Notice, error) {
	var m struct {
		Attributes map[string]string
		Data       string
	}
	if err := decode(message, &m); err != nil {
		return nil, err
	}
	if m.Attributes["eventType"] != "" && m.Attributes["bucketId"] != "" {
		return ofGCS(m.Attributes), nil
	}
	data, err := base64.StdEncoding.DecodeString(m.Data)
	if err != nil {
		return nil, ErrUnknown
	}
	return parse(data, depth-1)
}
