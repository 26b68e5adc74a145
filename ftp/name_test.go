package ftp

import "testing"

func TestQuote(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{".", `"/"`},
		{"a/b", `"/a/b"`},
		{`a"b`, `"/a""b"`},
		{`""`, `"/"""""`},
		{" a ", `"/ a "`},
	} {
		if got := quote(tt.name); got != tt.want {
			t.Errorf("quote(%q) = %s; want %s", tt.name, got, tt.want)
		}
	}
}
