package registry

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ferry/remote"
	"ferry/remote/remotetest"
	"ferry/remote/remotetest/servers/dropboxserver"
	"ferry/remote/remotetest/servers/graphserver"
)

// A seenDropbox is a double, and the headers that it got.
type seenDropbox struct {
	*dropboxserver.Server
	headers
}

// startDropbox starts a double with a file of the account, and one of its team.
func startDropbox(t *testing.T) (s *seenDropbox, file string) {
	t.Helper()
	s = &seenDropbox{Server: dropboxserver.Start(t)}
	s.SetTeam()
	s.PutReadOnly("/Home/mine", "x")
	s.PutReadOnly("/ours", "x")
	return s, fmt.Sprintf("[r]\ntype = dropbox\nendpoint = %s\ntoken = {\"access_token\":%q}\n", s.between(t, s.Addr), dropboxserver.Token)
}

func TestOptionsOfDropboxHaveAnEffect(t *testing.T) {
	t.Parallel()
	const user, admin, root = "Dropbox-API-Select-User", "Dropbox-API-Select-Admin", "Dropbox-API-Path-Root"
	tells := func(name string) func(*testing.T, *seenDropbox, remote.Remote) string {
		return func(t *testing.T, s *seenDropbox, r remote.Remote) string {
			return remotetest.Names(t, r, ".") + " " + s.last(name)
		}
	}
	haveEffect(t, startDropbox, []effect[*seenDropbox]{
		{"impersonate=" + dropboxserver.Member, "mine ", "mine " + dropboxserver.MemberID, tells(user)},
		{`impersonate="` + dropboxserver.MemberID + `"`, "mine ", "mine " + dropboxserver.MemberID, tells(user)},
		{`impersonate_admin="` + dropboxserver.AdminID + `"`, "mine ", "mine " + dropboxserver.AdminID, tells(admin)},
		{
			"root_namespace=" + dropboxserver.TeamSpace, "mine ",
			`Home ours {".tag":"namespace_id","namespace_id":"` + dropboxserver.TeamSpace + `"}`, tells(root),
		},
		{"batch_mode=off", "0", "1", func(t *testing.T, s *seenDropbox, r remote.Remote) string {
			put(t, r, "f", "x")
			return strconv.Itoa(s.Asked("files/upload"))
		}},
	})
}

// A commit of Dropbox waits as long as batch_timeout says, however few there are.
func TestBatchTimeoutOfDropbox(t *testing.T) {
	t.Parallel()
	const long = 500 * time.Millisecond
	_, file := startDropbox(t)
	r, err := openFrom(t, file, "r,batch_timeout="+long.String()+":")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	put(t, r, "f", "x")
	if took := time.Since(began); took < long {
		t.Errorf("it is committed after %v", took)
	}
}

// A seenGraph is a double, and its drive.
type seenGraph struct {
	*graphserver.Server
	drive string
}

func startGraph(t *testing.T) (s *seenGraph, file string) {
	t.Helper()
	s = &seenGraph{Server: graphserver.Start(t)}
	s.drive = s.NewDrive(graphserver.Business)
	s.Notebook(s.drive, "notes")
	return s, fmt.Sprintf("[r]\ntype = onedrive\nendpoint = http://%s\ntoken = {\"access_token\":%q}\nupload_cutoff = 1Mi\ndrive_type = business\ndrive_id = %s\n",
		s.Addr, graphserver.Token, s.drive)
}

func TestOptionsOfOnedriveHaveAnEffect(t *testing.T) {
	t.Parallel()
	haveEffect(t, startGraph, []effect[*seenGraph]{
		{"expose_onenote_files", "", "notes", func(t *testing.T, _ *seenGraph, r remote.Remote) string { return remotetest.Names(t, r, ".") }},
		{"no_versions", "2", "1", func(t *testing.T, s *seenGraph, r remote.Remote) string {
			put(t, r, "f", "old")
			put(t, r, "f", "new")
			return strconv.Itoa(s.Versions(s.drive, "f"))
		}},
		{"hard_delete", "false", "true", func(t *testing.T, s *seenGraph, r remote.Remote) string {
			put(t, r, "f", "x")
			if err := r.Remove(t.Context(), "f"); err != nil {
				t.Error(err)
			}
			return strconv.FormatBool(slices.ContainsFunc(s.Requests(), func(q string) bool { return strings.HasSuffix(q, "/permanentDelete") }))
		}},
	})
}
