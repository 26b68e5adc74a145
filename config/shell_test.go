package config

import (
	"os/exec"
	"testing"
)

// command prints a text, in which \n is a line feed.
func command(text string) []string { return []string{"sh", "-c", `printf "$0"`, text} }

func needShell(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no sh")
	}
}
