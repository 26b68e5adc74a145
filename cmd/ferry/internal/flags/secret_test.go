package flags

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestASecretIsNeverShown(t *testing.T) {
	s := Secret("hunter2")
	type holder struct{ Pass Secret }
	asJSON, err := json.Marshal(holder{s})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q", s, s, s, s, s), fmt.Sprintf("%+v %#v", holder{s}, holder{s}),
		secret(&s).String(), string(asJSON), fmt.Errorf("wrong: %v", s).Error(),
	} {
		if strings.Contains(text, "hunter2") || !strings.Contains(text, "***") {
			t.Errorf("shown as %q", text)
		}
	}
	if s.Reveal() != "hunter2" || Secret("").String() != "" {
		t.Error("a secret lost its text")
	}
}
