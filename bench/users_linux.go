package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// usersFiles are the servers that read b.usersFile().
var usersFiles = []string{"ferry"}

func hashedTitle(s scale) string {
	return fmt.Sprintf("logins of %d of %s users, argon2id", s.hotUsers, thousands(s.users))
}

func benchUserName(i int) string { return fmt.Sprintf("%s-%05d", benchUser, i) }

// writeUsers makes b.usersFile(), or says why it cannot. All users have one hash, as to make ten
// thousand takes minutes; a server computes it for each of them all the same.
func writeUsers(ctx context.Context, b *bench) string {
	bin, _, err := b.ferry(ctx)
	if err != nil {
		return err.Error()
	}
	cmd := exec.CommandContext(ctx, bin, "users", "hash")
	cmd.Stdin = strings.NewReader(benchPass + "\n")
	hash, err := output(cmd)
	if err != nil {
		return err.Error()
	}
	var text strings.Builder
	fmt.Fprintf(&text, "[defaults]\nremote = '%s'\n", b.root)
	for i := range b.scale.users {
		fmt.Fprintf(&text, "\n[users.%s]\npassword = '%s'\n", benchUserName(i), strings.TrimSpace(hash))
	}
	if err := os.WriteFile(b.usersFile(), []byte(text.String()), 0o600); err != nil {
		return err.Error()
	}
	return ""
}

// hashedLogins measures logins of a few users, who log in again and again as devices do. Each has
// logged in once before.
func hashedLogins(b *bench, in *instance) ([]float64, error) {
	who := func(i int) (string, string) {
		return benchUserName(i % b.scale.hotUsers * 7 % b.scale.users), benchPass
	}
	for i := range b.scale.hotUsers {
		if err := in.logInOut(who(i)); err != nil {
			return nil, err
		}
	}
	return loginsOf(b, in, who)
}
