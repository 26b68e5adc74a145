package login

import (
	"os/exec"
	"runtime"
)

// Browser returns what opens a browser, nil where there is none: the program that BROWSER names,
// else what the system has for it. env looks up variables.
func Browser(env func(name string) string) func(address string) error {
	var command []string
	switch own := env("BROWSER"); {
	case own != "":
		command = []string{own}
	case runtime.GOOS == "windows":
		command = []string{"rundll32", "url.dll,FileProtocolHandler"}
	case env("SSH_CONNECTION") != "" && env("DISPLAY") == "":
		return nil // it would open where nobody sits
	case runtime.GOOS == "darwin":
		command = []string{"open"}
	case env("DISPLAY") != "" || env("WAYLAND_DISPLAY") != "":
		command = []string{"xdg-open"}
	default:
		return nil
	}
	if _, err := exec.LookPath(command[0]); err != nil {
		return nil
	}
	return func(address string) error {
		cmd := exec.Command(command[0], append(command[1:], address)...)
		if err := cmd.Start(); err != nil {
			return err
		}
		go func() { _ = cmd.Wait() }() // it may stay as long as the browser
		return nil
	}
}
