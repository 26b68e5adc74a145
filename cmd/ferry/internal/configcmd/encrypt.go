package configcmd

import (
	"errors"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
	"ferry/config"
)

func (c *Console) configEncryptionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "encryption",
		Short: "Encrypt and decrypt the configuration file",
		Args:  flags.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		&cobra.Command{
			Use:   "set",
			Short: "Encrypt the configuration file, or change its password",
			Long: "Encrypt the configuration file, or change its password. The new one is asked for, or printed by\n" +
				"--password-command, which finds RCLONE_PASSWORD_CHANGE=1 in its environment then.",
			Args: flags.NoArgs,
			RunE: c.withConfig(func(cmd *cobra.Command, f *config.File, _ []string) error {
				newPassword := c.newPassword
				if len(c.Flags.Config.PasswordCommand) > 0 {
					newPassword = c.passwords().NewPassword
				}
				password, err := newPassword(cmd.Context())
				if err != nil {
					return err
				}
				return f.Encrypt(cmd.Context(), password)
			}),
		},
		&cobra.Command{
			Use:   "remove",
			Short: "Decrypt the configuration file",
			Args:  flags.NoArgs,
			RunE: c.withConfig(func(cmd *cobra.Command, f *config.File, _ []string) error {
				if !f.Encrypted() {
					return nil
				}
				return f.Decrypt(cmd.Context())
			}),
		},
		&cobra.Command{
			Use:   "check",
			Short: "Succeed if the configuration file is encrypted and its password is known",
			Args:  flags.NoArgs,
			RunE: c.withConfig(func(_ *cobra.Command, f *config.File, _ []string) error {
				if !f.Encrypted() {
					return errors.New("the configuration file is not encrypted")
				}
				return nil
			}),
		},
	)
	return cmd
}
