package main

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"ferry/cmd/ferry/internal/logging"
	"ferry/ftp"
)

// Each flag about sessions and data connections reaches the server.
func TestFlagsOfTheServer(t *testing.T) {
	o := parse(t, "--min-rate", "3k", "--max-sessions-per-ip", "7", "--idle-timeout", "11m", "--login-timeout", "13s",
		"--data-timeout", "17s,19m", "--passive-port", "2000-2001", "--list-time", "local", "--ascii", "convert",
		"--no-active", "--allow-fxp", "--allow-peer-mismatch", "--accept-abrupt-close", "--require-tls")
	server := o.server(nil, slog.New(slog.DiscardHandler))
	s := server.Tuned()
	for flag, is := range map[string]bool{
		"min-rate":            s.MinRate == 3<<10,
		"max-sessions-per-ip": s.MaxSessionsPerHost == 7,
		"idle-timeout":        s.IdleTimeout == 11*time.Minute,
		"login-timeout":       s.LoginTimeout == 13*time.Second,
		"data-timeout":        s.DataConnect == 17*time.Second && s.DataStall == 19*time.Minute,
		"passive-port":        s.Passive == ftp.PortRange{First: 2000, Last: 2001},
		"list-time":           s.ListLocation == time.Local,
		"ascii":               server.ConvertASCII,
		"no-active":           s.NoActive,
		"allow-fxp":           s.AllowFXP,
		"allow-peer-mismatch": s.AllowPeerMismatch,
		"accept-abrupt-close": s.AcceptAbruptClose,
		"require-tls":         s.RequireTLS,
	} {
		if !is {
			t.Errorf("--%s does not reach the server: %+v", flag, s)
		}
	}
	if s := parse(t).server(nil, slog.New(slog.DiscardHandler)).Tuned(); s.MinRate != 0 {
		t.Errorf("transfers are ended below %d bytes a second unless told", s.MinRate)
	}
}

// --max-sessions has a default from what the process may use, which is told; what was given goes
// before it, with a warning where it is too much.
func TestTheLimitsAreApplied(t *testing.T) {
	few := limits{descriptors: 256, memory: 1 << 30}
	for _, tt := range []struct {
		args []string
		limits
		sessions uint32
		told     string
	}{
		{nil, few, 52, "NOTICE: --max-sessions follows from what this process may use sessions=52 descriptors=256 memory=1Gi"},
		{nil, limits{}, 0, ""},
		{[]string{"--max-sessions", "20"}, few, 20, ""},
		{[]string{"--max-sessions", "0"}, few, 0, ""},
		{[]string{"--max-sessions", "300"}, few, 300, "--max-sessions is more than the descriptors of this process allow"},
		{[]string{"--max-sessions", "300"}, limits{}, 300, ""},
	} {
		var b strings.Builder
		o := parse(t, tt.args...)
		o.applyLimits(t.Context(), slog.New(logging.NewText(&b, slog.LevelDebug)), tt.limits)
		if log := b.String(); o.MaxSessions != tt.sessions || !strings.Contains(log, tt.told) || (tt.told == "") != (log == "") {
			t.Errorf("%v with %+v: %d sessions, the log says %q", tt.args, tt.limits, o.MaxSessions, log)
		}
	}
}
