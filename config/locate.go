package config

import (
	"os"
	"path/filepath"
)

const (
	fileName   = "rclone.conf"
	hiddenName = ".rclone.conf"
	noFileName = "notfound" // as the last element of a path: no file
)

// Places are the locations that are searched for a configuration file.
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
// If none exists it is the path for a new one: the second on Windows, elsewhere the third, or else
// the fourth. Nothing is created.
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
		xdg = "" // only searched, for old files
	}
	for _, path := range []string{appData, xdg, dotConfig} {
		if path != "" {
			return path
		}
	}
	return hiddenName
}

// FilePath returns the absolute path of the configuration file for a path given by a user. It is
// empty if the configuration is in memory only: for no path, the null device, and a path whose last
// element is notfound.
func FilePath(path string) (string, error) {
	if path == "" || path == os.DevNull || filepath.Base(path) == noFileName {
		return "", nil
	}
	return filepath.Abs(path)
}
