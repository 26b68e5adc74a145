// Command release makes what is given to users: static binaries, packages, a bill of materials,
// release notes.
//
//	go run ./internal/release package    dist/: archives, .deb, .rpm, checksums
//	go run ./internal/release notes      the entries of the changelog as release notes
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("say what to make: package or notes")
	}
	fs := flag.NewFlagSet(args[0], flag.ContinueOnError)
	fs.SetOutput(stderr)
	switch args[0] {
	case "package":
		var p packaging
		fs.StringVar(&p.version, "version", "", "`version` of the release, as 1.2.3; without it that of the commit")
		fs.StringVar(&p.out, "out", "dist", "`directory` to write to")
		targets := fs.String("targets", allTargets, "`systems` to build for, with commas between them")
		if err := fs.Parse(args[1:]); err != nil {
			return err
		}
		var err error
		if p.targets, err = parseTargets(*targets); err != nil {
			return err
		}
		p.stderr = stderr
		return p.make(ctx)
	case "notes":
		version := fs.String("version", "", "`version` that the notes are of")
		if err := fs.Parse(args[1:]); err != nil {
			return err
		}
		notes, err := releaseNotes("changelog/unreleased", *version)
		if err != nil {
			return err
		}
		_, err = io.WriteString(stdout, notes)
		return err
	}
	return fmt.Errorf("%q is nothing that can be made: package or notes", args[0])
}
