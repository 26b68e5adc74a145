package dropboxserver

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// A route answers calls.
type route struct {
	content bool // the argument is in the header, the body a content
	changes bool
	public  bool // without a token
	answer  func(c *call, arg []byte) (any, *refusal)
}

// routes are what can be asked.
func routes() map[string]route {
	return map[string]route{
		"files/get_metadata":                   {answer: getMetadata},
		"files/list_folder":                    {answer: listFolder},
		"files/list_folder/continue":           {answer: listContinue},
		"files/list_folder/get_latest_cursor":  {answer: latestCursor},
		"files/list_folder/longpoll":           {answer: longpoll, public: true},
		"files/create_folder_v2":               {answer: createFolder, changes: true},
		"files/delete_v2":                      {answer: deleteOne, changes: true},
		"files/move_v2":                        {answer: move, changes: true},
		"files/copy_v2":                        {answer: copyOne, changes: true},
		"files/upload":                         {answer: upload, content: true, changes: true},
		"files/download":                       {answer: download, content: true},
		"files/upload_session/start":           {answer: sessionStart, content: true},
		"files/upload_session/append_v2":       {answer: sessionAppend, content: true},
		"files/upload_session/finish":          {answer: sessionFinish, content: true, changes: true},
		"files/upload_session/finish_batch_v2": {answer: sessionFinishBatch, changes: true},
		"users/get_space_usage":                {answer: spaceUsage},
		"users/get_current_account":            {answer: currentAccount},
		"team/members/get_info":                {answer: memberInfo},
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/oauth2/token" {
		s.giveToken(w, r)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/2/")
	to, ok := routes()[name]
	if !ok || r.Method != http.MethodPost && !(r.Method == http.MethodGet && name == "files/download") {
		http.Error(w, "no such route", http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has gone
	}
	c := &call{s: s, w: w, r: r}
	s.mu.Lock()
	s.asked[name]++
	refused := c.admit(name, to)
	s.mu.Unlock()
	if refused != nil {
		c.refuse(refused)
		return
	}
	arg, refused := c.argument(to, body)
	if refused != nil {
		c.refuse(refused)
		return
	}
	answer, refused := to.answer(c, arg)
	switch {
	case refused != nil:
		c.refuse(refused)
	case answer != nil:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer) // the client may have gone
	}
}
