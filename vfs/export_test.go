package vfs

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"ferry/remote"
)

// PlayHistories plays the histories of TestRandomHistories and of TestCrashesAtAnyOperation over
// remotes that over makes: some of each, and more as long as there is time, FERRY_MODEL_MINUTES at
// most. FERRY_MODEL_SEED repeats them.
func PlayHistories(t *testing.T, over func() remote.Remote) {
	minutes, _ := strconv.ParseFloat(os.Getenv("FERRY_MODEL_MINUTES"), 64)
	end := time.Now().Add(time.Duration(minutes * float64(time.Minute)))
	seed := rand.Uint64()
	if text := os.Getenv("FERRY_MODEL_SEED"); text != "" {
		seed, _ = strconv.ParseUint(text, 10, 64)
	}
	play := func(name string, history func(t *testing.T)) {
		t.Run(fmt.Sprint(name, " ", seed), func(t *testing.T) { synctest.Test(t, history) })
	}
	rounds := 0
	for ; (rounds == 0 || time.Now().Before(end)) && !t.Failed(); rounds++ {
		for _, w := range weathers() {
			play(w.name, func(t *testing.T) { playHistory(t, w, seed, over) })
		}
		for range 10 {
			play("stopped anywhere", func(t *testing.T) { liveThrough(t, seed, over) })
			seed++
		}
	}
	t.Logf("%d histories", rounds*(len(weathers())+10))
}
