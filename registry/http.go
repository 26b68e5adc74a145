package registry

import (
	"context"

	"ferry/config"
	"ferry/remote"
	"ferry/remote/driver/http"
)

func httpDriver() Driver {
	return Driver{
		Type: config.Type{
			Name: "http",
			Help: "A directory of a web server that shows lists of files; read-only",
			Options: together([]config.Option{
				{Name: "url", Required: true, Secret: true, Help: "Address of the directory, as in https://example.com/pub or " +
					"https://user:password@example.com/pub"},
				{Name: "headers", Secret: true, Help: "Headers of every request, as name,value,name,value"},
				{Name: "redirect_hosts", Help: "Hosts besides that of url to which redirections are followed, separated by commas; * is any"},
				{Name: "no_slash", Default: "false", Help: "Links to directories lack the slash at their end: take every HTML page for a directory"},
				{Name: "no_head", Default: "false", Help: "Do not ask for the size and time of each file of a listing; they are unknown then"},
				{Name: "no_escape", Default: "false", Help: "Take names as they are written in the links, percent signs and all"},
			},
				ignored("what is not asked for is not known", "no_head_size", "no_head_time"),
			),
		},
		open: openHTTP,
	}
}

func openHTTP(ctx context.Context, path string, v *values) (remote.Remote, error) {
	header, err := v.header("headers")
	if err != nil {
		return nil, err
	}
	o := http.Options{
		Network:   v.env.Network,
		URL:       v.str("url"),
		Header:    header,
		Redirects: v.list("redirect_hosts"),
		NoSlash:   v.boolean("no_slash"),
		NoHead:    v.boolean("no_head"),
		NoEscape:  v.boolean("no_escape"),
	}
	if v.err != nil {
		return nil, v.err
	}
	return http.New(ctx, path, o)
}
