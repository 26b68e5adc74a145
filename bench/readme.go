package main

import (
	"fmt"
	"os"
	"strings"
)

// What a suite writes stands between two lines of README.md.
func marker(suite, which string) string {
	return fmt.Sprintf("<!-- written by go run ./bench -suite %s: %s -->\n", suite, which)
}

// replaceTable puts report between the marker lines of a suite in a file.
func replaceTable(file, suite, report string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	fresh, err := between(string(text), suite, report)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(fresh), 0o644)
}

func between(text, suite, report string) (string, error) {
	begin, end := marker(suite, "begin"), marker(suite, "end")
	head, rest, ok1 := strings.Cut(text, begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		return "", fmt.Errorf("no lines %q and %q in this order", strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return head + begin + "\n" + report + "\n" + end + tail, nil
}
