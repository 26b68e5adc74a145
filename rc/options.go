package rc

import (
	"context"
	"strings"
)

// OptionsCalls is options/get. show returns the options by group and name, secrets hidden.
func OptionsCalls(show func() map[string]map[string]any) []Call {
	return []Call{{Path: "options/get", Title: "Show the options.", Reads: true,
		Run: func(_ context.Context, in Params) (Params, error) { return getOptions(show(), in) },
		Help: "Parameters:\n\n- blocks - the groups to show, with commas between them; without it, all\n\nReturns:\n\n" +
			"- each group, with its options and their values"}}
}

func getOptions(all map[string]map[string]any, in Params) (Params, error) {
	blocks, err := optional(Params.String, in, "blocks")
	if err != nil {
		return nil, err
	}
	out := Params{}
	for group, values := range all {
		if blocks == "" || contains(blocks, group) {
			out[group] = values
		}
	}
	return out, nil
}

// contains reports whether word is in a comma-separated list.
func contains(list, word string) bool {
	for w := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(w) == word {
			return true
		}
	}
	return false
}
