package quota

// Usage is what a user has.
type Usage struct {
	Bytes int64 `json:"bytes,omitempty"`
	Files int64 `json:"files,omitempty"`
}

func (u Usage) plus(v Usage) Usage { return Usage{u.Bytes + v.Bytes, u.Files + v.Files} }

func (u Usage) minus(v Usage) Usage { return Usage{u.Bytes - v.Bytes, u.Files - v.Files} }

func (u Usage) half() Usage { return Usage{u.Bytes / 2, u.Files / 2} }

// least returns the smaller number of each.
func (u Usage) least(v Usage) Usage { return Usage{min(u.Bytes, v.Bytes), min(u.Files, v.Files)} }

// most returns the larger number of each.
func (u Usage) most(v Usage) Usage { return Usage{max(u.Bytes, v.Bytes), max(u.Files, v.Files)} }

// covers reports whether v is no more than u.
func (u Usage) covers(v Usage) bool { return u.Bytes >= v.Bytes && u.Files >= v.Files }
