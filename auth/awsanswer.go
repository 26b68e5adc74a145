package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
)

// awsQuestion returns what makes the event that a custom identity provider of AWS Transfer Family
// gets.
func awsQuestion(server string) func(Login) ([]byte, error) {
	return func(l Login) ([]byte, error) {
		q := map[string]string{
			"username": l.User, "password": l.Password, "protocol": "FTP", "serverId": server, "sourceIp": "",
		}
		if l.TLS {
			q["protocol"] = "FTPS"
		}
		if l.IP.IsValid() {
			q["sourceIp"] = l.IP.Unmap().String()
		}
		return json.Marshal(q)
	}
}

// An awsUser is the answer of such a provider. Without a Role it refuses the login.
type awsUser struct {
	Role, Policy                                           string
	HomeDirectory, HomeDirectoryType, HomeDirectoryDetails string
}

// An awsEntry is an element of HomeDirectoryDetails, which is JSON in a string.
type awsEntry struct{ Entry, Target, Type string }

// awsUserName stands for the user in a target.
const awsUserName = "${transfer:UserName}"

// parseAWS returns what parses answers with buckets that are directories of a remote.
func parseAWS(remote string) func(user string, answer []byte) (Identity, error) {
	return func(user string, answer []byte) (Identity, error) {
		var u awsUser
		if blank(answer) {
			return Identity{}, fmt.Errorf("%w: the answer is empty", ErrDenied)
		}
		if err := json.Unmarshal(answer, &u); err != nil {
			return Identity{}, fmt.Errorf("the answer is not as one for AWS Transfer Family: %w", withoutText(err))
		}
		if u.Role == "" {
			return Identity{}, fmt.Errorf("%w: the answer has no Role", ErrDenied)
		}
		if u.Policy != "" {
			return Identity{}, errors.New("the answer has a Policy, which AWS would hold to and this server does not: leave it out")
		}
		g, err := u.grant(remote, user)
		if err != nil {
			return Identity{}, err
		}
		return Identity{User: user, Owner: user, Grant: &g}, nil
	}
}

// grant returns the trees of the user.
func (u awsUser) grant(remote, user string) (Grant, error) {
	switch u.HomeDirectoryType {
	case "", "PATH":
		if u.HomeDirectory == "" {
			return Grant{}, errors.New("the answer has no HomeDirectory")
		}
		home, err := awsTarget(remote, u.HomeDirectory, user)
		return Grant{Remote: home}, err
	case "LOGICAL":
		return u.logical(remote, user)
	}
	return Grant{}, fmt.Errorf("HomeDirectoryType is %q and not PATH or LOGICAL", u.HomeDirectoryType)
}

// logical returns the trees of HomeDirectoryDetails.
func (u awsUser) logical(remote, user string) (Grant, error) {
	var entries []awsEntry
	if err := json.Unmarshal([]byte(u.HomeDirectoryDetails), &entries); err != nil {
		return Grant{}, fmt.Errorf("HomeDirectoryDetails is no JSON array in a string: %w", withoutText(err))
	}
	if len(entries) == 0 {
		return Grant{}, errors.New("HomeDirectoryDetails has no entry")
	}
	g := Grant{Start: u.HomeDirectory}
	for _, e := range entries {
		if e.Type != "" && e.Type != "DIRECTORY" {
			return Grant{}, fmt.Errorf("an entry of HomeDirectoryDetails has the type %q, and only DIRECTORY is supported", e.Type)
		}
		if e.Entry != path.Clean("/"+e.Entry) {
			return Grant{}, fmt.Errorf("%q in HomeDirectoryDetails is no absolute path", e.Entry)
		}
		target, err := awsTarget(remote, e.Target, user)
		if err != nil {
			return Grant{}, err
		}
		if e.Entry == "/" {
			g.Remote = target
		} else {
			g.Mounts = append(g.Mounts, Mount{Path: e.Entry, Remote: target})
		}
	}
	return g, nil
}

// awsTarget returns the remote of /bucket/prefix. The name of the user is one element of it at
// most.
func awsTarget(remote, target, user string) (string, error) {
	if strings.Contains(target, awsUserName) {
		if user == "" || user == "." || user == ".." || strings.ContainsAny(user, `/\`+"\x00") {
			return "", fmt.Errorf("%w: the name of the user is no name of a directory", ErrDenied)
		}
		target = strings.ReplaceAll(target, awsUserName, user)
	}
	below, absolute := strings.CutPrefix(target, "/")
	if below = strings.TrimSuffix(below, "/"); !absolute || below == "" || path.Clean("/"+below) != "/"+below {
		return "", fmt.Errorf("the target %q is not /BUCKET or /BUCKET/PREFIX", target)
	}
	if !strings.HasSuffix(remote, ":") {
		remote = strings.TrimSuffix(remote, "/") + "/"
	}
	return remote + below, nil
}
