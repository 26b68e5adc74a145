package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"

	"ferry/cmd/ferry/internal/flags"
	"ferry/config"
)

// warnOfLooseFiles warns of files with secrets that others may read or change. Those that are not
// there, or have no name, are somebody else's affair.
func warnOfLooseFiles(ctx context.Context, log *slog.Logger, names ...string) {
	if runtime.GOOS == "windows" {
		return // the mode says nothing there
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		info, err := os.Stat(name)
		if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&config.Loose == 0 {
			continue
		}
		log.LogAttrs(ctx, slog.LevelWarn, "others may read or change a file with secrets: give it mode 0600 or 0640",
			slog.String("file", name), slog.String("mode", fmt.Sprintf("%04o", info.Mode().Perm())))
	}
}

// warnOfVariables logs which variables of rclone mean nothing here.
func (p process) warnOfVariables(log *slog.Logger) {
	if list := flags.UnknownVariables(config.ParseEnviron(p.env)); len(list) > 0 {
		log.Warn("variables that mean nothing here: " + strings.Join(list, ", "))
	}
}

// secretFiles are the files that flags name and that nobody else should read. Some are "".
func (o *options) secretFiles() []string {
	files := append([]string{o.RC.Key, o.RC.Htpasswd, o.Users, o.Auth.Htpasswd, o.Auth.Passwd, o.ACME.TSIGFile, o.ACME.APIAccount, o.Cluster.Creds}, o.Key...)
	for _, u := range o.Cluster.Feeds {
		for _, name := range []string{"creds", "credentials", "token-file"} {
			if file := u.Options[name]; file != "" {
				files = append(files, file)
			}
		}
	}
	if o.file != nil && o.file.Secret {
		files = append(files, o.ServerConfig)
	}
	return files
}
