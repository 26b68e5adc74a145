package main

import "fmt"

// untunable are the servers of rows in which the flags of rcloneTuned make no difference.
var untunable = []string{"ferry", "rclone"}

// farWorkloads lists those over S3 in the order of the table's rows. The aims are those of the
// project.
func farWorkloads() []workload {
	return append([]workload{
		{name: "far-stor", title: func(s scale) string { return "STOR " + sizeText(s.storBytes) }, run: farStor, only: untunable, metrics: []metric{
			{unit: "s until 226", digits: 2, aim: 1.0}, {unit: "CPU s/GiB", digits: 2, aim: 3}, {unit: "requests"},
			{unit: "MiB of memory for it", aim: 36}}},
		{name: "far-up", title: func(s scale) string { return smallTitle(s) + " up" }, run: farSmallUp, only: untunable, metrics: []metric{
			{unit: "files/s", higher: true, aim: 220}, {unit: "requests each", digits: 2, aim: 1}, {unit: "CPU ms/file", digits: 2}}},
		{name: "far-few", title: func(s scale) string { return fmt.Sprintf("cold LIST of %d files", s.headFiles) }, run: farList("few", headFiles), rounds: 1, metrics: []metric{
			{unit: "s", digits: 2}, {unit: "requests"}}},
		{name: "far-list", title: func(s scale) string { return fmt.Sprintf("cold LIST of %s files", thousands(s.listFiles)) }, run: farList("many", listFiles), only: []string{"ferry", rcloneTuned}, metrics: []metric{
			{unit: "s", digits: 2, aim: 1.0}, {unit: "requests", aim: 21}, {unit: "s to first byte", digits: 2, aim: 0.1}, {unit: "CPU s", digits: 2}}},
		{name: "far-warm", title: func(s scale) string { return fmt.Sprintf("warm LIST of %s files", thousands(s.listFiles)) }, run: farWarmList, only: []string{"ferry", rcloneTuned}, metrics: []metric{
			{unit: "ms", aim: 40}}},
		{name: "far-stat", title: func(s scale) string { return fmt.Sprintf("SIZE of one of %s files", thousands(s.listFiles)) }, run: farStat, metrics: []metric{
			{unit: "requests", aim: 1}, {unit: "ms"}}},
		{name: "far-retr", title: retrTitle, run: farRetr, metrics: []metric{
			{unit: "MB/s", higher: true, aim: 330}, {unit: "CPU s/GiB", digits: 2, aim: 2}, {unit: "peak RSS MiB", aim: 64}, {unit: "requests"}}},
		{name: "far-rest", title: restTitle, run: farRest, metrics: []metric{
			{unit: "ms to first byte", aim: 75}, {unit: "MiB pulled", digits: 1, aim: 3}}},
	}, cacheWorkloads()...)
}

// cacheWorkloads lists those through a cache on disk.
func cacheWorkloads() []workload {
	return []workload{
		{name: "cache-first", title: func(s scale) string { return "first " + retrTitle(s) + " through the cache" }, run: farRetr,
			flags: cached("full"), needs: cacheWorks, metrics: []metric{
				{unit: "MB/s", higher: true, aim: 300}, {unit: "CPU s/GiB", digits: 2}}},
		{name: "cache-again", title: func(s scale) string { return retrTitle(s) + " from the cache" }, run: cachedRetr,
			flags: cached("full"), needs: cacheWorks, only: untunable, metrics: []metric{
				{unit: "GB/s", digits: 2, higher: true}, {unit: "CPU s/GiB", digits: 2, aim: 0.30}}},
		{name: "cache-rest", title: func(s scale) string { return restTitle(s) + " through the cache" }, run: farRest,
			flags: cached("full"), needs: cacheWorks, metrics: []metric{
				{unit: "ms to first byte", aim: 75}, {unit: "MiB pulled", digits: 1, aim: 4}}},
		{name: "cache-stor", title: func(s scale) string { return "STOR " + sizeText(s.storBytes) + " into the cache" }, run: cachedStor,
			flags: cached("writes"), needs: cacheWorks, only: untunable, metrics: []metric{
				{unit: "s until 226", digits: 2, aim: 0.40}, {unit: "s until in S3, less the wait", digits: 2, aim: 1.2}}},
		{name: "cache-up", title: func(s scale) string { return smallTitle(s) + " up into the cache" }, run: cachedSmallUp, rounds: 2,
			flags: cached("writes"), needs: cacheWorks, only: untunable, metrics: []metric{
				{unit: "files/s until 226", higher: true, aim: 1500}, {unit: "files/s until in S3, less the wait", higher: true, aim: 130}}},
		{name: "cache-spooled", title: func(s scale) string { return smallTitle(s) + " up, `--vfs-write-ack spooled`" }, run: cachedSmallUp, rounds: 2,
			flags: cached("writes", "--vfs-write-ack", "spooled"), needs: cacheWorks, only: []string{"ferry"}, metrics: []metric{
				{unit: "files/s until 226", higher: true, aim: 4000}, {unit: "files/s until in S3, less the wait", higher: true, aim: 130}}},
	}
}

func headFiles(s scale) int { return s.headFiles }

func listFiles(s scale) int { return s.listFiles }

func restTitle(s scale) string {
	return fmt.Sprintf("REST %s + RETR, %s taken", sizeText(s.restAt), sizeText(s.restTake))
}
