package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"strings"
	"sync"
	"time"

	"ferry/cmd/ferry/internal/flags"
	"ferry/cmd/ferry/internal/rcbridge"
	"ferry/cmd/ferry/internal/uibridge"
	"ferry/ftp"
	"ferry/rc"
	"ferry/serve/quota"
	"ferry/serve/users"
	"ferry/ui"
)

// openRecent opens what remembers logins and transfers for the page.
func openRecent(_ context.Context, o *options, _ *slog.Logger) (*listening, error) {
	if !o.RC.On() {
		return nil, nil
	}
	return &listening{name: "page", Subscription: ui.NewRecorder().Subscription()}, nil
}

// recent returns what openRecent has opened, nil for nothing. It may be called on nil.
func (ls *listenings) recent() *ui.Recorder {
	if ls == nil {
		return nil
	}
	for _, l := range ls.all {
		if r, is := l.Listener.(*ui.Recorder); is {
			return r
		}
	}
	return nil
}

// showPage makes the page of what about is about, and adds it to that; nil without remote control.
func (o *options) showPage(about *rcbridge.Subject, ls *listenings, a *accounts, listeners []listener, certs *ftp.CertificateList, log *slog.Logger) *ui.Page {
	if !o.RC.On() {
		return nil
	}
	subject := uibridge.Subject{
		Version: about.Version, What: rcbridge.TreeName(about.What), Server: about.Server, Guard: about.Guard, Cluster: about.Cluster, Feeds: o.shared.feeds.set().Status,
		Drained:      func() string { return drainedText(about.Drain.Drained()) },
		Opened:       func() []rcbridge.Opened { return about.Opened(&o.Options) },
		Certificates: func() []ui.Certificate { return shownCertificates(certs.All()) },
	}
	subject.Asked = hooksAsked(ls, a).Status
	if ls != nil {
		subject.Hooks = ls.outbox
	}
	if a != nil {
		subject.Users = (&usage{accounts: a}).users
		if about.What == nothing {
			subject.What, subject.Hidden = "the remotes of users", nothing
		}
	}
	for _, l := range listeners {
		subject.Addresses = append(subject.Addresses, l.url())
	}
	late := flags.Unlimited(o.Metrics.QueueLate)
	if late <= 0 {
		late = math.MaxInt64 // never
	}
	page := ui.New(ui.Options{
		Source: uibridge.New(subject), Recent: ls.recent(), May: rc.AllowedTo, History: o.places.Traffic(), QueueLate: late, Log: log,
	})
	about.Pages = append(about.Pages, rc.Page{Access: rc.LocalOnly, Handler: page}, rc.Page{Path: "ui/", Access: rc.LocalOnly, Handler: page})
	about.Calls = append(about.Calls, snapshotCall(page))
	return page
}

// drainedText says how far a drain is, "" where there is none.
func drainedText(now rc.Drained) string {
	switch now.State {
	case drainServing, drainStopping:
		return ""
	case drainAnnounced:
		return "soon; health checks are told so"
	case drainSessions:
		return "it takes no new sessions, and " + plural(now.Sessions, "session") + " may finish"
	case drainSending:
		return "no session is left; sending " + plural(now.Changes, "change")
	case drainHandover:
		return "no session is left; handing over " + plural(now.Changes, "change")
	}
	return "it is drained"
}

// snapshotCall is the call that ferry top makes.
func snapshotCall(page *ui.Page) rc.Call {
	return rc.Call{
		Path: "ui/snapshot", Title: "Show what the page shows.", Access: rc.LocalOnly, Reads: true,
		Help: "Returns what GET ui/snapshot does: sessions, transfers, what waits and what is wrong, as of the last second.",
		Run: func(context.Context, rc.Params) (rc.Params, error) {
			var out rc.Params
			return out, json.Unmarshal(page.Snapshot(), &out)
		},
	}
}

func shownCertificates(certs ftp.Certificates) []ui.Certificate {
	var all []ui.Certificate
	for _, pair := range certs {
		all = append(all, ui.Certificate{Name: strings.Join(pair.Names(), ", "), Until: pair.Expires()})
	}
	return all
}

// usageTime is how long it is believed what users have stored.
const usageTime = 10 * time.Second

// usage knows what the users of a file have stored and may store.
type usage struct {
	accounts *accounts

	mu    sync.Mutex
	until time.Time // guarded by mu: last holds until then
	last  []ui.User // guarded by mu
}

// users returns them, as they were a moment ago.
func (u *usage) users() []ui.User {
	u.mu.Lock()
	defer u.mu.Unlock()
	if now := time.Now(); now.After(u.until) {
		u.last, u.until = u.read(), now.Add(usageTime)
	}
	return append([]ui.User(nil), u.last...)
}

func (u *usage) read() []ui.User {
	if u.accounts.file == nil {
		return nil
	}
	var all []ui.User
	file, store := u.accounts.file.source.File(), u.accounts.backend.Quota
	for _, name := range file.Names() {
		if one, ok := file.User(name); ok {
			all = append(all, usageOf(one, store))
		}
	}
	return all
}

// usageOf returns what a user has. Who has no limit is not counted. store may be nil.
func usageOf(u users.User, store *quota.Store) ui.User {
	shown := ui.User{Name: u.Name, MaxBytes: u.QuotaBytes, MaxFiles: u.QuotaFiles}
	if store == nil || u.QuotaBytes == 0 && u.QuotaFiles == 0 {
		return shown
	}
	if n, err := store.Usage(u.Name); err == nil {
		shown.Bytes, shown.Files, shown.Counted = n.Bytes, n.Files, true
	}
	return shown
}
