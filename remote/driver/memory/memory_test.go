package memory_test

import (
	"testing"

	"ferry/remote"
	"ferry/remote/driver/memory"
	"ferry/remote/remotetest"
)

func TestRemote(t *testing.T) {
	remotetest.Run(t, func(*testing.T) remote.Remote { return memory.New() })
}
