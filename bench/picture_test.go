package main

import (
	"errors"
	"reflect"
	"testing"
)

func TestAPictureHasARowWithPeers(t *testing.T) {
	res := newResults()
	both := row{"up", "files up", metric{unit: "files/s", higher: true}, 0, point{}}
	alone := row{"spooled", "files spooled", metric{unit: "files/s"}, 0, point{}}
	res.add([]row{both}, "us", []float64{3}, nil)
	res.add([]row{both}, "other", []float64{2}, nil)
	res.add([]row{both}, "broken", nil, errors.New("550 no"))
	res.add([]row{alone}, "us", []float64{3}, nil)
	want := picture{4, []panel{{"files up", "files/s", "", []series{{"us", [][2]float64{{0, 3}}}, {"other", [][2]float64{{0, 2}}}}}}}
	if got := pictureOf(res, []string{"us", "other", "broken"}); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v; want %+v", got, want)
	}
}

func TestAPictureOfCurvesGathersTheirPoints(t *testing.T) {
	res := newResults()
	for _, x := range []int{1, 10} {
		at := point{"downloads", "sessions", x}
		rows := []row{
			{"downloads", "downloads", metric{unit: "CPU s/GiB"}, 0, at},
			{"downloads", "downloads", metric{unit: "KiB each"}, 1, at},
		}
		for i := range rows {
			rows[i].workload += at.over + string(rune('0'+x/10))
		}
		res.add(rows, "us", []float64{float64(x) + 0.5, 0}, nil)
	}
	res.add([]row{{"other", "other", metric{unit: "s"}, 0, point{}}}, "us", []float64{1}, nil)
	want := picture{3, []panel{{"downloads", "CPU s/GiB", "sessions", []series{{"us", [][2]float64{{1, 1.5}, {10, 10.5}}}}}}}
	if got := pictureOf(res, []string{"us"}); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v; want %+v", got, want)
	}
}
