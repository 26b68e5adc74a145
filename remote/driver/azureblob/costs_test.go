package azureblob_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/internal/objects/objectstest"
)

func TestWhatACallCosts(t *testing.T) {
	service := startService(t)
	container, o := service.container(t), service.options()
	target, err := url.Parse(service.endpoint)
	if err != nil {
		t.Fatal(err)
	}
	var requests atomic.Int64
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: target.Scheme, Host: target.Host})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		requests.Add(1)
		proxy.ServeHTTP(w, q)
	}))
	defer front.Close()
	o.Endpoint = front.URL + target.Path
	objectstest.RunCosts(t, "azureblob", func() int { return int(requests.Load()) }, func() remote.Remote {
		return open(t, container+"/top", o)
	})
}
