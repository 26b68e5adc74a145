package main

import (
	"errors"
	"os/user"
	"strconv"
)

// An account is the unprivileged user that servers started by root become.
type account struct {
	name, group string
	uid, gid    int
}

func lookupNobody() (account, error) {
	u, err := user.Lookup("nobody")
	if err != nil {
		return account{}, err
	}
	g, err := user.LookupGroupId(u.Gid)
	if err != nil {
		return account{}, err
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	return account{u.Username, g.Name, uid, gid}, errors.Join(err1, err2)
}
