// Package ferry_test holds the house to the rules of internal/house, also where only this directory is
// tested.
package ferry_test

import (
	"os/exec"
	"testing"
)

func TestHouse(t *testing.T) {
	if out, err := exec.Command("go", "test", "./internal/house").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
