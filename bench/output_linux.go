package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// output runs cmd and returns what it printed; the error holds the last line of it.
func output(cmd *exec.Cmd) (string, error) {
	text, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, lastLine(string(text)))
	}
	return string(text), nil
}

// versionOf runs a program that prints its version and returns the number; "" when it prints none.
func versionOf(ctx context.Context, env []string, name string, args ...string) string {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	text, _ := cmd.CombinedOutput() // some exit with an error after printing it
	return firstMatch(`v?([0-9]+(?:\.[0-9]+)+[0-9A-Za-z.-]*)`, string(text))
}

func firstMatch(pattern, text string) string {
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[1]
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}
