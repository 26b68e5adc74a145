package flags

import "testing"

// Each flag that has no value of a kind takes any text, and each switch stands alone.
func TestAcceptedFlagsTakeWhatRcloneTakes(t *testing.T) {
	for _, row := range acceptedFlags() {
		name, _ := row.name()
		args := []string{"--" + name, "some,thing=1"}
		if row.bare() != "" {
			args = args[:1]
		}
		if _, err := parse(t, nil, args...); err != nil {
			t.Errorf("%v: %v", args, err)
		}
	}
}
