package main

import "testing"

func TestSessionsFollowFromTheLimits(t *testing.T) {
	for _, tt := range []struct {
		limits
		want uint32
		rc   int
	}{
		{limits{256, 0}, 52, 16},
		{limits{1024, 0}, 232, 64},
		{limits{64, 0}, 7, 4},
		{limits{10, 0}, minSessions, 4},
		{limits{524288, 8 << 30}, 8192, 256},
		{limits{524288, 128 << 20}, 128, 256},
		{limits{0, 1 << 20}, minSessions, 256},
		{limits{0, 0}, 0, 256},
	} {
		if n, rc := tt.sessions(), tt.rcConnections(); n != tt.want || rc != tt.rc {
			t.Errorf("%+v: %d sessions and %d connections of the remote control, want %d and %d",
				tt.limits, n, rc, tt.want, tt.rc)
		}
	}
}
