package rc

import (
	"fmt"
	"io/fs"
	"strings"
)

// pathParam returns the text of key without slashes around it.
func pathParam(in Params, key string) (string, error) {
	text, ok := in[key].(string)
	if !ok {
		return "", fmt.Errorf("value must be string %q=%v", key, in[key])
	}
	return strings.Trim(text, "/"), nil
}

// validPath returns the path in the form of io/fs; some paths have none, such as "a/../b".
func validPath(text string) (string, bool) {
	if text == "" {
		text = "."
	}
	return text, validFSPath(text)
}

// validFSPath is fs.ValidPath without its requirement of UTF-8, which remotes do not have.
func validFSPath(name string) bool {
	return fs.ValidPath(strings.ToValidUTF8(name, "?"))
}

// validPaths returns those of texts that are valid paths: the others cannot be cached.
func validPaths(texts []string) []string {
	var names []string
	for _, text := range texts {
		if name, ok := validPath(text); ok {
			names = append(names, name)
		}
	}
	return names
}
