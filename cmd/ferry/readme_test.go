package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// examples are the command lines of ferry serve ftp in a page, without the program.
func examples(t *testing.T, page string) [][]string {
	t.Helper()
	text, err := os.ReadFile("../../" + page)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for line := range strings.Lines(string(text)) {
		command, is := strings.CutPrefix(line, "    ")
		_, args, found := strings.Cut(command, "ferry serve ftp ")
		if is && found {
			all = append(all, strings.Fields(args))
		}
	}
	return all
}

// What README tells a newcomer to type, and the manual anybody, are flags that there are.
func TestTheExamplesAreCommandLines(t *testing.T) {
	for page, least := range map[string]int{"README.md": 5, "doc/users.md": 13, "doc/defence.md": 2, "doc/semantics.md": 1} {
		all := examples(t, page)
		if len(all) < least {
			t.Errorf("%s has %d examples", page, len(all))
		}
		for _, args := range all {
			if err := serveFTPOf(t).ParseFlags(args); err != nil {
				t.Errorf("%s: ferry serve ftp %v: %v", page, args, err)
			}
		}
	}
}

// One of them is for a device that knows no TLS: on port 21, with a password, and with the right
// to use that port.
func TestTheReadmeHasAnExampleForADevice(t *testing.T) {
	found := false
	for _, args := range examples(t, "README.md") {
		at := slices.Index(args, "--addr")
		if at < 0 || at+1 == len(args) || args[at+1] != ":21" {
			continue
		}
		found = true
		if line := strings.Join(args, " "); strings.Contains(line, "tls") || !strings.Contains(line, "--pass ") {
			t.Errorf("the example for a device: %s", line)
		}
	}
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !found || !strings.Contains(string(text), "setcap cap_net_bind_service=+ep") {
		t.Error("README does not say how a device without TLS reaches ferry on port 21")
	}
}
