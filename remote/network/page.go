package network

import (
	"errors"
	"net/http"
	"strings"
)

// ErrPage is the error when a web page arrived in place of an answer, as from a captive portal:
// nothing was done. It passes when the user has logged in to that network.
var ErrPage = errors.New("a web page came instead of an answer: log in to the network, or correct the address of the server")

// IsPage reports whether a successful answer is a web page. No file protocol answers a change or a
// listing so; WebDAV servers add a page to 201 and to errors.
func IsPage(answer *http.Response) bool {
	kind := strings.ToLower(answer.Header.Get("Content-Type"))
	return answer.StatusCode == http.StatusOK && answer.ContentLength != 0 &&
		(strings.HasPrefix(kind, "text/html") || strings.HasPrefix(kind, "application/xhtml"))
}

// NotFollowed is for http.Client.CheckRedirect. It makes a redirect the answer: a client that
// followed it would query the new location, and take its existence for success of the change.
func NotFollowed(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
