package userscmd

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
	"ferry/config"
	"ferry/serve/access"
	"ferry/serve/users"
)

func noUser(path, name string) error {
	return fmt.Errorf("there is no user %q in %s: ferry users ls shows who is there", name, path)
}

func (c *Console) lsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "ls",
		Short: "List the users",
		Args:  flags.NoArgs,
		RunE: c.withFile(func(_ *cobra.Command, path string, _ []string) error {
			f, err := c.read(path)
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(c.Stdout, 0, 8, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tSTATE\tGROUPS\tREMOTE\tNOTE")
			for _, name := range f.Names() {
				u := f.Table(name)
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", name, state(u), orDash(strings.Join(u.Groups, ",")), orDash(remotes(u)), u.Note)
			}
			return w.Flush()
		}),
	}
}

// state says in a word whether a user can log in.
func state(u users.User) string {
	now := time.Now()
	switch {
	case u.Disabled:
		return "disabled"
	case !u.Expires.IsZero() && !now.Before(u.Expires):
		return "expired"
	case u.Auth != users.AuthHash:
		return "auth " + string(u.Auth)
	case len(u.Hashes(now)) == 0 && len(u.ClientCerts) == 0:
		return "no password"
	}
	return "ok"
}

func remotes(u users.User) string {
	var list []string
	if u.Remote != "" {
		list = append(list, config.RedactRemote(u.Remote))
	}
	for _, m := range u.Mounts {
		list = append(list, m.Path+"="+config.RedactRemote(m.Remote))
	}
	return strings.Join(list, " ")
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (c *Console) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Look for mistakes in the file",
		Long: `Look for mistakes in the file, and print each with its line and column.

Warnings are of what is no mistake, and seldom meant. Remotes are looked up in the configuration, and not connected to.`,
		Args: flags.NoArgs,
		RunE: c.withFile(func(cmd *cobra.Command, path string, _ []string) error {
			f, err := c.form().Read(path)
			if err == nil {
				for _, w := range f.Warnings() {
					e := *w
					e.Text = "warning: " + e.Text
					fmt.Fprintln(c.Stdout, &e)
				}
				err = f.Check(func(key, text string) error {
					if key != "remote" || c.CheckRemote == nil {
						return nil
					}
					return c.CheckRemote(cmd.Context(), users.Sample(text))
				})
			}
			list := users.Errors(err)
			if len(list) == 0 {
				return err
			}
			for _, e := range list {
				fmt.Fprintln(c.Stdout, e)
			}
			return fmt.Errorf("%s has mistakes: a ferry that runs goes on with what it read before", path)
		}),
	}
}

const explainLong = `Print what holds for a user, and where each value was said: in the user's own table, in that of a group, or as a default.

With a path and a verb, print whether the permissions let the user do that there, and which of them decides.`

func (c *Console) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "explain name [path verb]",
		Short:   "Show what holds for a user, and where it was said",
		Long:    explainLong,
		Example: "  ferry users explain camera-1\n  ferry users explain camera-1 /in/a.jpg upload",
		Args:    flags.Args(1, 3),
		RunE: c.withFile(func(_ *cobra.Command, path string, args []string) error {
			if len(args) == 2 {
				return flags.Usagef("which verb? write ferry users explain %s %s upload, or another verb of permissions", args[0], args[1])
			}
			f, err := c.read(path)
			if err != nil {
				return err
			}
			values, ok := f.Explain(args[0])
			if !ok {
				return noUser(path, args[0])
			}
			if len(args) == 3 {
				return c.explainRight(f, values, args[0], args[1], args[2])
			}
			w := tabwriter.NewWriter(c.Stdout, 0, 8, 2, ' ', 0)
			for _, v := range values {
				fmt.Fprintf(w, "%s\t%s\t%s\n", v.Key, orDash(v.Text), where(v))
			}
			return w.Flush()
		}),
	}
}

func where(v users.Value) string { return fmt.Sprintf("%s (%s:%d)", v.From, v.File, v.Line) }

// explainRight prints which permission decides about a verb at a path.
func (c *Console) explainRight(f *users.File, values []users.Value, name, path, word string) error {
	verb, err := access.ParseVerbs([]string{word})
	if err != nil {
		return flags.Usagef("%w", err)
	}
	if err := access.CheckPath(path); err != nil {
		return flags.Usagef("%w", err)
	}
	u := f.Table(name)
	rule, found := u.Policy.Decides(path, verb)
	answer, why := "yes", "there are no permissions, so everything is allowed"
	switch {
	case found:
		if rule.Verbs&verb != verb {
			answer = "no"
		}
		why = fmt.Sprintf("permissions.%s = [%s]", users.TOMLKey(rule.Path), strings.Join(rule.Words(), ", "))
		for _, v := range values {
			if v.Key == "permissions."+users.TOMLKey(rule.Path) {
				why += ", " + where(v)
			}
		}
	case len(u.Policy.Rules) > 0:
		answer, why = "no", "no permission covers the path"
	}
	_, err = fmt.Fprintf(c.Stdout, "%s: %s may %s %s: %s\n", answer, name, word, path, why)
	return err
}
