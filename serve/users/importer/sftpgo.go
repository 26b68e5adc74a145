package importer

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The parts of SFTPGo's JSON that are read here, by its names.
type (
	goDump struct {
		Users   []goUser   `json:"users"`
		Groups  []goGroup  `json:"groups"`
		Folders []goFolder `json:"folders"`
	}
	goUser struct {
		Username       string `json:"username"`
		Status         int    `json:"status"`
		Password       string `json:"password"`
		ExpirationDate int64  `json:"expiration_date"` // milliseconds
		Description    string `json:"description"`
		Groups         []struct {
			Name string `json:"name"`
			Type int    `json:"type"` // 1 primary, 2 secondary, 3 member
		} `json:"groups"`
		VirtualFolders []goFolder `json:"virtual_folders"`
		goSettings
	}
	goGroup struct {
		Name           string     `json:"name"`
		Description    string     `json:"description"`
		UserSettings   goSettings `json:"user_settings"`
		VirtualFolders []goFolder `json:"virtual_folders"`
	}
	goSettings struct {
		HomeDir           string              `json:"home_dir"`
		MaxSessions       int64               `json:"max_sessions"`
		QuotaSize         int64               `json:"quota_size"`
		QuotaFiles        int64               `json:"quota_files"`
		UploadBandwidth   int64               `json:"upload_bandwidth"` // KB/s
		DownloadBandwidth int64               `json:"download_bandwidth"`
		UploadTransfer    int64               `json:"upload_data_transfer"`
		DownloadTransfer  int64               `json:"download_data_transfer"`
		TotalTransfer     int64               `json:"total_data_transfer"`
		Permissions       map[string][]string `json:"permissions"`
		Filters           goFilters           `json:"filters"`
		Filesystem        goFilesystem        `json:"filesystem"`
	}
	goFilters struct {
		AllowedIP          []string          `json:"allowed_ip"`
		DeniedIP           []string          `json:"denied_ip"`
		DeniedLoginMethods []string          `json:"denied_login_methods"`
		DeniedProtocols    []string          `json:"denied_protocols"`
		FilePatterns       []goPattern       `json:"file_patterns"`
		MaxUploadFileSize  int64             `json:"max_upload_file_size"`
		TLSUsername        string            `json:"tls_username"`
		TLSCerts           []string          `json:"tls_certs"`
		BandwidthLimits    []json.RawMessage `json:"bandwidth_limits"`
		FTPSecurity        int               `json:"ftp_security"`
		StartDirectory     string            `json:"start_directory"`
		IsAnonymous        bool              `json:"is_anonymous"`
		PasswordExpiration int               `json:"password_expiration"`
		AccessTime         []goAccessTime    `json:"access_time"`
		TwoFactorProtocols []string          `json:"two_factor_protocols"`
		TOTPConfig         struct {
			Enabled   bool     `json:"enabled"`
			Protocols []string `json:"protocols"`
		} `json:"totp_config"`
	}
	goPattern struct {
		Path            string   `json:"path"`
		AllowedPatterns []string `json:"allowed_patterns"`
		DeniedPatterns  []string `json:"denied_patterns"`
		DenyPolicy      int      `json:"deny_policy"` // 1 hides
	}
	goAccessTime struct {
		DayOfWeek int    `json:"day_of_week"` // 0 is Sunday
		From      string `json:"from"`
		To        string `json:"to"`
	}
	goFolder struct {
		Name        string       `json:"name"`
		VirtualPath string       `json:"virtual_path"`
		MappedPath  string       `json:"mapped_path"`
		QuotaSize   int64        `json:"quota_size"`
		QuotaFiles  int64        `json:"quota_files"`
		Filesystem  goFilesystem `json:"filesystem"`
	}
)

// readSFTPGo reads a dump, an array of users, or one user.
func readSFTPGo(d *draft, text []byte) error {
	var dump goDump
	switch first := strings.TrimLeft(string(text), " \t\r\n"); {
	case strings.HasPrefix(first, "["):
		if err := json.Unmarshal(text, &dump.Users); err != nil {
			return fmt.Errorf("it is no array of users: %w", err)
		}
	default:
		var one goUser
		if err := json.Unmarshal(text, &dump); err != nil {
			return fmt.Errorf("it is no dump of SFTPGo (dumpdata): %w", err)
		}
		if len(dump.Users) == 0 && json.Unmarshal(text, &one) == nil && one.Username != "" {
			dump.Users = []goUser{one}
		}
	}
	if len(dump.Users) == 0 {
		return errors.New("there is no user in it")
	}
	for _, g := range dump.Groups {
		if t := d.add("groups", g.Name); t != nil {
			d.goGroup(t, g, dump)
		}
	}
	for _, u := range dump.Users {
		if t := d.add("users", u.Username); t != nil {
			d.goUser(t, u, dump)
		}
	}
	return nil
}

func (d *draft) goGroup(t *table, g goGroup, dump goDump) {
	s := g.UserSettings
	if s.HomeDir != "" || s.Filesystem.Provider != goLocal {
		d.goRemote(t, s)
	}
	d.goSettings(t, s)
	d.goFolders(t, g.VirtualFolders, dump.Folders)
}

func (d *draft) goUser(t *table, u goUser, dump goDump) {
	if u.Password != "" {
		t.text("password", goHash(u.Password))
	}
	if u.Status == 0 {
		t.set("disabled", "true")
	}
	if u.ExpirationDate > 0 {
		t.set("expires", goTime(u.ExpirationDate))
	}
	var groups []string
	ownRemote, rights := true, len(u.Permissions) > 0
	for _, kind := range []int{1, 2} {
		for _, g := range u.Groups {
			if g.Type != kind {
				continue
			}
			groups = append(groups, g.Name)
			i := slices.IndexFunc(dump.Groups, func(o goGroup) bool { return o.Name == g.Name })
			if i < 0 {
				continue
			}
			s := dump.Groups[i].UserSettings
			rights = rights || len(s.Permissions) > 0
			if kind == 1 {
				ownRemote = s.HomeDir == "" && s.Filesystem.Provider == goLocal
			}
		}
	}
	if len(groups) > 0 {
		t.list("groups", groups)
	}
	if ownRemote {
		d.goRemote(t, u.goSettings)
	}
	if u.Description != "" {
		t.text("note", u.Description)
	}
	d.goSettings(t, u.goSettings)
	if !rights && !u.Filters.IsAnonymous { // here whoever has no permissions may do everything
		t.list("permissions."+key("/"), nil)
		d.say(t.name, "there are no permissions, and so nothing is allowed")
	}
	d.goFolders(t, u.VirtualFolders, dump.Folders)
}
