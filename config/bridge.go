package config

import (
	"fmt"
	"slices"
	"strings"
)

// A Bridge is how remotes of a type that rclone has, and that have no driver here, are served all
// the same: rclone serves them by a protocol that a driver speaks.
type Bridge struct {
	Type  string // value of the key type: box, google photos
	About string // what it is
	Serve string // the protocol: "webdav", or "s3" where the first directories are buckets
}

// bridges are the ends of a bridge by protocol: what rclone is told, and the remote that reaches
// it.
var bridges = map[string]struct{ serve, remote string }{
	"webdav": {"--addr 127.0.0.1:8081", `:webdav,vendor=rclone,url="http://127.0.0.1:8081":`},
	"s3":     {"--addr 127.0.0.1:8081 --auth-key KEY,SECRET", `:s3,provider=Rclone,endpoint="http://127.0.0.1:8081",access_key_id=KEY,secret_access_key=SECRET:`},
}

// Lines returns the two lines that make the bridge for a remote, as NAME: or NAME:path: the command
// that serves it, and the remote string that takes its place.
func (b Bridge) Lines(remote string) (command, remoteString string) {
	ends := bridges[b.Serve]
	if strings.Contains(remote, " ") {
		remote = "'" + remote + "'"
	}
	return fmt.Sprintf("rclone serve %s %s %s", b.Serve, remote, ends.serve), ends.remote
}

// NoDriver returns the error of one line for a type that is none of types: it names the bridge for
// a remote, as Lines has it, or the type that was probably meant.
func NoDriver(name, remote string, types []Type, bridges []Bridge) error {
	if i := slices.IndexFunc(bridges, func(b Bridge) bool { return b.Type == name || flat(b.Type) == name }); i >= 0 {
		b := bridges[i]
		command, remoteString := b.Lines(remote)
		return fmt.Errorf(`there is no driver for type %q (%s): let rclone serve it by "%s", and name '%s' in its place`, name, b.About, command, remoteString)
	}
	var have, known []string
	for _, t := range types {
		have = append(have, t.Name)
		known = append(known, t.Name, t.prefix())
	}
	for _, b := range bridges {
		known = append(known, b.Type)
	}
	slices.Sort(have)
	all := strings.Join(have, ", ")
	if near := Nearest(name, known); near != "" {
		return fmt.Errorf("there is no type %q: did you mean %s? ferry has %s", name, near, all)
	}
	return fmt.Errorf(`there is no type %q: ferry has %s; let "rclone serve webdav" serve any other, and name that by a remote of type webdav`, name, all)
}

// flat is a type as one word, as it stands in commands.
func flat(typ string) string { return strings.ReplaceAll(typ, " ", "") }
