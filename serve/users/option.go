package users

import "ferry/config"

// optionKeys are the keys of Options, and of those of a mount.
func optionKeys() []key {
	return []key{
		optionKey("cache_mode", "off", "minimal", "writes", "full"),
		optionKey("write_ack", "remote", "durable", "spooled"),
		optionKey("umask"),
		optionKey("encoding"),
	}
}

// optionKey makes a key of Options, with one of some words for a value, or without words a text
// that Check has looked at.
func optionKey(name string, words ...string) key {
	return key{
		name: name,
		read: func(p *place, raw any) (any, bool) {
			if len(words) > 0 {
				return p.anyOf(raw, words...)
			}
			return p.option(name, raw)
		},
		set: func(d *draft, v any) {
			if d.Options == nil {
				d.Options = map[string]string{}
			}
			d.Options[name] = v.(string)
		},
		show: show,
	}
}

func (p *place) anyOf(raw any, words ...string) (any, bool) {
	s, ok := p.oneOf(raw, words...)
	return s, ok
}

func (p *place) option(name string, raw any) (any, bool) {
	if _, isNumber := raw.(int64); isNumber && name == "umask" {
		p.wrong(`a mode is octal, so it is a string: write "022"`)
		return nil, false
	}
	s, ok := p.text(raw)
	if ok && name == "umask" {
		if _, err := config.ParseFileMode(s); err != nil {
			p.wrong("%q: %v", s, err)
			return nil, false
		}
	}
	return s, ok
}
