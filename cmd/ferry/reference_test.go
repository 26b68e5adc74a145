package main

import (
	"os"
	"testing"

	"ferry/cmd/ferry/internal/manual"
)

// doc/manual/flags.md is what the table of flags says.
func TestTheReferenceIsOfThisTable(t *testing.T) {
	const path = "../../doc/manual/flags.md"
	is, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	root := process{}.rootCommand()
	root.InitDefaultCompletionCmd() // as running it does
	if string(is) != manual.Reference(root) {
		t.Error(path + " is of another table of flags: make it anew with go run ./cmd/ferry manual flags > doc/manual/flags.md")
	}
}
