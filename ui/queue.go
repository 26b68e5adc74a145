package ui

import "time"

// Queue sums up what waits.
type Queue struct {
	Changes   int       `json:"changes"`
	Bytes     int64     `json:"bytes"`
	Uploading int       `json:"uploading"`
	Failing   int       `json:"failing"`
	Oldest    time.Time `json:"oldest,omitzero"`
}

func queueOf(all []Waiting) Queue {
	q := Queue{Changes: len(all)}
	for _, w := range all {
		q.Bytes += w.Size
		if w.Uploading {
			q.Uploading++
		}
		if w.Error != "" {
			q.Failing++
		}
		if q.Oldest.IsZero() || w.Since.Before(q.Oldest) {
			q.Oldest = w.Since
		}
	}
	return q
}
