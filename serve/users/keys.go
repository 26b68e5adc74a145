package users

import (
	"net/netip"
	"slices"
	"strconv"
	"time"

	"ferry/serve/access"
)

// keys are all keys that a table of a user can have, in the order in which they are shown. Those of
// users alone are not for groups and defaults.
func keys() []key {
	list := []key{
		own(passwordKey()),
		value("auth", readAuth, func(d *draft) *Auth { return &d.Auth }),
		own(value("groups", readGroups, func(d *draft) *[]string { return &d.Groups })),
		remoteKey(),
		value("home", readHome, func(d *draft) *string { return &d.Home }),
		value("create_home", (*place).toggle, func(d *draft) *bool { return &d.CreateHome }),
		mountsKey(),
		value("start", readStart, func(d *draft) *string { return &d.Start }),
		permissionsKey(),
		patternsKey(),
		value("on_conflict", readConflict, func(d *draft) *access.Conflict { return &d.Policy.OnConflict }),
		sized(value("max_file_size", (*place).size, func(d *draft) *int64 { return &d.Policy.MaxFileSize })),
		sized(value("quota_bytes", (*place).size, func(d *draft) *int64 { return &d.QuotaBytes })),
		value("quota_files", (*place).count, func(d *draft) *int64 { return &d.QuotaFiles }),
		sized(value("rate_up", (*place).size, func(d *draft) *int64 { return &d.RateUp })),
		sized(value("rate_down", (*place).size, func(d *draft) *int64 { return &d.RateDown })),
		value("max_sessions", (*place).small, func(d *draft) *int { return &d.MaxSessions }),
		value("max_transfers", (*place).small, func(d *draft) *int { return &d.MaxTransfers }),
		networks("allow", func(d *draft) *[]netip.Prefix { return &d.Allow }),
		networks("deny", func(d *draft) *[]netip.Prefix { return &d.Deny }),
		value("hours", readHours, func(d *draft) *[]Span { return &d.Hours.Spans }),
		value("timezone", readZone, func(d *draft) **time.Location { return &d.zone }),
		value("require_tls", (*place).toggle, func(d *draft) *bool { return &d.RequireTLS }),
		value("client_cert", readCerts, func(d *draft) *[]string { return &d.ClientCerts }),
		value("expires", (*place).moment, func(d *draft) *moment { return &d.expires }),
		value("disabled", (*place).toggle, func(d *draft) *bool { return &d.Disabled }),
		value("idle_timeout", (*place).duration, func(d *draft) *time.Duration { return &d.IdleTimeout }),
	}
	list = append(list, optionKeys()...)
	return append(list, own(value("note", (*place).text, func(d *draft) *string { return &d.Note })))
}

func readAuth(p *place, raw any) (Auth, bool) {
	s, ok := p.oneOf(raw, string(AuthHash), string(AuthRemote), string(AuthNone))
	return Auth(s), ok
}

func readGroups(p *place, raw any) ([]string, bool) {
	list, ok := p.texts(raw)
	for i, name := range list {
		if ok && slices.Contains(list[:i], name) {
			p.at(strconv.Itoa(i)).wrong("group %q is named twice", name)
			return nil, false
		}
	}
	return list, ok
}

func readConflict(p *place, raw any) (access.Conflict, bool) {
	s, ok := p.oneOf(raw, access.Conflicts()...)
	return access.Conflict(s), ok
}

func readHours(p *place, raw any) ([]Span, bool) { return each(p, raw, parseSpan) }

func readCerts(p *place, raw any) ([]string, bool) { return each(p, raw, parseCert) }

func readZone(p *place, raw any) (*time.Location, bool) {
	s, ok := p.text(raw)
	if !ok {
		return nil, false
	}
	zone, err := time.LoadLocation(s)
	if err != nil || s == "" {
		p.wrong("%q is not a time zone: write for example Europe/Berlin, UTC, or Local for that of this machine", s)
		return nil, false
	}
	return zone, true
}

func readStart(p *place, raw any) (string, bool) {
	s, ok := p.text(raw)
	if ok {
		ok = p.checkPath(s) && p.checkWords(s, false)
	}
	return s, ok
}
