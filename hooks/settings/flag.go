package settings

import (
	"errors"
	"strings"

	"ferry/hooks/call"
)

// ParseFlag reads a hook in one argument: event[,event]=PROGRAM or event[,event]=URL. The program
// and its arguments are separated by white space; there is no quoting.
func ParseFlag(arg string, nearest func(word string, known []string) string) (Hook, error) {
	list, target, ok := strings.Cut(arg, "=")
	target = strings.TrimSpace(target)
	if !ok || target == "" {
		return Hook{}, errors.New("write EVENT=PROGRAM or EVENT=URL, as in upload.stored=https://example.org/hook")
	}
	h := Hook{}
	for name := range strings.SplitSeq(list, ",") {
		name, err := ParseEvent(strings.TrimSpace(name), nearest)
		if err != nil {
			return Hook{}, err
		}
		h.Events = append(h.Events, name)
	}
	if strings.HasPrefix(target, "http://") || strings.HasPrefix(target, "https://") || call.IsClamd(target) {
		h.URL = target
		if err := CheckURL(target); err != nil {
			return Hook{}, err
		}
	} else {
		h.Program = strings.Fields(target)
	}
	return h, h.Check()
}
