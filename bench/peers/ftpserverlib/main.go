// Ftpserverlib is a minimal server on github.com/fclairamb/ftpserverlib for the comparison in
// bench: one user, one directory through afero, the library's defaults otherwise.
package main

import (
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"os"

	ftpserver "github.com/fclairamb/ftpserverlib"
	"github.com/spf13/afero"
)

type driver struct {
	settings ftpserver.Settings
	tls      *tls.Config
	fs       afero.Fs
}

func (d *driver) GetSettings() (*ftpserver.Settings, error)               { return &d.settings, nil }
func (d *driver) ClientConnected(ftpserver.ClientContext) (string, error) { return "ready", nil }
func (d *driver) ClientDisconnected(ftpserver.ClientContext)              {}
func (d *driver) GetTLSConfig() (*tls.Config, error) {
	if d.tls == nil {
		return nil, errors.New("no certificate")
	}
	return d.tls, nil
}

func (d *driver) AuthUser(_ ftpserver.ClientContext, user, pass string) (ftpserver.ClientDriver, error) {
	if user != "bench" || pass != "bench" {
		return nil, errors.New("denied")
	}
	return d.fs, nil
}

func run() error {
	addr := flag.String("addr", "127.0.0.1:2121", "address to listen on")
	first := flag.Int("first", 30000, "first passive port")
	last := flag.Int("last", 32000, "last passive port")
	cert := flag.String("cert", "", "file with certificate and key")
	flag.Parse()
	d := &driver{
		settings: ftpserver.Settings{
			ListenAddr:               *addr,
			PassiveTransferPortRange: ftpserver.PortRange{Start: *first, End: *last},
		},
		fs: afero.NewBasePathFs(afero.NewOsFs(), flag.Arg(0)),
	}
	if *cert != "" {
		pair, err := tls.LoadX509KeyPair(*cert, *cert)
		if err != nil {
			return err
		}
		d.tls = &tls.Config{Certificates: []tls.Certificate{pair}}
	}
	return ftpserver.NewFtpServer(d).ListenAndServe()
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
