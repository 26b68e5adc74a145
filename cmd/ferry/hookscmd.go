package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/places"
	"ferry/disk"
	"ferry/hooks"
)

const hooksLong = `Look after what hooks are not told yet.

What happens is kept on the disk until the programs and addresses of --hook and [[hooks]] are told of it. What they do not
take is tried again, after longer and longer times; after a week (give_up), or when an address answers 410, it is given up
and stays in the list as dead. "ferry hooks retry" has it told at once, "ferry hooks drop" removes it.

These commands ask a ferry that runs with --rc; without one that runs they look into the outbox themselves.`

// hooksCommand looks after the outbox of hooks.
func (p process) hooksCommand(o *options) *cobra.Command {
	root := &cobra.Command{
		Use:   "hooks",
		Short: "List, retry and drop what hooks are not told yet",
		Long:  hooksLong,
		Args:  flags.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	dir := flags.Cache(&o.Options).Only("cache-dir")
	server := flags.RC(&o.Options).Only("rc-addr", "rc-user", "rc-pass")
	flags.Add(root.PersistentFlags(), dir, server)
	sub := func(use, short string, args cobra.PositionalArgs, run func(context.Context, undelivered, []string) error) *cobra.Command {
		cmd := &cobra.Command{Use: use, Short: short, Args: args, RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.Resolve(cmd.Flags(), p.env, dir, server); err != nil {
				return err
			}
			return run(cmd.Context(), undelivered{p, o, places.Of(o.CacheDir, p.env)}, args)
		}}
		root.AddCommand(cmd)
		return cmd
	}
	asJSON := false
	ls := sub("ls", "List what hooks are not told yet", flags.NoArgs, func(ctx context.Context, u undelivered, _ []string) error {
		return u.list(ctx, asJSON)
	})
	ls.Flags().BoolVar(&asJSON, "json", false, "Print JSON")
	for _, change := range []struct {
		name, short string
		do          func(*hooks.Outbox, hooks.Selection) (int, error)
	}{
		{"retry", "Tell hooks at once, also of what was given up", (*hooks.Outbox).Retry},
		{"drop", "Drop what hooks are not told yet", (*hooks.Outbox).Drop},
	} {
		var which hooks.Selection
		cmd := sub(change.name+" [ID]...", change.short, cobra.ArbitraryArgs, func(ctx context.Context, u undelivered, ids []string) error {
			which.IDs = ids
			if len(ids) == 0 && which.Hook == "" && !which.Dead {
				return flags.Usagef(`which? name IDs out of "ferry hooks ls", or give --name or --dead`)
			}
			return u.change(ctx, change.name, which, change.do)
		})
		cmd.Flags().StringVar(&which.Hook, "name", "", "All that waits for the hook of this name")
		cmd.Flags().BoolVar(&which.Dead, "dead", false, "What was given up: of that hook, or of all")
	}
	return root
}

// undelivered is what hooks are not told yet.
type undelivered struct {
	process
	o  *options
	at places.Dirs
}

// with calls do with the outbox, or if a ferry uses it, ask.
func (u undelivered) with(do func(*hooks.Outbox) error, ask func() error) error {
	x := hooks.New(hooks.Options{Disk: func() (disk.Disk, error) { return openOutbox(u.at) }, Log: slog.New(slog.NewTextHandler(u.stderr, nil))})
	err := x.Open()
	if held := (*disk.HeldError)(nil); errors.As(err, &held) {
		if err := ask(); err != nil {
			return fmt.Errorf("%w, and it did not answer: %w", held, err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(do(x), x.Close())
}

func (u undelivered) list(ctx context.Context, asJSON bool) error {
	list := []hooks.Entry{}
	err := u.with(func(x *hooks.Outbox) error {
		list = x.List()
		return nil
	}, func() error {
		answer, err := u.control(u.o).Ask(ctx, "hooks/ls", nil)
		if err != nil {
			return err
		}
		var says struct{ Events []hooks.Entry }
		err = json.Unmarshal(answer, &says)
		list = says.Events
		return err
	})
	if err != nil {
		return err
	}
	if asJSON {
		enc := json.NewEncoder(u.stdout)
		enc.SetIndent("", "\t")
		return enc.Encode(list)
	}
	for _, e := range list {
		fmt.Fprintf(u.stdout, "%6s %-8s %s %s %s %q%s\n", e.ID, e.State, e.Since.UTC().Format(time.DateTime), e.Hook, e.Event, e.Path, whyNot(e))
	}
	return nil
}

// whyNot says how an event fared.
func whyNot(e hooks.Entry) string {
	if e.Tries == 0 {
		return ""
	}
	text := fmt.Sprintf(" (tried %d times", e.Tries)
	if e.State == "waiting" && !e.Due.IsZero() {
		text += ", next at " + e.Due.UTC().Format(time.DateTime)
	}
	return text + "): " + oneLine(e.Cause)
}

// change does what name says with what is selected.
func (u undelivered) change(ctx context.Context, name string, which hooks.Selection, do func(*hooks.Outbox, hooks.Selection) (int, error)) error {
	n := 0
	err := u.with(func(x *hooks.Outbox) (err error) {
		n, err = do(x, which)
		return err
	}, func() error {
		params := map[string]any{}
		if len(which.IDs) > 0 {
			params["id"] = strings.Join(which.IDs, ",")
		}
		if which.Hook != "" {
			params["hook"] = which.Hook
		}
		if which.Dead {
			params["dead"] = true
		}
		answer, err := u.control(u.o).Ask(ctx, "hooks/"+name, params)
		if err != nil {
			return err
		}
		var says struct{ Retried, Dropped int }
		err = json.Unmarshal(answer, &says)
		n = says.Retried + says.Dropped
		return err
	})
	if n > 0 || err == nil {
		fmt.Fprintln(u.stdout, n)
	}
	return err
}
