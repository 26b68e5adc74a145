// Package rcclient has the command ferry rc, which makes a remote control call: over HTTP, in
// post.go, or within this process.
package rcclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
	"ferry/config"
	"ferry/rc"
)

const long = `Make a remote control call to a ferry, or an rclone, that was started with --rc, and print its result as JSON.

Parameters are KEY=VALUE, which are strings, or one object after --json. Without a path it lists the calls there are.

The server is the one on this machine, or that of --url (http://host:port/, host:port or :port) or --unix-socket.
Without --user and --pass those of --rc-user and --rc-pass count, and without --url that of --rc-addr; these three
can be set in the environment, as FERRY_RC_ADDR.`

const example = `  ferry rc vfs/forget
  ferry rc vfs/forget file=path/to/file dir=path/to/dir
  ferry rc --unix-socket /run/ferry.sock vfs/refresh recursive=true
  ferry rc --user bob --pass secret ftp/kick id=7
  ferry rc --user bob --pass secret core/bwlimit --json '{"rate":"10M"}'`

// A call is a call as the command line describes it.
type call struct {
	path   string
	params map[string]any

	server     Server
	json       string
	args, opts []string
	loopback   bool
	noOutput   bool
}

// A Client is where the command runs: what it gets from the process, and the flags.
type Client struct {
	Env     []string // KEY=value
	Stdout  io.Writer
	Signals <-chan os.Signal // end the wait for a result
	Catch   func()           // has Signals come
	Version string           // of this program
	Flags   *flags.Options
}

// Command returns ferry rc.
func (r *Client) Command() *cobra.Command {
	var c call
	// What --rc-addr and the like say to a server, they say here where --url and the like are left
	// out.
	server := flags.RC(r.Flags).Only("rc-addr", "rc-user", "rc-pass")
	cmd := &cobra.Command{
		Use:     "rc [path] [key=value]...",
		Short:   "Make a remote control call",
		Long:    long,
		Example: example,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.Resolve(cmd.Flags(), r.Env, server); err != nil {
				return err
			}
			if err := c.complete(&r.Flags.RC, args); err != nil {
				return err
			}
			return r.run(cmd.Context(), &c)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	c.server.Flags(f)
	f.StringVar(&c.json, "json", "", "Parameters as a JSON object, instead of key=value")
	f.StringArrayVarP(&c.args, "arg", "a", nil, "Add a string to the list that is the parameter arg")
	f.StringArrayVarP(&c.opts, "opt", "o", nil, "Add name=value, or name, to the object that is the parameter opt")
	f.BoolVar(&c.loopback, "loopback", false, "Make the call within this process, without a server")
	f.BoolVar(&c.noOutput, "no-output", false, "Do not print the result")
	flags.Add(f, server)
	for _, row := range server.Flags {
		f.Lookup(row.Name).Hidden = true
	}
	return cmd
}

// Ask makes one call to the server that Flags name, and returns the JSON that answers it.
func (r *Client) Ask(ctx context.Context, path string, params map[string]any) ([]byte, error) {
	var at Server
	if err := at.Complete(&r.Flags.RC); err != nil {
		return nil, err
	}
	return at.Post(ctx, path, params)
}

// complete reads the arguments, and takes from o what the flags left out.
func (c *call) complete(o *flags.RCOptions, args []string) error {
	if err := c.server.Complete(o); err != nil {
		return err
	}
	if len(args) == 0 {
		return c.wantNoParams()
	}
	c.path = strings.Trim(args[0], "/")
	return c.readParams(args[1:])
}

func (c *call) wantNoParams() error {
	if c.json != "" || len(c.args)+len(c.opts) > 0 {
		return flags.Usagef("what to call is missing: name a path, such as vfs/forget")
	}
	return nil
}

func (c *call) readParams(args []string) error {
	c.params = map[string]any{}
	if c.json != "" {
		if len(args) > 0 {
			return flags.Usagef("--json and key=value exclude each other: give one of them")
		}
		d := json.NewDecoder(strings.NewReader(c.json))
		d.UseNumber()
		if err := d.Decode(&c.params); err != nil {
			return flags.Usagef("--json is not an object: %w", err)
		}
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			return flags.Usagef("--json has something behind the object")
		}
	}
	for _, arg := range args {
		key, text, ok := strings.Cut(arg, "=")
		if !ok {
			return flags.Usagef("%q is not a parameter: write key=value", arg)
		}
		c.params[key] = text
	}
	if len(c.args) > 0 {
		c.params["arg"] = c.args
	}
	if len(c.opts) > 0 {
		opts := map[string]string{}
		for _, opt := range c.opts {
			name, text, _ := strings.Cut(opt, "=")
			opts[name] = text
		}
		c.params["opt"] = opts
	}
	return nil
}

// run makes the call and prints its result, which for an error is on the output too. A signal
// ends the wait.
func (r *Client) run(ctx context.Context, c *call) error {
	r.Catch()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-r.Signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	path := c.path
	if path == "" {
		path = "rc/list"
	}
	send := func(ctx context.Context, path string) ([]byte, error) { return c.server.Post(ctx, path, c.params) }
	if c.loopback {
		send = r.here(c)
	}
	result, err := send(ctx, path)
	if c.path == "" && err == nil {
		return r.printCalls(result)
	}
	if len(result) > 0 && !c.noOutput {
		var b bytes.Buffer
		if json.Indent(&b, bytes.TrimSpace(result), "", "\t") != nil {
			return fmt.Errorf("the answer to %s is not JSON: is %s the address of a remote control?", path, c.server.where())
		}
		b.WriteByte('\n')
		if _, err := b.WriteTo(r.Stdout); err != nil {
			return err
		}
	}
	return err
}

// printCalls prints the result of rc/list for people.
func (r *Client) printCalls(result []byte) error {
	var list struct {
		Commands []struct{ Path, Title, Help string }
	}
	if err := json.Unmarshal(result, &list); err != nil {
		return fmt.Errorf("the list of calls: %w", err)
	}
	var b strings.Builder
	for _, c := range list.Commands {
		fmt.Fprintf(&b, "%s: %s\n", c.Path, c.Title)
		for line := range strings.Lines(strings.TrimSpace(c.Help)) {
			if strings.TrimSpace(line) != "" {
				b.WriteString("    " + strings.TrimRight(line, "\n") + "\n")
			}
		}
	}
	_, err := io.WriteString(r.Stdout, b.String())
	return err
}

// here returns what makes c within this process, where nothing is served: there are the calls about
// the process.
func (r *Client) here(c *call) func(ctx context.Context, path string) ([]byte, error) {
	return func(ctx context.Context, path string) ([]byte, error) {
		s, err := rc.New(rc.Options{Calls: rc.CoreCalls(rc.Core{Version: r.Version, Obscure: config.Obscure})})
		if err != nil {
			return nil, err
		}
		defer s.Close()
		out, err := s.Call(ctx, path, c.params)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if out == nil {
			out = rc.Params{}
		}
		return json.Marshal(out)
	}
}
