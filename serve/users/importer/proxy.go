package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// readProxy reads what programs for rclone's --auth-proxy print: one object of strings, or several
// of them one after the other or in an array, or an object that has one for each user.
func readProxy(d *draft, text []byte) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	some := false
	for dec.More() {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return fmt.Errorf("it is not JSON: %w", err)
		}
		some = true
		if err := readProxyValue(d, raw); err != nil {
			return err
		}
	}
	if !some {
		return errors.New("there is nothing in it")
	}
	return nil
}

func readProxyValue(d *draft, raw json.RawMessage) error {
	var one map[string]string
	if json.Unmarshal(raw, &one) == nil && one["type"] != "" {
		if one["user"] == "" {
			return errors.New(`whose answer it is cannot be told, as it has no "user": write {"NAME": {...}} around it`)
		}
		d.proxied(one["user"], one)
		return nil
	}
	var list []map[string]string
	if json.Unmarshal(raw, &list) == nil {
		for _, one := range list {
			if one["type"] == "" || one["user"] == "" {
				return errors.New(`an answer has no "type" or no "user"`)
			}
			d.proxied(one["user"], one)
		}
		return nil
	}
	var named map[string]map[string]string
	if err := json.Unmarshal(raw, &named); err != nil || len(named) == 0 {
		return errors.New("it is no answer of an auth proxy: an object of strings, an array of those, or an object of them by user")
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if named[name]["type"] == "" {
			return fmt.Errorf("the answer for %q has no \"type\"", name)
		}
		d.proxied(name, named[name])
	}
	return nil
}

// proxied adds the user that got an answer.
func (d *draft) proxied(name string, answer map[string]string) {
	t := d.add("users", name)
	if t == nil {
		return
	}
	var params []param
	obscure := strings.Split(answer["_obscure"], ",")
	for _, key := range slices.Sorted(maps.Keys(answer)) {
		value := answer[key]
		if key == "type" || strings.HasPrefix(key, "_") {
			continue
		}
		if slices.Contains(obscure, key) {
			value = obscured(value)
		}
		params = append(params, param{key, value})
		if checkBraces(value) != nil {
			d.disable(t, "option %s has braces, which would stand for the user or the password", key)
			return
		}
	}
	if err := checkBraces(answer["_root"]); err != nil {
		d.disable(t, "%v", err)
		return
	}
	t.text("remote", remoteOf(answer["type"], params, answer["_root"]))
	d.say(name, "the program checked the password, and did not tell it: ferry users passwd sets one, or use --auth-proxy")
}
