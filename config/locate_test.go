package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLocate(t *testing.T) {
	const (
		beside    = "bin/rclone.conf"
		appData   = "appdata/rclone/rclone.conf"
		xdg       = "xdg/rclone/rclone.conf"
		dotConfig = "home/.config/rclone/rclone.conf"
		hidden    = "home/.rclone.conf"
	)
	for _, tt := range []struct {
		name    string
		files   []string
		windows bool
		without string // places that are not known, by their first letters
		want    string
	}{
		{"beside the program first", []string{beside, appData, xdg, dotConfig, hidden}, true, "", beside},
		{"then APPDATA", []string{appData, xdg, dotConfig, hidden}, true, "", appData},
		{"which is of Windows", []string{appData, xdg, dotConfig, hidden}, false, "", xdg},
		{"then XDG_CONFIG_HOME", []string{xdg, dotConfig, hidden}, true, "", xdg},
		{"then ~/.config", []string{dotConfig, hidden}, false, "", dotConfig},
		{"then the hidden file", []string{hidden}, false, "", hidden},
		{"a new one on Windows", nil, true, "", appData},
		{"a new one elsewhere", nil, false, "", xdg},
		{"a new one without XDG_CONFIG_HOME", nil, false, "x", dotConfig},
		{"a new one on Windows without APPDATA", nil, true, "a", dotConfig},
		{"nothing known", nil, false, "axhb", ".rclone.conf"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, f := range tt.files {
				path := filepath.Join(dir, f)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			at := func(name string) string {
				if strings.Contains(tt.without, name[:1]) {
					return ""
				}
				return filepath.Join(dir, name)
			}
			got := Locate(Places{
				Executable: at("bin/ferry"),
				Home:       at("home"),
				Env:        Environ{"APPDATA": at("appdata"), "XDG_CONFIG_HOME": at("xdg")},
				Windows:    tt.windows,
			})
			want := tt.want
			if want != hiddenName {
				want = filepath.Join(dir, want)
			}
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestParseEnviron(t *testing.T) {
	e := ParseEnviron([]string{"A=1", "B=", "A=2", "=C:=x", "D", "E==f"})
	want := Environ{"A": "1", "B": "", "E": "=f"}
	if len(e) != len(want) {
		t.Errorf("got %q, want %q", e, want)
	}
	for name, value := range want {
		if got, ok := e[name]; !ok || got != value {
			t.Errorf("%s is %q, %v; want %q", name, got, ok, value)
		}
	}
}
