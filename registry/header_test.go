package registry

import (
	"fmt"
	"testing"
)

func TestParseHeader(t *testing.T) {
	h, err := parseHeader([]string{"X-A", "1", "x-a", "2", "Cookie", "a=b"})
	if err != nil || fmt.Sprint(h) != "map[Cookie:[a=b] X-A:[1 2]]" {
		t.Errorf("%v, %v", h, err)
	}
	for _, list := range [][]string{{"a"}, {"", "b"}, {"a b", "c"}, {"a:", "c"}, {"a", "b\r\nc: d"}} {
		if _, err := parseHeader(list); err == nil {
			t.Errorf("%q is taken", list)
		}
	}
}
