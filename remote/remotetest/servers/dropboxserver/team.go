package dropboxserver

import (
	"encoding/json"
	"net/http"
)

// Members of the team by their IDs: Member, and the administrator.
const (
	MemberID = "dbmid:AAHhy7WsR0x-u4ZCqiDl5Fz5zvuL3kmspwU"
	AdminID  = "dbmid:AAFdgehTzw7WlXhZJsbGCLePe8RvQGYDr-I"
)

const teamHome = "/Home"

// giveToken gives a new access token for the one that refreshes them.
func (s *Server) giveToken(w http.ResponseWriter, r *http.Request) {
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
	}
	w.Header().Set("Content-Type", "application/json")
	if r.FormValue("grant_type") != "refresh_token" || r.FormValue("refresh_token") != RefreshToken || id != ClientID || secret != ClientSecret {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_grant"})
		return
	}
	token := newID("sl.")
	s.locked(func() { s.tokens[token] = true })
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": token, "token_type": "bearer", "expires_in": 14400})
}

func spaceUsage(c *call, arg []byte) (any, *refusal) {
	if string(arg) != "null" {
		return nil, wrong("Error in call to API function: request body: expected null value")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return map[string]any{"used": c.s.tree.used(), "allocation": map[string]any{".tag": "individual", "allocated": c.s.space}}, nil
}

func currentAccount(*call, []byte) (any, *refusal) {
	return map[string]any{"account_id": "dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc", "root_info": map[string]any{
		".tag": "team", "root_namespace_id": TeamSpace, "home_namespace_id": "1001", "home_path": "/Home"}}, nil
}

func memberInfo(_ *call, arg []byte) (any, *refusal) {
	var a struct {
		Members []struct {
			Tag   string `json:".tag"`
			Email string `json:"email"`
		} `json:"members"`
	}
	if bad := read(arg, &a); bad != nil {
		return nil, bad
	}
	found := []any{}
	for _, m := range a.Members {
		if m.Tag == "email" && m.Email == Member {
			found = append(found, map[string]any{".tag": "member_info", "profile": map[string]any{"team_member_id": MemberID}})
		} else {
			found = append(found, map[string]any{".tag": "id_not_found", "id_not_found": m.Email})
		}
	}
	return found, nil
}
