package config

import (
	"os"
	"path/filepath"
)

const (
	fileName   = "rclone.conf"
	hiddenName = ".rclone.conf"
	noFileName = "notfound" // as the last element of a path it means no file
)

// Places are where a configuration file is looked for.
type Places struct {
	Executable string // path of the running program, "" unknown
	Home       string // of the user, "" unknown
	Env        Environ
	Windows    bool
}

// Locate returns the path of the configuration file when none is given. It is the first that exists
// of
//
//	rclone.conf beside the program
//	%APPDATA%\rclone\rclone.conf (Windows)
//	$XDG_CONFIG_HOME/rclone/rclone.conf
//	~/.config/rclone/rclone.conf
//	~/.rclone.conf
//
// When none exists it is where a new one belongs: the second on Windows, elsewhere the third, else
// the fourth. Nothing is made.
func Locate(p Places) string {
	var beside, appData, xdg, dotConfig, hidden string
	if p.Executable != "" {
		beside = filepath.Join(filepath.Dir(p.Executable), fileName)
	}
	if dir := p.Env["APPDATA"]; dir != "" && p.Windows {
		appData = filepath.Join(dir, "rclone", fileName)
	}
	if dir := p.Env["XDG_CONFIG_HOME"]; dir != "" {
		xdg = filepath.Join(dir, "rclone", fileName)
	}
	if p.Home != "" {
		dotConfig = filepath.Join(p.Home, ".config", "rclone", fileName)
		hidden = filepath.Join(p.Home, hiddenName)
	}
	for _, path := range []string{beside, appData, xdg, dotConfig, hidden} {
		if path == "" {
			continue
		}
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	if p.Windows {
		xdg = "" // only looked at there, for old files
	}
	for _, path := range []string{appData, xdg, dotConfig} {
		if path != "" {
			return path
		}
	}
	return hiddenName
}

// FilePath returns the absolute path of the configuration file that a path given by a user means.
// It is empty when the configuration is only kept in memory: for no path, the null device, and a
// path whose last element is notfound.
func FilePath(path string) (string, error) {
	if path == "" || path == os.DevNull || filepath.Base(path) == noFileName {
		return "", nil
	}
	return filepath.Abs(path)
}
