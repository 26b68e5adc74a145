package nats

import "testing"

func TestOldServersAreNotEnough(t *testing.T) {
	for version, want := range map[string]bool{"2.9.10": false, "2.10.29": false, "2.11.0": true, "2.15.3": true, "3.0.0-beta": true, "1.4": false} {
		if newEnough(version) != want {
			t.Errorf("%s", version)
		}
	}
}
