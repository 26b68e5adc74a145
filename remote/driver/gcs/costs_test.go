package gcs_test

import (
	"testing"

	"ferry/remote"
	"ferry/remote/driver/internal/objects/objectstest"
	"ferry/remote/remotetest/servers/gcsserver"
)

func TestWhatACallCosts(t *testing.T) {
	service := gcsserver.Start(t)
	bucket := service.NewBucket(t)
	objectstest.RunCosts(t, "gcs", service.Requests, func() remote.Remote { return openBucket(t, service, bucket+"/top") })
}
