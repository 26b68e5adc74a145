package config

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
)

var testTypes = []Type{
	{Name: "sftp", Options: []Option{
		{Name: "host", Required: true},
		{Name: "port", Default: "22"},
		{Name: "pass", Obscured: true},
		{Name: "key_file"},
	}},
	{Name: "google cloud storage", Prefix: "gcs", Options: []Option{{Name: "location"}}},
	{Name: "local", Options: []Option{{Name: "copy_links", Default: "false", NoPrefix: true}}},
	{Name: "mockfs", Options: []Option{{Name: "potato"}}},
}

// sources returns the test types with a configuration file.
func sources(t *testing.T, file string) Sources {
	return Sources{Types: testTypes, File: parse(t, file), Flags: map[string]string{}, Env: Environ{}}
}

func remoteString(t *testing.T, s string) Remote {
	t.Helper()
	r, err := ParseRemote(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Each source is taken away in turn, so that the next one shows.
func TestTheFirstSourceCounts(t *testing.T) {
	s := sources(t, "[nas]\ntype = sftp\nhost = h\nport = 6\n")
	s.Flags["sftp-port"] = "3"
	s.Env["RCLONE_CONFIG_NAS_PORT"] = "4"
	s.Env["RCLONE_SFTP_PORT"] = "5"
	check := func(remote, want string) {
		t.Helper()
		set, err := s.Resolve(remoteString(t, remote))
		if err != nil || set.Values["port"] != want || set.Values["host"] != "h" {
			t.Errorf("%s: %v, %v; want port %s", remote, set.Values, err, want)
		}
	}
	check("nas,port=2:", "2")
	check("nas,port=:", "") // an empty value is one, but for the file
	check("nas:", "3")
	delete(s.Flags, "sftp-port")
	check("nas:", "4")
	s.Env["RCLONE_CONFIG_NAS_PORT"] = ""
	check("nas:", "")
	delete(s.Env, "RCLONE_CONFIG_NAS_PORT")
	check("nas:", "5")
	delete(s.Env, "RCLONE_SFTP_PORT")
	check("nas:", "6")
	s.File = parse(t, "[nas]\ntype = sftp\nhost = h\nport =\n")
	check("nas:", "22")
}

func TestResolve(t *testing.T) {
	obscured := Obscure("hunter2")
	file := "[nas]\ntype = sftp\nhost = h\npass = " + obscured + "\n[nas.old]\nport = 23\n[cloud]\ntype = google cloud storage\n[local]\ntype = local\n"
	tests := []struct {
		name, remote string
		env          Environ
		flags        map[string]string
		wantName     string // without what stands in braces
		wantType     string
		want         map[string]string
	}{
		{"of the file", "nas:x", nil, nil, "nas", "sftp", map[string]string{"host": "h", "port": "22", "pass": "hunter2"}},
		{"inherited", "nas.old:", nil, nil, "nas.old", "sftp", map[string]string{"host": "h", "port": "23", "pass": "hunter2"}},
		{"with a parameter", "nas,port=1:", nil, nil, "nas{}", "sftp", map[string]string{"host": "h", "port": "1", "pass": "hunter2"}},
		{"a password in the remote string", `nas,pass="` + obscured + `":`, nil, nil, "nas{}", "sftp", map[string]string{"host": "h", "port": "22", "pass": "hunter2"}},
		{"no password", "nas,pass=:", nil, nil, "nas{}", "sftp", map[string]string{"host": "h", "port": "22", "pass": ""}},
		{"on the spot", ":sftp,host=x:", nil, nil, ":sftp{}", "sftp", map[string]string{"host": "x", "port": "22"}},
		{"on the spot, of no section", ":sftp,host=x:", Environ{"RCLONE_CONFIG_SFTP_PORT": "1"}, nil, ":sftp{}", "sftp", map[string]string{"host": "x", "port": "22"}},
		{"on the spot by variable", ":sftp:", Environ{"RCLONE_SFTP_HOST": "x"}, nil, ":sftp{}", "sftp", map[string]string{"host": "x", "port": "22"}},
		{"by environment only", "Box:", Environ{"RCLONE_CONFIG_BOX_TYPE": "sftp", "RCLONE_CONFIG_BOX_HOST": "x"}, nil, "Box{}", "sftp", map[string]string{"host": "x", "port": "22"}},
		{"a name with a hyphen", "my-box:", Environ{"RCLONE_CONFIG_MY-BOX_TYPE": "sftp", "RCLONE_CONFIG_MY-BOX_HOST": "x"}, nil, "my-box{}", "sftp", map[string]string{"host": "x", "port": "22"}},
		{"type by parameter", "new,type=sftp,host=x:", nil, nil, "new{}", "sftp", map[string]string{"host": "x", "port": "22"}},
		{"type of the environment first", "cloud:", Environ{"RCLONE_CONFIG_CLOUD_TYPE": "local"}, nil, "cloud", "local", map[string]string{"copy_links": "false"}},
		{"type with spaces", "cloud:", nil, nil, "cloud", "google cloud storage", nil},
		{"type without its spaces", ":googlecloudstorage:", nil, nil, ":googlecloudstorage", "google cloud storage", nil},
		{"type by its prefix", ":gcs:", Environ{"RCLONE_GCS_LOCATION": "eu"}, nil, ":gcs{}", "google cloud storage", map[string]string{"location": "eu"}},
		{"flag by the prefix", "cloud:", nil, map[string]string{"gcs-location": "eu"}, "cloud{}", "google cloud storage", map[string]string{"location": "eu"}},
		{"plain path", "/srv", nil, nil, ":local", "local", map[string]string{"copy_links": "false"}},
		{"flag without prefix", "/srv", nil, map[string]string{"copy-links": "true"}, ":local{}", "local", map[string]string{"copy_links": "true"}},
		{"variable without prefix", "/srv", Environ{"RCLONE_COPY_LINKS": "true"}, nil, ":local{}", "local", map[string]string{"copy_links": "true"}},
		{"variable with a prefix first", "/srv", Environ{"RCLONE_COPY_LINKS": "true", "RCLONE_LOCAL_COPY_LINKS": "1"}, nil, ":local{}", "local", map[string]string{"copy_links": "1"}},
		{"description", "nas,description=mine:", nil, nil, "nas{}", "sftp", map[string]string{"host": "h", "port": "22", "pass": "hunter2", "description": "mine"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := sources(t, file)
			s.Env, s.Flags = tt.env, tt.flags
			set, err := s.Resolve(remoteString(t, tt.remote))
			if err != nil {
				t.Fatal(err)
			}
			name, braces, _ := strings.Cut(set.Name, "{")
			if braces != "" {
				name += "{}"
			}
			if name != tt.wantName || set.Type != tt.wantType || !maps.Equal(set.Values, tt.want) {
				t.Errorf("%s %s %v, want %s %s %v", set.Name, set.Type, set.Values, tt.wantName, tt.wantType, tt.want)
			}
			if set.Path != remoteString(t, tt.remote).Path || set.Warnings != nil {
				t.Errorf("path %q, warnings %q", set.Path, set.Warnings)
			}
		})
	}
}

// The names are those that rclone gives.
func TestOverriddenOptionsShowInTheName(t *testing.T) {
	s := sources(t, "[nas]\ntype = sftp\nhost = h\n")
	for remote, want := range map[string]string{
		":mockfs:/tmp":               ":mockfs",
		":mockfs,potato:/tmp":        ":mockfs{S_NHG}",
		":mockfs,potato='true':/tmp": ":mockfs{S_NHG}",
		"nas:":                       "nas",
	} {
		set, err := s.Resolve(remoteString(t, remote))
		if err != nil || set.Name != want {
			t.Errorf("%s is called %q, %v; want %q", remote, set.Name, err, want)
		}
	}
	quoted, _ := s.Resolve(remoteString(t, `nas,host="it's":`))
	plain, _ := s.Resolve(remoteString(t, `nas,host=its:`))
	if quoted.Name == plain.Name {
		t.Errorf("two hosts, one name: %s", quoted.Name)
	}
}

// A password in clear that is long enough to be taken for an obscured one is used all the same, as
// rclone does, but not without a word: crypt would encrypt with whatever it is.
func TestAPasswordInClearIsToldOf(t *testing.T) {
	for text, want := range map[string]int{
		"this-password-is-not-obscured-at-all": 1,
		Obscure("pässword of two words"):       0,
		Obscure(""):                            0,
		"":                                     0,
	} {
		s := sources(t, "[nas]\ntype = sftp\nhost = h\npass = "+text+"\n")
		set, err := s.Resolve(remoteString(t, "nas:"))
		if err != nil {
			t.Fatal(err)
		}
		if len(set.Warnings) != want || want > 0 && (!strings.Contains(set.Warnings[0], "ferry obscure") || strings.Contains(set.Warnings[0], text)) {
			t.Errorf("%s: %q", text, set.Warnings)
		}
	}
}

func TestResolveErrors(t *testing.T) {
	s := sources(t, "[nas]\ntype = sftp\nhost = h\n[bare]\nhost = hunter2\n[drive]\ntype = drive\ntoken = hunter2\n[empty]\ntype = sftp\n[bad]\ntype = sftp\nhost = h\npass = hunter2\n")
	for _, tt := range []struct {
		remote string
		env    Environ
		want   []string
	}{
		{"other:", nil, []string{`"other"`, "ferry listremotes"}},
		{"bare:", nil, []string{`"bare" has no type`}},
		{"nas:", Environ{"RCLONE_CONFIG_NAS_TYPE": ""}, []string{`"nas" has no type`}},
		{"drive:", nil, []string{`"drive"`, "google cloud storage, local, mockfs, sftp", "rclone serve webdav"}},
		{":tape:", nil, []string{`":tape"`, `"tape"`}},
		{"empty:", nil, []string{"option host is missing", "ferry config update empty host=VALUE", "RCLONE_CONFIG_EMPTY_HOST"}},
		{"nas:", Environ{"RCLONE_SFTP_HOST": ""}, []string{"option host is missing"}},
		{":sftp:", nil, []string{"option host is missing", ":sftp,host=VALUE:path", "RCLONE_SFTP_HOST"}},
		{"bad:", nil, []string{"option pass (the configuration file) is not an obscured password", "ferry obscure"}},
		{"nas:", Environ{"RCLONE_CONFIG_NAS_PASS": "hunter2"}, []string{"option pass (RCLONE_CONFIG_NAS_PASS)"}},
		{"nas,pass=hunter2:", nil, []string{"option pass (the remote string)"}},
	} {
		s.Env = tt.env
		_, err := s.Resolve(remoteString(t, tt.remote))
		for _, want := range tt.want {
			checkError(t, tt.remote, err, want)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\n") || strings.Contains(fmt.Sprint(err), "hunter2") {
			t.Errorf("%s: the error is several lines, or shows a value: %v", tt.remote, err)
		}
	}
	s.Env = nil
	if _, err := s.Resolve(Remote{Name: "other"}); !errors.Is(err, ErrNoRemote) {
		t.Errorf("the error of an unknown remote is %v", err)
	}
	if _, err := (Sources{Types: testTypes}).Resolve(Remote{Name: "other"}); !errors.Is(err, ErrNoRemote) {
		t.Errorf("the error without a file is %v", err)
	}
}

func TestUnknownOptionsAreWarnings(t *testing.T) {
	s := sources(t, "[nas]\ntype = sftp\nhost = h\nshape = hunter2\ncolour =\n")
	s.Env = Environ{
		"RCLONE_CONFIG_NAS_SIZE":     "hunter2",
		"RCLONE_CONFIG_NAS_PORT":     "1",
		"RCLONE_CONFIG_NAS_OLD_TYPE": "sftp",
		"RCLONE_CONFIG_NAS_OLD_HOST": "x",
		"RCLONE_CONFIG_PASS":         "x",
	}
	set, err := s.Resolve(remoteString(t, "nas,weight=hunter2,type=sftp:"))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{`"weight" (the remote string)`, `"size" (RCLONE_CONFIG_NAS_SIZE)`, `"shape" (the configuration file)`} {
		if len(set.Warnings) != 3 || !strings.Contains(set.Warnings[i], want) || strings.Contains(set.Warnings[i], "hunter2") {
			t.Errorf("the warnings are %q, want %s", set.Warnings, want)
		}
	}
}

func TestSettingsHideTheirValues(t *testing.T) {
	set := Settings{Name: "nas", Type: "sftp", Values: map[string]string{"pass": "hunter2"}}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("open", "remote", set)
	for _, text := range []string{fmt.Sprint(set), fmt.Sprintf("%+v %#v", set, set), log.String()} {
		if strings.Contains(text, "hunter2") || !strings.Contains(text, "nas") {
			t.Errorf("it is shown as %q", text)
		}
	}
}

func TestRemotes(t *testing.T) {
	s := sources(t, "[z]\ntype = sftp\ndescription = the last\n[no type]\nhost = x\n[nas]\ntype = local\n[z.sub]\n")
	s.Env = Environ{"RCLONE_CONFIG_NAS_TYPE": "SFTP", "RCLONE_CONFIG_B_C_TYPE": "memory", "RCLONE_CONFIG__TYPE": "x", "RCLONE_CONFIG_D_TYPE": "", "RCLONE_CONFIG": "x"}
	want := []Listed{
		{"b_c", "memory", "environment", ""},
		{"nas", "sftp", "environment", ""},
		{"z", "sftp", "file", "the last"},
		{"z.sub", "sftp", "file", "the last"},
	}
	if got := s.Remotes(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestNamesOfOptions(t *testing.T) {
	sftp, gcs, local := testTypes[0], testTypes[1], testTypes[2]
	for got, want := range map[string]string{
		sftp.Flag(sftp.Options[3]):       "sftp-key-file",
		sftp.Variable(sftp.Options[3]):   "RCLONE_SFTP_KEY_FILE",
		gcs.Flag(gcs.Options[0]):         "gcs-location",
		gcs.Variable(gcs.Options[0]):     "RCLONE_GCS_LOCATION",
		local.Flag(local.Options[0]):     "copy-links",
		local.Variable(local.Options[0]): "RCLONE_LOCAL_COPY_LINKS",
		RemoteVariable("my-nas", "a-b"):  "RCLONE_CONFIG_MY-NAS_A_B",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
