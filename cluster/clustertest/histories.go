package clustertest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
)

// Histories runs a random history of nodes again and again, each in virtual time and with a seed
// of its own: eight times, or as often as FERRY_WORLDS says.
func Histories(t *testing.T, history func(t *testing.T, random *rand.Rand)) {
	t.Helper()
	count := uint64(8)
	if text := os.Getenv("FERRY_WORLDS"); text != "" {
		var err error
		if count, err = strconv.ParseUint(text, 10, 32); err != nil {
			t.Fatal(err)
		}
	}
	for seed := range count {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { history(t, rand.New(rand.NewPCG(seed, 15))) })
		})
	}
}
