// Package importer makes a users file of what other servers have.
//
// The files, in reading order:
//
//	importer.go   Import
//	passwd.go     htpasswd, passwd, and Pure-FTPd's file
//	proxy.go      answers of programs for rclone's --auth-proxy
//	sftpgo.go     a dump of SFTPGo; sftpgouser.go and sftpgofs.go: what its fields mean
//	table.go      the file that is made, and what could not be said; remote.go: remote strings
package importer

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ferry/serve/users"
)

// A format is a kind of file that can be read.
type format struct {
	name string
	read func(d *draft, text []byte) error
}

func formats() []format {
	return []format{
		{"sftpgo", readSFTPGo},
		{"htpasswd", readHtpasswd},
		{"passwd", readPasswd},
		{"puredb", readPureDB},
		{"rclone-auth-proxy", readProxy},
	}
}

// Formats returns the names of what Import can read: sftpgo is a dump (dumpdata), htpasswd the file
// of that program, passwd that of passwd(5) as ProFTPD's AuthUserFile has it, puredb the text file
// of Pure-FTPd's virtual users, rclone-auth-proxy what such a program prints.
func Formats() []string {
	var names []string
	for _, f := range formats() {
		names = append(names, f.name)
	}
	return names
}

// Import makes a users file of a text. Each line of left names users and what could not be said of
// them. Whoever could do more for that is disabled.
func Import(from string, text []byte) (file []byte, left []string, err error) {
	list := formats()
	i := slices.IndexFunc(list, func(f format) bool { return f.name == from })
	if i < 0 {
		return nil, nil, fmt.Errorf("%q cannot be imported: there are %s", from, strings.Join(Formats(), ", "))
	}
	d := &draft{}
	if err := list[i].read(d, text); err != nil {
		return nil, nil, err
	}
	file, err = d.finish()
	return file, d.remarks(), err
}

// FromSFTPGo returns the user that the JSON of SFTPGo for one user describes, under a name. Whoever
// could do more for what cannot be said is disabled.
func FromSFTPGo(name string, text []byte) (users.User, error) {
	dump, err := json.Marshal(map[string][]json.RawMessage{"users": {text}})
	if err != nil {
		return users.User{}, err
	}
	file, _, err := Import("sftpgo", dump)
	if err != nil {
		return users.User{}, err
	}
	parsed, err := users.Parse("the answer for "+name, file)
	if err != nil {
		return users.User{}, err
	}
	for _, known := range parsed.Names() {
		u, _ := parsed.User(known)
		u.Name, u.Passwords = name, nil
		return u, nil
	}
	return users.User{}, errors.New("the answer has no user")
}
