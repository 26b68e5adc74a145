package configcmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
	"ferry/config"
)

const obscureLong = `Print the form in which a password is written in the configuration.

Obscuring keeps passwords from the eyes of bystanders. It is not encryption: anybody can undo it.

For - the password is the first line of standard input, so that no other user sees it among the arguments.`

// Obscure returns ferry obscure.
func (c *Console) Obscure() *cobra.Command {
	return &cobra.Command{
		Use:     "obscure password",
		Short:   "Obscure a password for the configuration",
		Long:    obscureLong,
		Example: "  ferry obscure - < password.txt",
		Args:    flags.Args(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			password := args[0]
			if password == "-" && c.Terminal() == nil {
				line, err := c.Line()
				if err != nil {
					return err
				}
				password = line
			}
			_, err := fmt.Fprintln(c.Stdout, config.Obscure(password))
			return err
		},
	}
}
