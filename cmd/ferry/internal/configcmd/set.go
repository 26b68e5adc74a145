package configcmd

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
	"ferry/config"
	"ferry/registry"
)

// A setting is an option on the command line.
type setting struct{ key, value string }

// parseSettings reads arguments KEY=VALUE, and pairs of arguments KEY VALUE.
func parseSettings(args []string) ([]setting, error) {
	var list []setting
	for len(args) > 0 {
		key, value, ok := strings.Cut(args[0], "=")
		if args = args[1:]; !ok {
			if len(args) == 0 {
				return nil, flags.Usagef("option %q lacks a value: write KEY=VALUE, or KEY VALUE", key)
			}
			value, args = args[0], args[1:]
		}
		list = append(list, setting{key, value})
	}
	return list, nil
}

// A writer of settings says how they are written and what is shown afterwards.
type settingWriter struct {
	obscure   bool // passwords, even those that look obscured
	noObscure bool // not even passwords that do not look obscured
	noOutput  bool
	noLogin   bool     // nobody is asked to log in
	way       loginWay // how somebody logs in
}

func (w *settingWriter) addFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&w.obscure, "obscure", false, "Obscure passwords, even those that look obscured")
	cmd.Flags().BoolVar(&w.noObscure, "no-obscure", false, "Do not obscure passwords: they are obscured already")
	cmd.Flags().BoolVar(&w.noOutput, "no-output", false, "Do not show the remote afterwards")
	cmd.Flags().BoolVar(&w.noLogin, "non-interactive", false, "Have nobody log in, nor asked for anything")
	w.way.addFlags(cmd)
	cmd.MarkFlagsMutuallyExclusive("obscure", "no-obscure")
}

// text returns what is written for an option of a type.
func (w settingWriter) text(typ string, s setting) string {
	if s.value == "" || w.noObscure || !isObscured(typ, s.key) {
		return s.value
	}
	if !w.obscure && config.LooksObscured(s.value) {
		return s.value
	}
	return config.Obscure(s.value)
}

// isObscured asks the driver of the type; for a type without one it is known of rclone's.
func isObscured(typ, key string) bool {
	t, err := config.Sources{Types: registry.Types(), Bridges: registry.Bridges()}.Type(typ)
	if err != nil {
		return config.IsObscured(typ, key)
	}
	option, ok := t.Option(key)
	return ok && option.Obscured
}

// write sets options of a remote that is there.
func (w settingWriter) write(d *config.Draft, name string, settings []setting) error {
	for _, s := range settings {
		typ, _ := d.Get(name, "type") // which may be among the settings
		if err := check(typ, s); err != nil {
			return err
		}
		if err := d.Set(name, s.key, w.text(typ, s)); err != nil {
			return err
		}
	}
	return nil
}

// check returns why a setting cannot be one of the type. Of one without a driver nothing is known.
func check(typ string, s setting) error {
	t, err := config.Sources{Types: registry.Types(), Bridges: registry.Bridges()}.Type(typ)
	if err != nil || s.key == "type" {
		return nil
	}
	if err := registry.CheckOption(t, s.key, s.value); err != nil {
		return flags.Usagef("%w", err)
	}
	return nil
}

// editRemote edits a remote that must be there.
func editRemote(cmd *cobra.Command, f *config.File, name string, change func(*config.Draft) error) error {
	return f.Edit(cmd.Context(), func(d *config.Draft) error {
		if !d.Has(name) {
			return noSection(name)
		}
		return change(d)
	})
}

func noSection(name string) error {
	return fmt.Errorf("remote %q is not in the configuration file: ferry listremotes shows which there are", name)
}

// showChanged prints a remote after a change, and on standard error which of its options nothing is
// made of.
func (c *Console) showChanged(cmd *cobra.Command, f *config.File, name string) error {
	d, err := f.Document(cmd.Context())
	if err != nil {
		return err
	}
	set, err := config.Sources{Types: registry.Types(), Bridges: registry.Bridges(), File: d}.Resolve(config.Remote{Name: name})
	if err != nil {
		set.Warnings = append(set.Warnings, err.Error())
	}
	for _, warning := range set.Warnings {
		fmt.Fprintln(c.Stderr, "ferry: warning:", warning)
	}
	return c.showRemote(d, name, false)
}
