package test

import (
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"ferry/remote/remotetest/servers/natsserver"
)

// ferry doctor has messages come back from NATS, and hears of what it stores by the change feed.
// What does not come is a row, with the right that is missing.
func TestDoctorHearsWhatItTells(t *testing.T) {
	t.Parallel() // it mostly waits
	nats := natsserver.Start(t)
	store := startTellingGateway(t, "--event-nats-url", nats.URL(), "--event-nats-topic", "s3.events")
	doctor := func(url, topic string, status int, want ...string) {
		t.Helper()
		p, err := start(t.TempDir(), store.environment("remote", store.addr), "doctor", "remote:"+store.root, "--addr", "127.0.0.1:0", "--probe-size", "64K",
			"--user", "bob", "--pass", "builder", "--node", "n1", "--cluster", url, "--change-feed", url+"/"+topic)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.wait()
		if err != nil || got != status {
			t.Errorf("exit status %d, %v, want %d", got, err, status)
		}
		for _, text := range want {
			if !strings.Contains(p.log.String(), text) {
				t.Errorf("%q is not in\n%s", text, p.log)
			}
		}
	}
	doctor(nats.URL(), "s3.events", 0, "what nodes tell each other comes back in", "notifications came while the remote was tried")
	doctor(nats.URL(), "nobody", 0, "is listened to, but nothing came of what was stored")

	allow := func(subjects ...string) *server.SubjectPermission { return &server.SubjectPermission{Allow: subjects} }
	few := natsserver.Start(t, func(o *server.Options) {
		o.Users = []*server.User{
			{Username: "mute", Password: "right", Permissions: &server.Permissions{Publish: allow("$JS.API.>", "$KV.>"), Subscribe: allow("_INBOX.>", "s3.events")}},
			{Username: "poor", Password: "right", Permissions: &server.Permissions{Publish: allow("$JS.API.>", "ferry.node.>"), Subscribe: allow("_INBOX.>")}},
		}
	})
	as := func(user string) string { return strings.Replace(few.URL(), "//", "//"+user+":right@", 1) }
	doctor(as("mute"), "s3.events", 1, "a message that nodes tell each other does not come back", `the user lacks a right: Publish to "ferry.node.changes"`)
	doctor(as("poor"), "s3.events", 1, "a value that nodes tell each other does not come back", `the user lacks a right: Publish to "$KV.ferry-names.`,
		"is not listened to", `the user lacks a right: Subscription to "s3.events"`)
}
