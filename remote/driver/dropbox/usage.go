package dropbox

import (
	"context"

	"ferry/remote"
)

// Usage implements remote.Usager.
func (r *Remote) Usage(ctx context.Context) (remote.Usage, error) {
	var got struct {
		Used       int64 `json:"used"`
		Allocation struct {
			Tag       string `json:".tag"`
			Used      int64  `json:"used"` // by the team
			Allocated int64  `json:"allocated"`
			Own       int64  `json:"user_within_team_space_allocated"`
		} `json:"allocation"`
	}
	if err := remote.Check(ctx, "."); err != nil {
		return remote.Usage{}, fail("usage", ".", err)
	}
	if err := r.service.rpc(ctx, "users/get_space_usage", nil, &got); err != nil {
		return remote.Usage{}, fail("usage", ".", err)
	}
	a := got.Allocation
	total, used := a.Allocated, got.Used
	switch {
	case a.Tag == "team" && a.Own > 0:
		total = a.Own
	case a.Tag == "team":
		used = a.Used
	case a.Tag != "individual":
		return remote.Usage{Total: -1, Used: used, Free: -1}, nil
	}
	return remote.Usage{Total: total, Used: used, Free: max(total-used, 0)}, nil
}
