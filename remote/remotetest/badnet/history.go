package badnet

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// mostNotes is how many notes are kept, at least.
const mostNotes = 5000

// note adds a line to the history.
// LOCKS_REQUIRED(n.mu)
func (n *Network) note(format string, args ...any) {
	if len(n.history) >= 2*mostNotes {
		n.history = slices.Delete(n.history, 0, mostNotes)
	}
	n.history = append(n.history, line(time.Since(n.begun), format, args...))
	close(n.noted)
	n.noted = make(chan struct{})
}

// History tells what was asked, what became of it, and when, since the network was started.
func (n *Network) History() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.history, "\n")
}

// HistoryOf is History of the requests whose line has all of parts, and what was noted of them.
func (n *Network) HistoryOf(parts ...string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var lines []string
	wanted := map[string]bool{}
	for _, line := range n.history {
		_, rest, _ := strings.Cut(line, "#")
		number, rest, ok := strings.Cut(rest, " ")
		if !ok {
			continue
		}
		all := strings.Contains(rest, "/")
		for _, part := range parts {
			all = all && strings.Contains(rest, part)
		}
		if all {
			wanted[number] = true
		}
		if wanted[number] {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// Await returns when the history tells something about a request whose line has all of parts, such
// as "has come whole", or when ctx ends.
func (n *Network) Await(ctx context.Context, what string, parts ...string) error {
	for {
		n.mu.Lock()
		noted := n.noted
		n.mu.Unlock()
		if strings.Contains(n.HistoryOf(parts...), what) {
			return nil
		}
		select {
		case <-noted:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %q of %q: %w; the history:\n%s", what, parts, context.Cause(ctx), n.History())
		}
	}
}

func line(at time.Duration, format string, args ...any) string {
	return fmt.Sprintf("%9.3fs ", at.Seconds()) + fmt.Sprintf(format, args...)
}
