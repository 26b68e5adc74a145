package drive

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/oauth2"

	"ferry/remote"
	"ferry/remote/driver/internal/google"
)

const (
	defaultEndpoint = "https://www.googleapis.com/drive/v3/"
	// scopePrefix is what the names of scopes leave out.
	scopePrefix = "https://www.googleapis.com/auth/"
	// idleConnections is how many connections to the service are kept for the next requests.
	idleConnections = 64
	// defaultPage is how many files are asked for at once.
	defaultPage = 1000
)

// A service is the API as one account sees it.
type service struct {
	*google.Service
	host    string
	options Options
}

func newService(ctx context.Context, o Options) (*service, error) {
	endpoint, host, err := parseEndpoint(o.Endpoint)
	if err != nil {
		return nil, err
	}
	base := o.Network.Transport(idleConnections)
	base.DisableCompression = false // of listings; contents are asked for as they are
	source := o.Tokens
	if a := o.Account; a != (Account{}) {
		account := google.Account{Driver: "drive", JSON: a.JSON, File: a.File, Env: a.Env, Subject: a.Subject, Scopes: Scopes(o.Scope)}
		source, err = account.Tokens(context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: base}))
	}
	if err != nil {
		return nil, err
	}
	if source == nil {
		return nil, errors.New("drive: no credentials: log in, or set service_account_file or env_auth")
	}
	client := google.NewClient(base, google.Options{Tokens: source, Harmless: google.Harmless, PagesAreFiles: true})
	return &service{host: host, options: o, Service: &google.Service{
		Base: endpoint, Upload: "/upload/drive/v3/", Client: client, Tries: o.Network.Tries(), Pace: new(google.Pace),
	}}, nil
}

// Scopes returns what a token is asked for, of the value of Options.Scope.
func Scopes(option string) []string {
	var all []string
	for name := range strings.FieldsFuncSeq(cmp.Or(option, "drive"), func(c rune) bool { return c == ',' || c == ' ' }) {
		all = append(all, scopePrefix+name)
	}
	return all
}

// parseEndpoint returns the URL that all requests begin with, and its host for errors.
func parseEndpoint(s string) (endpoint, host string, err error) {
	s = cmp.Or(s, defaultEndpoint)
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return "", "", errors.New("drive: option endpoint is not the URL of a server: https://host:port")
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/drive/v3/"
	}
	if !strings.HasSuffix(u.Path, "/") {
		u.Path += "/"
	}
	return u.String(), u.Host, nil
}

// rootAlias is what the root folder is called in requests.
func (s *service) rootAlias() string {
	switch {
	case s.options.RootFolderID != "":
		return s.options.RootFolderID
	case s.options.TeamDrive != "":
		return s.options.TeamDrive
	case s.inAppFolder():
		return "appDataFolder"
	}
	return "root"
}

// inAppFolder reports whether only the folder of the program can be reached.
func (s *service) inAppFolder() bool { return strings.Contains(s.options.Scope, "drive.appfolder") }

func filePath(id string) string { return "files/" + url.PathEscape(id) }

// shared adds to a query that shared drives are meant, too.
func shared(query url.Values) url.Values {
	query.Set("supportsAllDrives", "true")
	return query
}

// described are the parameters of a call that is answered by what a file is.
func described() url.Values { return shared(url.Values{"fields": {fileFields}}) }

// stored are the parameters of a call that gives a file a content.
func (s *service) stored() url.Values {
	query := described()
	if s.options.KeepRevisionForever {
		query.Set("keepRevisionForever", "true")
	}
	return query
}

// list makes take see the files for which the expression is true, page by page, until it returns
// false. order may be "".
func (s *service) list(ctx context.Context, expression, order string, size int, fields string, take func(*file) bool) error {
	query := shared(url.Values{
		"q": {expression}, "pageSize": {strconv.Itoa(min(max(size, 1), 1000))}, "fields": {"nextPageToken,files(" + fields + ")"},
		"includeItemsFromAllDrives": {"true"},
	})
	if order != "" {
		query.Set("orderBy", order)
	}
	if s.options.TeamDrive != "" {
		query.Set("corpora", "drive")
		query.Set("driveId", s.options.TeamDrive)
	}
	if s.inAppFolder() {
		query.Set("spaces", "appDataFolder")
	}
	bound := s.options.Network.Listing()
	for {
		var page fileList
		if err := s.Do(ctx, google.Call{Method: http.MethodGet, Path: "files", Query: query}, &page); err != nil {
			return err
		}
		if err := bound.Page(len(page.Files)); err != nil {
			return err
		}
		for _, f := range page.Files {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if f != nil && !take(f) {
				return nil
			}
		}
		if page.NextPageToken == "" {
			return nil
		}
		query.Set("pageToken", page.NextPageToken)
	}
}

// get describes the file with that id.
func (s *service) get(ctx context.Context, id, fields string) (*file, error) {
	f := new(file)
	err := s.Do(ctx, google.Call{Method: http.MethodGet, Path: filePath(id), Query: shared(url.Values{"fields": {fields}})}, f)
	if err == nil && f.ID == "" {
		err = remote.ErrMalformed
	}
	return f, err
}

// patch changes what is kept of a file.
func (s *service) patch(ctx context.Context, id string, query url.Values, sends change) (*file, error) {
	f := new(file)
	query.Set("fields", fileFields)
	err := s.Do(ctx, google.Call{Method: http.MethodPatch, Path: filePath(id), Query: shared(query), Sends: sends}, f)
	return f, err
}
