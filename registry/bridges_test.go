package registry

import (
	"context"
	"slices"
	"strings"
	"testing"

	"ferry/config"
)

// TestTypesWithoutADriverNameTheirBridge asks for every type that is bridged, by its name and as
// one word, in every place where a type is looked up.
func TestTypesWithoutADriverNameTheirBridge(t *testing.T) {
	t.Parallel()
	bridges := Bridges()
	if !slices.IsSortedFunc(bridges, func(a, b config.Bridge) int { return strings.Compare(a.Type, b.Type) }) {
		t.Error("they are not in the order of their names")
	}
	sources := config.Sources{Types: Types(), Bridges: bridges}
	for _, b := range bridges {
		command, remoteString := b.Lines("photos:")
		if !strings.HasPrefix(command, "rclone serve "+b.Serve+" photos: ") {
			t.Errorf("%s: %s", b.Type, command)
		}
		if r, err := openFrom(t, "", remoteString); err != nil {
			t.Errorf("%s: %s: %v", b.Type, remoteString, err)
		} else if err := r.Close(); err != nil {
			t.Error(err)
		}
		for _, name := range []string{b.Type, strings.ReplaceAll(b.Type, " ", "")} {
			_, err := sources.Type(name)
			_, opening := Open(context.Background(), config.Settings{Type: name}, Environment{}, nil)
			for _, err := range []error{err, opening} {
				if err == nil || !strings.Contains(err.Error(), "rclone serve "+b.Serve+" ") || !strings.Contains(err.Error(), remoteString) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
}

// The command that the error names is the one to type: it serves the remote that was asked for, not
// one that is called as its type.
func TestABridgeServesTheRemoteThatWasAskedFor(t *testing.T) {
	t.Parallel()
	document, err := config.ParseDocument([]byte("[there]\ntype = box\ntoken = {}\n"))
	if err != nil {
		t.Fatal(err)
	}
	sources := config.Sources{Types: Types(), Bridges: Bridges(), File: document}
	for what, want := range map[string]string{
		"there:":           `"rclone serve webdav there: --addr`,
		"there:some/files": `"rclone serve webdav there:some/files --addr`,
		"there:some files": `"rclone serve webdav 'there:some files' --addr`,
		":box:files":       `"rclone serve webdav :box:files --addr`,
	} {
		r, err := config.ParseRemote(what)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sources.Resolve(r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestUnknownTypesGetTheNearestName(t *testing.T) {
	t.Parallel()
	sources := config.Sources{Types: Types(), Bridges: Bridges()}
	for name, want := range map[string]string{
		"s4": "did you mean s3?", "googlephoto": "did you mean google photos?", "jotacloud": "did you mean jottacloud?",
		"webdev": "did you mean webdav?", "gsc": "did you mean gcs?", "quantumteleporter": "rclone serve webdav",
	} {
		if _, err := sources.Type(name); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "azureblob") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
