package main

import (
	"log/slog"
	"time"

	"ferry/ftp"
)

// server returns the FTP server that the flags describe.
func (o *options) server(backend ftp.Backend, log *slog.Logger) *ftp.Server {
	s := &ftp.Server{
		Backend:      backend,
		Log:          log,
		DataResume:   o.dataResumption(),
		ConvertASCII: o.ASCII == "convert",
	}
	s.Adjust(o.tune)
	return s
}

// tune sets what may change while the server runs. The public address is not among it.
func (o *options) tune(now *ftp.Tunable) {
	now.RequireTLS = o.RequireTLS
	now.Passive = ftp.PortRange(o.Passive)
	now.NoActive = o.NoActive
	now.AllowFXP = o.AllowFXP
	now.AllowPeerMismatch = o.AllowPeerMismatch
	now.AcceptAbruptClose = o.AcceptAbruptClose
	now.MaxSessions = int(o.MaxSessions)
	now.MaxSessionsPerHost = int(o.MaxSessionsPerIP)
	now.IdleTimeout = o.IdleTimeout
	now.LoginTimeout = o.LoginTimeout
	now.DataConnect = o.DataTimeouts.Connect
	now.DataStall = o.DataTimeouts.Stall
	now.MinRate = max(int64(o.MinRate), 0)
	now.ListLocation = nil
	if o.ListTime == "local" {
		now.ListLocation = time.Local
	}
}
