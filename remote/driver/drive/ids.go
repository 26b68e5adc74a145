package drive

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"ferry/remote/driver/internal/google"
)

// idsAtOnce is how many ids are asked for at a time.
const idsAtOnce = 200

// ids are for new files, made by the service before: a file that is created once more under the
// same id is refused, so that a creation whose answer was lost can be repeated. The zero value is
// ready to use.
type ids struct {
	mu   sync.Mutex
	left []string // guarded by mu
	none bool     // guarded by mu; the service makes none for this account
}

// take returns a new id, "" where there are none.
func (i *ids) take(ctx context.Context, s *service) (string, error) {
	if err := i.fill(ctx, s); err != nil {
		return "", err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.left) == 0 {
		return "", nil
	}
	id := i.left[len(i.left)-1]
	i.left = i.left[:len(i.left)-1]
	return id, nil
}

// fill asks for ids if none are left.
func (i *ids) fill(ctx context.Context, s *service) error {
	i.mu.Lock()
	enough := len(i.left) > 0 || i.none
	i.mu.Unlock()
	if enough {
		return nil
	}
	query := url.Values{"count": {strconv.Itoa(idsAtOnce)}, "fields": {"ids"}, "space": {"drive"}}
	if s.inAppFolder() {
		query.Set("space", "appDataFolder")
	}
	var made struct {
		IDs []string `json:"ids"`
	}
	err := s.Do(ctx, google.Call{Method: http.MethodGet, Path: "files/generateIds", Query: query}, &made)
	var refused *google.AnswerError
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case errors.As(err, &refused) && (refused.Code == http.StatusBadRequest || refused.Code == http.StatusNotFound):
		i.none = true
		return nil
	case err != nil:
		return err
	}
	i.left = append(i.left, made.IDs...)
	i.none = len(i.left) == 0
	return nil
}
