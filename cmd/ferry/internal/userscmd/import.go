package userscmd

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
	"ferry/serve/users/importer"
)

const importLong = `Print a users file of what another server has.

What could not be said is listed on standard error with the users that it is about. Whoever could do more for that is
disabled. Secrets of remotes are printed too: send the output into a file that only you can read.

  sftpgo             a dump (dumpdata, or what --loaddata-from reads)
  htpasswd           a file of htpasswd; all users share the remote of the command line
  passwd             lines of passwd(5), as ProFTPD's AuthUserFile
  puredb             the text file of Pure-FTPd's virtual users (pureftpd.passwd)
  rclone-auth-proxy  what a program for rclone's --auth-proxy prints, for each user`

// maxImport bounds the size of a file to import.
const maxImport = 256 << 20

func (c *Console) importCommand() *cobra.Command {
	from := ""
	cmd := &cobra.Command{
		Use:     "import --from FORMAT FILE",
		Short:   "Print a users file of what another server has",
		Long:    importLong,
		Example: "  ferry users import --from sftpgo dump.json > users.toml\n  ferry users import --from puredb /etc/pureftpd.passwd > users.toml",
		Args:    flags.Args(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if from == "" {
				return flags.Usagef("what is the file of? name it by --from: %s", strings.Join(importer.Formats(), ", "))
			}
			text, err := c.readImport(args[0])
			if err != nil {
				return err
			}
			file, left, err := importer.Import(from, text)
			if err != nil {
				return flags.Usagef("%s: %w", args[0], err)
			}
			for _, line := range left {
				fmt.Fprintln(c.Stderr, line)
			}
			_, err = c.Stdout.Write(file)
			return err
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "What the file is of: "+strings.Join(importer.Formats(), ", "))
	return cmd
}

// readImport reads a file, or with - standard input.
func (c *Console) readImport(path string) ([]byte, error) {
	in := c.Stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, maxImport+1))
	if err == nil && len(text) > maxImport {
		err = fmt.Errorf("%s: more than %d bytes are no file of users", path, maxImport)
	}
	return text, err
}
