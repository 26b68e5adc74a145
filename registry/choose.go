package registry

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxAnswer bounds what a provider lists.
const maxAnswer = 4 << 20

// chooseOneDrive has one of the drives of a person chosen: a remote needs its id and its kind.
func chooseOneDrive(ctx context.Context, c *http.Client, options map[string]string) (Choice, error) {
	if options["drive_id"] != "" && options["drive_type"] != "" {
		return Choice{}, nil
	}
	host := map[string]string{
		"us": "https://graph.microsoft.us", "de": "https://graph.microsoft.de", "cn": "https://microsoftgraph.chinacloudapi.cn",
	}[options["region"]]
	base := strings.TrimSuffix(cmp.Or(options["endpoint"], host, "https://graph.microsoft.com"), "/") + "/v1.0/me/"
	type drive struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		Kind string `json:"driveType"`
	}
	var own drive
	if err := get(ctx, c, base+"drive", &own); err != nil {
		return Choice{}, err
	}
	var all struct{ Value []drive }
	if err := get(ctx, c, base+"drives", &all); err != nil {
		all.Value = nil // the own one is enough
	}
	choice := Choice{Question: "Which drive?"}
	seen := map[string]bool{"": true}
	for _, d := range append([]drive{own}, all.Value...) {
		if !seen[d.ID] {
			seen[d.ID] = true
			choice.Answers = append(choice.Answers, Answer{
				Text: fmt.Sprintf("%s (%s) %s", cmp.Or(d.Name, "OneDrive"), d.Kind, d.ID),
				Set:  map[string]string{"drive_id": d.ID, "drive_type": d.Kind},
			})
		}
	}
	return choice, nil
}

// chooseSharedDrive has the drive of a person or a shared one chosen.
func chooseSharedDrive(ctx context.Context, c *http.Client, options map[string]string) (Choice, error) {
	if options["team_drive"] != "" || options["root_folder_id"] != "" || options["shared_with_me"] == "true" {
		return Choice{}, nil
	}
	base := strings.TrimSuffix(cmp.Or(options["endpoint"], "https://www.googleapis.com"), "/") + "/drive/v3/drives?pageSize=100"
	var all struct {
		Drives []struct{ ID, Name string }
	}
	if err := get(ctx, c, base, &all); err != nil || len(all.Drives) == 0 {
		return Choice{}, nil // a scope may not allow to look, and mostly there are none
	}
	choice := Choice{Question: "Which drive?", Answers: []Answer{{Text: "My Drive", Set: map[string]string{"team_drive": ""}}}}
	for _, d := range all.Drives {
		choice.Answers = append(choice.Answers, Answer{Text: d.Name + " (shared drive)", Set: map[string]string{"team_drive": d.ID}})
	}
	return choice, nil
}

// get reads an answer of a provider.
func get(ctx context.Context, c *http.Client, address string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	answer, err := c.Do(r)
	if err != nil {
		return fmt.Errorf("%s cannot be reached: %w", r.URL.Host, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %d to what drives there are", r.URL.Host, answer.StatusCode)
	}
	return json.NewDecoder(io.LimitReader(answer.Body, maxAnswer)).Decode(into)
}
