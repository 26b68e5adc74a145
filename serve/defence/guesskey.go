package defence

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"ferry/cluster"
)

// guessKeyName is the key of the bucket that is no network.
const guessKeyName = "guess-key"

// keyLife is how long nodes use one key for their guesses.
const keyLife = 30 * 24 * time.Hour

// agreeOnKey has this node make hashes of guesses as the others do, so that the same guess at two
// nodes costs once. Until then it costs once at each.
func (g *Guard) agreeOnKey(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	v, err := g.shared.engine.Get(ctx, Bucket, guessKeyName)
	if errors.Is(err, cluster.ErrNoValue) {
		k := newGuessKey()
		text := []byte(hex.EncodeToString(k.key[:]))
		if _, err = g.shared.engine.Create(ctx, Bucket, guessKeyName, text, keyLife); err == nil {
			g.useKey(text)
			return
		}
		v, err = g.shared.engine.Get(ctx, Bucket, guessKeyName)
	}
	if err == nil {
		g.useKey(v.Data)
	}
}

// useKey takes a key that nodes share.
func (g *Guard) useKey(text []byte) {
	k := &guessKey{shared: true}
	if n, err := hex.Decode(k.key[:], text[:min(len(text), 2*len(k.key))]); err == nil && n == len(k.key) {
		g.scores.key.Store(k)
	}
}
