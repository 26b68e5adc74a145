// Package test drives the real ferry, as built for users, with real FTP clients and with clients
// that behave badly.
//
// The scripts in testdata/clients are run in clear, over TLS 1.2 and over TLS 1.3, those in
// testdata/once once. Beside the commands of testscript they know those of commands_test.go. A
// script whose client is not installed is skipped and says so.
//
// FERRY_TEST_PROGRAM is the path of a ferry to test in the place of this one: to see what an older
// one does.
package test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ferryBinary is the program under test; TestMain builds it once.
var ferryBinary string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	flag.Parse()
	if testing.Short() {
		fmt.Println("skipped: these tests take long and need clients and servers")
		return 0
	}
	if ferryBinary = os.Getenv("FERRY_TEST_PROGRAM"); ferryBinary != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "ferry-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	ferryBinary = filepath.Join(dir, "ferry")
	args := []string{"build", "-o", ferryBinary}
	if hasCompiler() {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "ferry/cmd/ferry")...)
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building ferry:", err)
		return 1
	}
	return m.Run()
}

// hasCompiler reports whether there is what the race detector needs. Go says no to cgo where it
// finds no C compiler.
func hasCompiler() bool {
	cgo, err := exec.Command("go", "env", "CGO_ENABLED").Output()
	return err == nil && strings.TrimSpace(string(cgo)) == "1"
}
