package rc

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Params are the parameters of a call, or its results: a JSON object. Numbers of a request are
// json.Number, so that none loses digits; parameters from a query or a form are strings.
type Params map[string]any

// Has reports whether there is key.
func (p Params) Has(key string) bool {
	_, ok := p[key]
	return ok
}

// String returns the string of key. Other types are an error.
func (p Params) String(key string) (string, error) {
	v, err := p.need(key)
	if err != nil {
		return "", err
	}
	s, ok := v.(string)
	if !ok {
		return "", badParam("expecting string value for key %q (was %s)", key, kind(v))
	}
	return s, nil
}

// Int64 returns the whole number of key, which may be written as a string.
func (p Params) Int64(key string) (int64, error) {
	v, err := p.need(key)
	if err != nil {
		return 0, err
	}
	text, ok := scalar(v)
	if !ok {
		return 0, badParam("expecting int64 value for key %q (was %s)", key, kind(v))
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, badParam("couldn't parse key %q (%s) as int64: %w", key, text, err)
	}
	return n, nil
}

// Float64 returns the number of key, which may be written as a string.
func (p Params) Float64(key string) (float64, error) {
	v, err := p.need(key)
	if err != nil {
		return 0, err
	}
	text, ok := scalar(v)
	if !ok {
		return 0, badParam("expecting float64 value for key %q (was %s)", key, kind(v))
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, badParam("couldn't parse key %q (%s) as float64: %w", key, text, err)
	}
	return f, nil
}

// Bool returns the boolean of key: a boolean, a string for strconv.ParseBool, or a number, where 0
// is false.
func (p Params) Bool(key string) (bool, error) {
	v, err := p.need(key)
	if err != nil {
		return false, err
	}
	switch v := v.(type) {
	case bool:
		return v, nil
	case json.Number:
		f, err := v.Float64()
		return f != 0 || err != nil, nil // too large for a float64 is not 0
	case string:
		b, err := strconv.ParseBool(v)
		if err != nil {
			return false, badParam("couldn't parse key %q (%s) as bool: %w", key, v, err)
		}
		return b, nil
	}
	return false, badParam("expecting bool value for key %q (was %s)", key, kind(v))
}

// optional returns the value of get for key, or the zero value if there is no such key.
func optional[T any](get func(Params, string) (T, error), p Params, key string) (T, error) {
	if !p.Has(key) {
		var zero T
		return zero, nil
	}
	return get(p, key)
}

func (p Params) need(key string) (any, error) {
	v, ok := p[key]
	if !ok {
		return nil, badParam("Didn't find key %q in input", key)
	}
	return v, nil
}

// scalar returns the text of a string or a number.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	}
	return "", false
}

// kind returns the JSON type of v.
func kind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "bool"
	case json.Number:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any, Params:
		return "object"
	}
	return fmt.Sprintf("%T", v)
}
