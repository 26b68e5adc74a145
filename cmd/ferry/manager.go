package main

import (
	"fmt"
	"time"

	"ferry/config"
	"ferry/vfs"
	"ferry/writeback"
)

// acceptTime is how long a listener may be busy with a connection that it has accepted, which
// takes less than a millisecond.
const acceptTime = 10 * time.Second

// health returns an error if clients are not let in, although the process runs. A lock that is
// never released keeps it from returning.
func (s *service) health() error {
	now := s.server.Accepting()
	switch {
	case now.Closing:
		return nil
	case now.Listeners < len(s.listeners):
		return fmt.Errorf("only %d of %d listeners are served", now.Listeners, len(s.listeners))
	case now.Busy > acceptTime:
		return fmt.Errorf("a listener has not gone on for %s", now.Busy.Round(time.Second))
	}
	return nil
}

// status says in one line what goes on.
func (s *service) status() string {
	transfers := s.transfers()
	text := fmt.Sprintf("%s, %s", plural(s.server.Stats().Sessions, "session"), plural(transfers, "transfer"))
	if s.server.Accepting().Closing {
		text = fmt.Sprintf("stopping: %s may finish", plural(transfers, "transfer"))
	}
	var waiting writeback.Waiting
	s.eachTree(func(tree *vfs.FS) {
		w := tree.Waiting()
		waiting.Changes += w.Changes
		waiting.Bytes += w.Bytes
		waiting.Failing += w.Failing
	})
	if waiting.Changes > 0 {
		text += fmt.Sprintf("; waiting for the remote: %s, %s", plural(waiting.Changes, "change"), config.Size(waiting.Bytes))
	}
	if waiting.Failing > 0 {
		text += fmt.Sprintf("; %d of them failing", waiting.Failing)
	}
	return text
}

// transfers is how many transfers run.
func (s *service) transfers() int {
	n := 0
	for _, info := range s.server.Sessions() {
		if info.Command != "" {
			n++
		}
	}
	return n
}

// plural writes a number of things.
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
