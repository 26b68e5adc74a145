package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"ferry/serve/users"
)

// mostWarnings is how many mistakes of a file of users are logged, each in a line.
const mostWarnings = 20

// warnOfRemotes logs what is wrong with the remotes that a file names, each where it stands. They
// are looked up in the configuration, and not connected to. Other users are served all the same.
func (a *accounts) warnOfRemotes(ctx context.Context, f *users.File) {
	list := users.Errors(f.CheckValues(a.remoteCheck(ctx)))
	for i, mistake := range list {
		if i == mostWarnings {
			a.log.WarnContext(ctx, "there are more remotes that cannot be used: ferry users check lists them", "more", len(list)-i)
			return
		}
		a.log.WarnContext(ctx, "a remote of the users cannot be used, and who needs it cannot log in until it is mended", "error", mistake)
	}
}

// remoteCheck returns what looks up remotes for users.File.CheckValues, each once. Nobody is asked
// for a password.
func (a *accounts) remoteCheck(ctx context.Context) func(key, text string) error {
	unattended := a.trees.process
	unattended.stdin = strings.NewReader("")
	sources := &lazySources{process: unattended, options: a.options, log: slog.New(slog.DiscardHandler)}
	known := map[string]error{}
	return func(key, text string) error {
		if key != "remote" {
			return nil
		}
		text = users.Sample(text)
		err, ok := known[text]
		if !ok {
			if _, err = sources.lookup(ctx, text); err != nil {
				err = fmt.Errorf("%s", oneLine(err.Error()))
			}
			known[text] = err
		}
		return err
	}
}
