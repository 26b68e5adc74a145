package users

import (
	"errors"
	"strconv"
	"time"

	"ferry/config"
	"ferry/hooks/call"
	"ferry/hooks/settings"
)

// Hooks returns the hooks of the file, each with a name.
func (f *File) Hooks() []settings.Hook { return f.hooks }

// CheckHooks looks at what the hooks of the file name on this machine, and returns what cannot be
// used.
func (f *File) CheckHooks() error {
	r := &reader{}
	f.lookAtHooks(r)
	return r.errors(f.name, f.text)
}

func (f *File) lookAtHooks(r *reader) {
	for i, h := range f.hooks {
		if key, err := h.Look(); err != nil {
			(&place{r: r}).at("hooks").at(strconv.Itoa(i)).at(key).wrong("%v", err)
		}
	}
}

// A hookKey is a key of [[hooks]].
type hookKey struct {
	name string
	read func(p *place, raw any, h *settings.Hook)
}

// hookKeys are all keys of [[hooks]], in the order in which they are documented.
func hookKeys() []hookKey {
	words := func(name string, parse func(string) (string, error), of func(*settings.Hook) *[]string) hookKey {
		return hookKey{name, func(p *place, raw any, h *settings.Hook) {
			list, ok := each(p, raw, parse)
			if ok && list == nil {
				list = []string{}
			}
			*of(h) = list
		}}
	}
	texts := func(name string, check func(string) error, of func(*settings.Hook) *[]string) hookKey {
		return words(name, func(s string) (string, error) { return s, check(s) }, of)
	}
	text := func(name string, check func(string) error, of func(*settings.Hook) *string) hookKey {
		return hookKey{name, func(p *place, raw any, h *settings.Hook) {
			s, ok := p.text(raw)
			if ok {
				if err := check(s); err != nil {
					p.wrong("%v", err)
				}
			}
			*of(h) = s
		}}
	}
	word := func(name string, of func(*settings.Hook) *string, words ...string) hookKey {
		return hookKey{name, func(p *place, raw any, h *settings.Hook) { *of(h), _ = p.oneOf(raw, words...) }}
	}
	number := func(name string, most int, of func(*settings.Hook) *int) hookKey {
		return hookKey{name, func(p *place, raw any, h *settings.Hook) { *of(h) = p.between(raw, 1, most) }}
	}
	return []hookKey{
		text("name", checkHookName, func(h *settings.Hook) *string { return &h.Name }),
		words("events", func(s string) (string, error) { return settings.ParseEvent(s, config.Nearest) }, func(h *settings.Hook) *[]string { return &h.Events }),
		texts("users", settings.CheckUsers, func(h *settings.Hook) *[]string { return &h.Users }),
		texts("paths", settings.CheckGlob, func(h *settings.Hook) *[]string { return &h.Paths }),
		{"program", readHookProgram},
		text("url", settings.CheckURL, func(h *settings.Hook) *string { return &h.URL }),
		texts("secret", call.CheckSecret, func(h *settings.Hook) *[]string { return &h.Secrets }),
		text("secret_file", notEmpty, func(h *settings.Hook) *string { return &h.SecretFile }),
		word("env", func(h *settings.Hook) *string { return &h.Env }, "ferry", "sftpgo", "pure-ftpd"),
		word("format", func(h *settings.Hook) *string { return &h.Format }, "cloudevents", "aws"),
		{"timeout", func(p *place, raw any, h *settings.Hook) { h.Timeout = p.limited(raw) }},
		{"settle", readSettle},
		texts("ignore", settings.CheckGlob, func(h *settings.Hook) *[]string { return &h.Ignore }),
		number("concurrency", 100, func(h *settings.Hook) *int { return &h.Concurrency }),
		{"give_up", func(p *place, raw any, h *settings.Hook) { h.GiveUp = p.limited(raw) }},
		number("batch", 1000, func(h *settings.Hook) *int { return &h.Batch }),
		word("fail", func(h *settings.Hook) *string { return &h.Fail }, "closed", "open"),
		text("quarantine", notEmpty, func(h *settings.Hook) *string { return &h.Quarantine }),
	}
}

// HookKeys returns all keys of [[hooks]], in the order in which they are documented.
func HookKeys() []string {
	var names []string
	for _, k := range hookKeys() {
		names = append(names, k.name)
	}
	return names
}

func checkHookName(s string) error { return CheckName(s) }

func notEmpty(s string) error {
	if s == "" {
		return errors.New("it is empty")
	}
	return nil
}

// readHookProgram reads a path, or an array of it and arguments.
func readHookProgram(p *place, raw any, h *settings.Hook) {
	list, ok := p.texts(raw)
	if ok {
		if err := settings.CheckProgram(list); err != nil {
			p.wrong("%v", err)
		}
	}
	h.Program = list
}

// readSettle reads a time, or "off".
func readSettle(p *place, raw any, h *settings.Hook) {
	h.Settle, _ = p.duration(raw)
	if h.Settle == config.DurationOff {
		h.Settle = -1
	}
}

// limited reads a time that has an end.
func (p *place) limited(raw any) time.Duration {
	d, ok := p.duration(raw)
	if ok && (d == config.DurationOff || d < 0) {
		p.wrong("it has an end: write for example \"30s\"")
	}
	return d
}

func (p *place) between(raw any, least, most int) int {
	n, ok := of[int64](p, raw, "a whole number")
	if ok && (n < int64(least) || n > int64(most)) {
		p.wrong("%d is not between %d and %d", n, least, most)
	}
	return int(n)
}

// readHooks reads [[hooks]].
func readHooks(p *place, raw any) []settings.Hook {
	list, ok := p.list(raw, "an array of tables ([[hooks]])")
	hooks := make([]settings.Hook, 0, len(list))
	mistakes := len(p.r.mistakes)
	for i, one := range list {
		hooks = append(hooks, readHook(p.at(strconv.Itoa(i)), one))
	}
	if ok && len(p.r.mistakes) == mistakes {
		var same *settings.SameNameError
		if err := settings.Unique(hooks); errors.As(err, &same) {
			p.at(strconv.Itoa(same.Index)).at("name").wrong("%v", err)
		}
	}
	return hooks
}

func readHook(p *place, raw any) (h settings.Hook) {
	table, ok := p.table(raw)
	if !ok {
		return h
	}
	mistakes := len(p.r.mistakes)
	p.fields(table, HookKeys()...)
	for _, k := range hookKeys() {
		if value, there := table[k.name]; there {
			k.read(p.at(k.name), value, &h)
		}
	}
	if len(p.r.mistakes) == mistakes {
		if err := h.Check(); err != nil {
			p.wrongKey("%v", err)
		}
	}
	return h
}
