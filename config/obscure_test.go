package config

import (
	"strings"
	"testing"
)

// What rclone has made of known texts.
func TestRevealKnownValues(t *testing.T) {
	for obscured, want := range map[string]string{
		"YWFhYWFhYWFhYWFhYWFhYQ":         "",
		"YWFhYWFhYWFhYWFhYWFhYXMaGgIlEQ": "potato",
		"YmJiYmJiYmJiYmJiYmJiYp3gcEWbAw": "potato",
	} {
		if got, err := Reveal(obscured); err != nil || got != want {
			t.Errorf("Reveal(%q) = %q, %v; want %q", obscured, got, err, want)
		}
	}
}

func TestObscureIsUndoneByReveal(t *testing.T) {
	for _, text := range []string{"", "a", "potato", "Grüße \xff\x00", strings.Repeat("long ", 1000)} {
		first, second := Obscure(text), Obscure(text)
		if first == second {
			t.Errorf("%q is obscured the same way twice", text)
		}
		if got, err := Reveal(first); err != nil || got != text {
			t.Errorf("Reveal(Obscure(%q)) = %q, %v", text, got, err)
		}
	}
}

func TestRevealErrorsDoNotShowTheValue(t *testing.T) {
	for _, in := range []string{"", "hunter2", "YmJiYmJiYmJiYmJiYmJiYp*hunter2", "YWFhYWFhYWFhYWFhYWFhYQ==", "hunter 2"} {
		got, err := Reveal(in)
		if err == nil {
			t.Errorf("Reveal(%q) = %q, want an error", in, got)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows the value: %v", err)
		}
	}
}

func TestIsSecret(t *testing.T) {
	for _, tt := range []struct {
		typ, key                 string
		wantObscured, wantSecret bool
	}{
		{"sftp", "pass", true, true},
		{"sftp", "key_file_pass", true, true},
		{"sftp", "key_pem", false, true},
		{"sftp", "key_file", false, false},
		{"sftp", "host", false, false},
		{"ftp", "pass", true, true},
		{"webdav", "pass", true, true},
		{"webdav", "bearer_token", false, true},
		{"webdav", "bearer_token_command", false, false},
		{"crypt", "password", true, true},
		{"crypt", "password2", true, true},
		{"azureblob", "client_certificate_password", true, true},
		{"azureblob", "password", true, true},
		{"azureblob", "key", false, true},
		{"azureblob", "sas_url", false, true},
		{"s3", "secret_access_key", false, true},
		{"s3", "access_key_id", false, true},
		{"s3", "region", false, false},
		{"google cloud storage", "service_account_credentials", false, true},
		{"google cloud storage", "service_account_file", false, false},
		{"drive", "token", false, true},
		{"drive", "client_secret", false, true},
		{"unheard of", "my_password", false, true},
	} {
		if got := IsObscured(tt.typ, tt.key); got != tt.wantObscured {
			t.Errorf("IsObscured(%q, %q) = %v", tt.typ, tt.key, got)
		}
		if got := IsSecret(tt.typ, tt.key); got != tt.wantSecret {
			t.Errorf("IsSecret(%q, %q) = %v", tt.typ, tt.key, got)
		}
	}
}
