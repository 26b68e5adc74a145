package http_test

import (
	"io"
	nethttp "net/http"
	"testing"

	"ferry/remote"
	"ferry/remote/driver/http"
	"ferry/remote/remotetest"
)

func TestPagesWithoutEnd(t *testing.T) {
	remotetest.RunEndless(t, func(t *testing.T, name func(i int) string) remote.Remote {
		url := handle(t, func(w nethttp.ResponseWriter, _ *nethttp.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, err := io.WriteString(w, "<html>")
			for i := 0; err == nil; i++ {
				_, err = io.WriteString(w, `<a href="`+name(i)+`">x</a>`)
			}
		})
		o := http.Options{URL: url + "/", NoHead: true}
		o.Network.MaxEntries = remotetest.EndlessEntries
		return open(t, o)
	})
}
