package flags

import (
	"cmp"
	"strings"

	"github.com/spf13/pflag"

	"ferry/config"
	"ferry/hooks/settings"
)

// HookOptions are the values of the flags about hooks.
type HookOptions struct {
	List []settings.Hook // without names
	Size config.Size     // of the outbox
	Full string          // drop-oldest or hold
}

// Hooks returns the flags about who is told of what happens.
func Hooks(o *Options) Group {
	return Group{"Hooks", []Flag{
		{"hook", "", hooks(&o.Hooks.List), "Program, or address, that is told of events, as upload.stored,delete=https://example.org/hook, or asked before, as check=clamd:/run/clamav/clamd.ctl; [[hooks]] of the file of users say more; doc/hooks.md has the events. May be repeated"},
		{"outbox-size", "64M", size(&o.Hooks.Size), "Space on the disk for what hooks are not told yet"},
		{"outbox-full", "drop-oldest", choice(&o.Hooks.Full, "drop-oldest", "hold"), "What happens when that is full: the oldest event is dropped, or uploads are refused until there is room"},
	}}
}

// leastOutbox holds some hundred events.
const leastOutbox = 256 << 10

func (h *HookOptions) check() error {
	if h.Size == config.SizeOff || h.Size < leastOutbox {
		return Usagef("--outbox-size %s is too small: use at least 256K, and a size that the disk has", h.Size)
	}
	return nil
}

// hooks is a list of hooks; a variable has one.
func hooks(p *[]settings.Hook) pflag.Value {
	parse := func(s string) ([]settings.Hook, error) {
		if s == "" {
			return *p, nil
		}
		h, err := settings.ParseFlag(s, config.Nearest)
		if err != nil {
			return nil, err
		}
		return append((*p)[:len(*p):len(*p)], h), nil
	}
	format := func(l []settings.Hook) string {
		var texts []string
		for _, h := range l {
			// An address may have a secret in it, and so may an argument.
			texts = append(texts, strings.Join(h.Events, ",")+"="+cmp.Or(strings.Join(h.Program[:min(1, len(h.Program))], ""), hidden))
		}
		return strings.Join(texts, " ")
	}
	return &value[[]settings.Hook]{p, "event=target", parse, format}
}
