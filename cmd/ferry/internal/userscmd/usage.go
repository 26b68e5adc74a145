package userscmd

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
	"ferry/config"
	"ferry/serve/quota"
	"ferry/serve/users"
)

const usageLong = `Print what users have stored, and what they may have: of those who are named, else of all that have a quota.

It was counted when they stored, replaced and removed files. With --scan it is counted anew, in their trees as they are on the
remotes, and that holds from then on, also for a ferry that runs. With --cluster it is what all nodes have counted, and --scan
sets that.`

func (c *Console) usageCommand() *cobra.Command {
	var scan bool
	cmd := &cobra.Command{
		Use:     "usage [name]...",
		Short:   "Show what users have stored",
		Long:    usageLong,
		Example: "  ferry users usage\n  ferry users usage --scan camera-1",
		Args:    cobra.ArbitraryArgs,
		RunE: c.withFile(func(cmd *cobra.Command, path string, names []string) error {
			if err := flags.Resolve(cmd.Flags(), c.Env, flags.State(c.Flags), c.engine()); err != nil {
				return err
			}
			list, err := c.limited(path, names)
			if err != nil {
				return err
			}
			store, done, err := c.Usage(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			w := tabwriter.NewWriter(c.Stdout, 0, 8, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tBYTES\tOF\tFILES\tOF")
			for _, u := range list {
				used, err := c.usageOf(cmd, store, u, scan)
				if err != nil {
					return fmt.Errorf("user %q: %w", u.Name, err)
				}
				fmt.Fprintf(w, "%s\t%d\t%s\t%d\t%s\n", u.Name, used.Bytes, sizeOrDash(u.QuotaBytes), used.Files, numberOrDash(u.QuotaFiles))
			}
			return w.Flush()
		}),
	}
	cmd.Flags().BoolVar(&scan, "scan", false, "Count anew, on the remotes")
	flags.Add(cmd.Flags(), flags.State(c.Flags), c.engine())
	return cmd
}

// engine returns the flags that say how nodes count together.
func (c *Console) engine() flags.Group {
	return flags.Cluster(c.Flags).Only("cluster", "cluster-name", "cluster-creds", "cluster-ca")
}

// usageOf returns what a user has, counted anew with scan.
func (c *Console) usageOf(cmd *cobra.Command, store *quota.Store, u users.User, scan bool) (quota.Usage, error) {
	if !scan {
		return store.Told(cmd.Context(), u.Name)
	}
	used, err := c.Scan(cmd.Context(), u)
	if err != nil {
		return quota.Usage{}, err
	}
	return used, store.SetForAll(cmd.Context(), u.Name, used)
}

// limited returns the users who are named, or else those with a quota.
func (c *Console) limited(path string, names []string) ([]users.User, error) {
	f, err := c.read(path)
	if err != nil {
		return nil, err
	}
	var list []users.User
	for _, name := range names {
		u, ok := f.User(name)
		if !ok {
			return nil, noUser(path, name)
		}
		list = append(list, u)
	}
	if len(names) > 0 {
		return list, nil
	}
	for _, name := range f.Names() {
		if u, _ := f.User(name); u.QuotaBytes > 0 || u.QuotaFiles > 0 {
			list = append(list, u)
		}
	}
	return list, nil
}

func sizeOrDash(n int64) string {
	if n <= 0 {
		return "-"
	}
	return config.Size(n).String()
}

func numberOrDash(n int64) string {
	if n <= 0 {
		return "-"
	}
	return fmt.Sprint(n)
}
