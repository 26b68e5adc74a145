package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/metricsbridge"
)

const healthLong = `Ask a ferry on this machine whether it can serve, as its page /readyz says, for a container or a supervisor without curl.
The exit status is 0 if it can; else what is wrong is printed.

It asks at --addr, or else where --metrics-addr or --rc-addr of the environment (FERRY_METRICS_ADDR, FERRY_RC_ADDR) say that
it listens, or else at localhost:5572.`

// healthCommand asks a server how it is.
func (p process) healthCommand(o *options) *cobra.Command {
	addr, alive := "", false
	server := []flags.Group{flags.Metrics(&o.Options).Only("metrics-addr"), flags.RC(&o.Options).Only("rc-addr", "rc-cert", "rc-baseurl")}
	cmd := &cobra.Command{
		Use:     "health",
		Short:   "Ask a server whether it can serve",
		Long:    healthLong,
		Example: "  ferry health\n  ferry health --addr localhost:9721\n  ferry health --addr unix:///run/ferry.sock",
		Args:    flags.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := flags.Resolve(cmd.Flags(), p.env, server...); err != nil {
				return err
			}
			page := "readyz"
			if alive {
				page = "livez"
			}
			if addr == "" {
				addr = o.healthAddr()
			}
			answer, err := metricsbridge.AskHealth(cmd.Context(), addr, page)
			if err == nil {
				err = answer.Err()
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(p.stdout, "ok")
			return err
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&addr, "addr", "", "Address of --metrics-addr or --rc-addr of the server: host:port, :port, a URL or unix:///path of a socket")
	cmd.Flags().BoolVar(&alive, "live", false, "Ask only whether it is alive")
	flags.Add(cmd.Flags(), server...)
	for _, g := range server {
		for _, row := range g.Flags {
			cmd.Flags().Lookup(row.Name).Hidden = true
		}
	}
	return cmd
}

// healthAddr is where the flags say that a server answers.
func (o *options) healthAddr() string {
	if len(o.Metrics.Addrs) > 0 {
		return o.Metrics.Addrs[0]
	}
	addr := o.RC.Addrs[0]
	switch {
	case len(addr) > len(flags.UnixScheme) && addr[:len(flags.UnixScheme)] == flags.UnixScheme:
	case o.RC.Cert != "":
		addr = "https://" + addr + "/" + o.RC.BaseURL
	case o.RC.BaseURL != "":
		addr = "http://" + addr + "/" + o.RC.BaseURL
	}
	return addr
}
