package call

import (
	"path"
	"time"

	"ferry/events"
)

// hasSize reports whether e is about a file whose size is known; 0 is one.
func hasSize(e *events.Event) bool {
	switch e.Kind {
	case events.UploadReceived, events.UploadStored, events.UploadConflict, events.UploadRefused, events.Download:
		return e.Size >= 0
	}
	return e.Size > 0
}

func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func addressOf(e *events.Event) string {
	if !e.Address.IsValid() {
		return ""
	}
	return e.Address.Addr().Unmap().String()
}

// localName returns where the file of a message is on this machine, as far as it is; else its path.
func localName(m Message) string {
	if m.FilePath != "" {
		return m.FilePath
	}
	if m.Event.Remote == "local" && path.IsAbs(m.Event.Name) {
		return m.Event.Name
	}
	return m.Event.Path
}
