package dropbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"ferry/remote"
)

// An account is on whose behalf requests are made, and what their paths are relative to.
type account struct {
	team      bool   // paths are relative to the folder of the team
	namespace string // or to this
	member    string
	admin     string
}

// header returns what requests say of it. ask makes the requests that it takes to know.
func (a account) header(ask func(route string, h http.Header, arg, answer any) error) (http.Header, error) {
	h := http.Header{}
	if a.admin != "" {
		h.Set("Dropbox-API-Select-Admin", a.admin)
	}
	if a.member != "" {
		id, err := a.memberID(ask)
		if err != nil {
			return nil, err
		}
		h.Set("Dropbox-API-Select-User", id)
	}
	root := a.namespace
	if a.team {
		var me struct {
			Root struct {
				ID string `json:"root_namespace_id"`
			} `json:"root_info"`
		}
		if err := ask("users/get_current_account", h, nil, &me); err != nil {
			return nil, err
		}
		root = me.Root.ID
	}
	if root != "" {
		text, err := json.Marshal(map[string]string{".tag": "namespace_id", "namespace_id": root})
		if err != nil {
			return nil, err
		}
		h.Set("Dropbox-API-Path-Root", asciiOnly(text))
	}
	return h, nil
}

// memberID returns the ID of the member of the team that is given by an address.
func (a account) memberID(ask func(route string, h http.Header, arg, answer any) error) (string, error) {
	if strings.HasPrefix(a.member, "dbmid:") {
		return a.member, nil
	}
	var found []struct {
		Profile struct {
			ID string `json:"team_member_id"`
		} `json:"profile"`
	}
	arg := map[string]any{"members": []any{map[string]string{".tag": "email", "email": a.member}}}
	if err := ask("team/members/get_info", nil, arg, &found); err != nil {
		return "", err
	}
	if len(found) == 0 || found[0].Profile.ID == "" {
		return "", fmt.Errorf("%w: the team has no member with the address of the option impersonate", remote.ErrPermission)
	}
	return found[0].Profile.ID, nil
}
