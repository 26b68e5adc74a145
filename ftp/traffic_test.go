package ftp_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"ferry/ftp"
	"ferry/remote"
	"ferry/remote/driver/memory"
)

// What a session does is seen while it does it: its last command, and of a transfer how much it
// will be. Bytes count while they move, and once.
func TestTraffic(t *testing.T) {
	var srv *ftp.Server
	d := talk(t, memory.New(), func(s *ftp.Server) { srv = s })
	d.steps("> NOOP", "<< 200")
	if s := srv.Sessions()[0]; s.Last != "NOOP" || s.Size >= 0 || s.Command != "" || time.Since(s.Active) > time.Minute {
		t.Errorf("an idle session: %+v", s)
	}
	if in, out := srv.Traffic(); in != 0 || out != 0 {
		t.Errorf("%d bytes in, %d out, and nothing has moved", in, out)
	}
	d.steps("passive", "> ALLO 10", "<< 200", "> STOR f", "<< 150", "put hello")
	wait := func(what string, reached func() bool) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); !reached(); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				in, out := srv.Traffic()
				t.Fatalf("%s: %d in, %d out, %+v", what, in, out, srv.Sessions())
			}
		}
	}
	wait("an upload that runs", func() bool {
		in, out := srv.Traffic()
		s := srv.Sessions()[0]
		return in == 5 && out == 0 && s.Last == "STOR" && s.Command == "STOR" && s.Size == 10 && s.Bytes == 5
	})
	const large = 32 << 20 // more than what is on its way
	d.steps("send world", "<< 226")
	if _, err := d.store.Put(t.Context(), "large", strings.NewReader(strings.Repeat("x", large)), remote.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	d.steps("passive", "> REST 4", "<< 350", "> RETR large", "<< 150")
	if s := srv.Sessions()[0]; s.Size != large-4 {
		t.Errorf("of a download of %d bytes it is known that they are %d", large-4, s.Size)
	}
	if _, err := io.ReadAll(d.dataConn()); err != nil {
		t.Fatal(err)
	}
	d.steps("<< 226")
	if in, out := srv.Traffic(); in != 10 || out != large-4 {
		t.Errorf("%d bytes in, %d out at the end", in, out)
	}
	d.steps("> QUIT", "<< 221", "closed")
	if in, out := srv.Traffic(); in != 10 || out != large-4 || srv.Stopping() {
		t.Errorf("%d bytes in, %d out without sessions", in, out)
	}
	srv.Close()
	if !srv.Stopping() {
		t.Error("a closed server takes sessions")
	}
}
