package configcmd

import (
	"strconv"

	"github.com/spf13/cobra"

	"ferry/cmd/ferry/internal/flags"
)

// A loginWay is how somebody logs in.
type loginWay struct {
	noBrowser bool   // there is none on this machine
	device    bool   // by a code
	token     string // got elsewhere already; "" = none
}

func (w *loginWay) addFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&w.noBrowser, "no-browser", false, "The browser is on another machine: say what to do there, and ask for what comes of it")
	cmd.Flags().BoolVar(&w.device, "device", false, "Log in by a code that is typed on any device, where the provider has such")
}

// The settings of rclone that are answers to its questions about logins. None is stored.
const (
	answerLocal   = "config_is_local"
	answerRefresh = "config_refresh_token"
	answerToken   = "config_token"
)

// take takes out of settings what is about the login: want is whether there shall be one, "" where
// that is not said.
func (w *loginWay) take(settings []setting) (rest []setting, want string, err error) {
	for _, s := range settings {
		switch s.key {
		case answerToken:
			w.token = s.value
		case answerLocal, answerRefresh:
			yes, err := strconv.ParseBool(s.value)
			if err != nil {
				return nil, "", flags.Usagef("%s is true or false", s.key)
			}
			if s.key == answerRefresh {
				want = strconv.FormatBool(yes)
			} else {
				w.noBrowser = !yes
			}
		default:
			rest = append(rest, s)
		}
	}
	return rest, want, nil
}
