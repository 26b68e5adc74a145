package ftp

import (
	"context"
	"net/netip"
	"reflect"
	"testing"
	"time"
)

// Every field of a Tunable is that of the Server, and holds what that says.
func TestATunableHasTheFieldsOfTheServer(t *testing.T) {
	s := &Server{}
	v, tunable := reflect.ValueOf(s).Elem(), reflect.TypeFor[Tunable]()
	for i := range tunable.NumField() {
		name := tunable.Field(i).Name
		f := v.FieldByName(name)
		if !f.IsValid() || f.Type() != tunable.Field(i).Type {
			t.Fatalf("%s is no such field of a Server", name)
		}
		switch f.Kind() {
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Int, reflect.Int64:
			f.SetInt(int64(i) + 1)
		}
	}
	s.Passive = PortRange{1, 2}
	s.PublicIP = func(context.Context, netip.Addr) (netip.Addr, error) { return netip.Addr{}, nil }
	s.ListLocation = time.Local
	now := reflect.ValueOf(s.tuned()).Elem()
	for i := range tunable.NumField() {
		if now.Field(i).IsZero() {
			t.Errorf("%s is not taken over", tunable.Field(i).Name)
		}
	}
}

// The free ports are counted of the range that holds now.
func TestFreePortsOfARangeThatChanged(t *testing.T) {
	s := &Server{Passive: PortRange{First: 1000, Last: 1009}}
	s.Adjust(func(now *Tunable) { now.Passive = PortRange{First: 2000, Last: 2002} })
	if n := s.Stats(); n.PassiveFree != 3 || n.PassiveUsed != 0 {
		t.Errorf("%+v", n)
	}
}
