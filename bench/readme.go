package main

import (
	"fmt"
	"os"
	"strings"
)

// What bench writes stands between these lines of README.md.
const (
	tableBegin = "<!-- written by go run ./bench: begin -->\n"
	tableEnd   = "<!-- written by go run ./bench: end -->\n"
)

// replaceTable puts report between the marker lines of a file.
func replaceTable(file, report string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	fresh, err := between(string(text), report)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(fresh), 0o644)
}

func between(text, report string) (string, error) {
	head, rest, ok1 := strings.Cut(text, tableBegin)
	_, tail, ok2 := strings.Cut(rest, tableEnd)
	if !ok1 || !ok2 {
		return "", fmt.Errorf("no lines %q and %q in this order", strings.TrimSpace(tableBegin), strings.TrimSpace(tableEnd))
	}
	return head + tableBegin + "\n" + report + "\n" + tableEnd + tail, nil
}
