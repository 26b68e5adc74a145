package ftp_test

import (
	"fmt"
	"strings"
	"testing"

	"ferry/ftp"
	"ferry/remote/driver/memory"
)

func TestTransfersAreRemembered(t *testing.T) {
	var srv *ftp.Server
	d := talk(t, memory.New(), func(s *ftp.Server) { srv = s })
	if got := srv.Transfers(); len(got) != 0 {
		t.Errorf("before the first: %+v", got)
	}
	d.startUpload("f", "12345")
	d.closeData()
	d.steps("<< 226", "passive", "> RETR f", "<< 150")
	d.receive()
	d.steps("<< 226", "passive", "> LIST", "<< 150")
	d.receive()
	d.steps("<< 226")
	d.startUpload("g", "123")
	d.steps("> ABOR", "<< 426", "<< 226", "> RETR missing", "<< 425")
	got := srv.Transfers()
	want := []struct {
		command, path string
		bytes         int64
		ok            bool
	}{{"STOR", "/f", 5, true}, {"RETR", "/f", 5, true}, {"STOR", "/g", 3, false}}
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i, w := range want {
		g := got[i]
		if g.Command != w.command || g.Path != w.path || g.Bytes != w.bytes || (g.Err == nil) != w.ok ||
			g.Session == 0 || g.User == "" || g.Began.IsZero() || g.Ended.Before(g.Began) {
			t.Errorf("got %+v, want %+v", g, w)
		}
	}
	s := srv.Stats()
	if s.Uploads != 1 || s.Downloads != 2 || s.Listings != 1 || s.TransferTime <= 0 {
		t.Errorf("%+v", s)
	}
}

func TestOnlyTheLatestTransfersAreRemembered(t *testing.T) {
	var srv *ftp.Server
	d := talk(t, memory.New(), func(s *ftp.Server) { srv = s })
	const all = 103
	d.startUpload("f", strings.Repeat("x", all))
	d.closeData()
	d.steps("<< 226")
	for i := range all {
		d.steps("passive", fmt.Sprintf("> REST %d", i), "<< 350", "> RETR f", "<< 150")
		d.receive()
		d.steps("<< 226")
	}
	got := srv.Transfers()
	if len(got) != 100 || got[0].Bytes != 100 || got[99].Bytes != 1 {
		t.Errorf("%d transfers, of %d to %d bytes", len(got), got[0].Bytes, got[len(got)-1].Bytes)
	}
}
