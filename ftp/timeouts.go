package ftp

import "time"

func (s *Server) idleTimeout() time.Duration  { return orDefault(s.tuned().IdleTimeout, 5*time.Minute) }
func (s *Server) loginTimeout() time.Duration { return orDefault(s.tuned().LoginTimeout, time.Minute) }
func (s *Server) dataConnect() time.Duration  { return orDefault(s.tuned().DataConnect, 30*time.Second) }
func (s *Server) dataStall() time.Duration    { return orDefault(s.tuned().DataStall, 2*time.Minute) }

// orDefault returns d, or def if d is not set.
func orDefault(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}
